"""Real PostgreSQL and Redis, for the time of the tests, on ports and in folders of their own."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from glob import glob

import psycopg
import pytest

from tests.ports import START_TIMEOUT, accepts, free_port, wait_until
from tests.server import Server


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        self._folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(self._folder),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: accepts(self.port), self.process)

    def stop(self):
        self.process.terminate()
        self.process.wait(START_TIMEOUT)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """A database server of its own; it refuses to run as root, so root runs it as the user of Debian's package."""
    binaries = max(glob("/usr/lib/postgresql/*/bin"))
    folder = tmp_path_factory.mktemp("postgres")
    as_user = []
    if os.getuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
        for path in (folder, *folder.parents):
            if path.owner() != "root" or not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o011)
        shutil.chown(folder, "postgres")
    port = free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    data = str(folder / "data")
    subprocess.run(
        [*as_user, f"{binaries}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync"],
        check=True,
        **quiet,
    )
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen([*as_user, f"{binaries}/postgres", "-D", data, *options], **quiet)
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    wait_until(
        lambda: subprocess.run([f"{binaries}/pg_isready", *where], check=False, **quiet).returncode == 0, process
    )
    yield f"postgres://postgres@127.0.0.1:{port}/"
    process.terminate()
    process.wait(START_TIMEOUT)


def make_database(postgres_url, name, template="template1"):
    with psycopg.connect(postgres_url + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return postgres_url + name


@pytest.fixture(scope="session")
def new_database(postgres_url, tmp_path_factory):
    """The name of one as the first start of a site leaves it: a copy is there sooner than migrations have run."""
    environment = {"DATABASE_URL": make_database(postgres_url, "new")}
    with Server(tmp_path_factory.mktemp("new") / "data", environment=environment) as server:
        assert server.stop() == 0
    return "new"


@pytest.fixture
def database_url(postgres_url, new_database):
    """A database of its own, of a new site."""
    return make_database(postgres_url, f"hubtalk_{time.monotonic_ns()}", new_database)


@pytest.fixture
def redis(tmp_path):
    running = Redis(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def two_servers(tmp_path, database_url, redis):
    """Two processes of one site."""
    with two_processes(tmp_path / "data", database_url, redis) as both:
        yield both


@pytest.fixture
def two_proxied_servers(tmp_path, database_url, redis):
    """The same, behind a proxy on this machine, and open to guests."""
    with two_processes(tmp_path / "data", database_url, redis, TRUSTED_PROXIES="127.0.0.1") as both:
        both[0].manage("shell", "-c", OPEN)
        yield both


OPEN = "from chat.services.site import change_settings; change_settings(guests_allowed=True)"


@contextmanager
def two_processes(data, database_url, redis, **variables):
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        "RATE_LIMITS": "off",
        **variables,
    }
    with Server(data, environment=environment) as one, Server(data, environment=environment) as other:
        yield one, other
