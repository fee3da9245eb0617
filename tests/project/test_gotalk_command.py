"""`manage.py gotalk`: what it knows of the site, and what it does without."""

import logging
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.deadlines import DEADLINE
from tests.server import ROOT, Server


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    environment = {"GOTALK_LISTEN": "tcp://127.0.0.1:0"}
    with Server(tmp_path_factory.mktemp("site"), environment=environment) as running:
        yield running


def started(*arguments, **environment):
    """The command as people run it."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "gotalk", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process):
    """The exit code and what is still unread of standard output and error."""
    with process:
        out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


# --- calls, which do without the site ----------------------------------------------------------------------


@pytest.mark.parametrize("door", ["tcp", "ws"])
def test_request_to_a_site(site, door, tmp_path):
    """Through either door, without a database, a data folder or a word more than the answer."""
    url = site.gotalk_url if door == "tcp" else f"{site.websocket_url}/gotalk/"
    environment = {"HUBTALK_DATA": str(tmp_path / "none"), "DATABASE_URL": "postgres://nowhere/x"}
    assert finished(started("request", url, "echo", '"hello"', **environment)) == (0, b'"hello"\n', b"")
    assert not (tmp_path / "none").exists()


def test_path_without_a_door(site):
    """The error has the site's close code."""
    refused = finished(started("request", f"{site.websocket_url}/nothing", "echo"))
    assert refused == (3, b"", b"connection closed (4404)\n")


# --- types -------------------------------------------------------------------------------------------------


@pytest.fixture
def log_level():
    """The command sets that of its whole process."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def test_types_of_the_site(capsysbinary, tmp_path, log_level):
    """They are known without a server; they go to standard output or a file."""
    call_command("gotalk", "types")
    written = capsysbinary.readouterr().out
    assert b'\n  "send-message": { params: SendMessage; result: ' in written
    call_command("gotalk", "types", "--output", str(tmp_path / "site.d.ts"))
    assert capsysbinary.readouterr().out == b""
    assert (tmp_path / "site.d.ts").read_bytes() == written


def test_types_of_a_server(site, capsysbinary, log_level):
    """The server is asked."""
    call_command("gotalk", "types", site.gotalk_url)
    assert b"SendMessage" in capsysbinary.readouterr().out


# --- serve -------------------------------------------------------------------------------------------------


def test_serving_alone_without_redis(tmp_path):
    """Two processes would not hear each other: it refuses, and says what to do."""
    process = started("serve", "tcp://127.0.0.1:0", HUBTALK_DATA=str(tmp_path), REDIS_URL="")
    code, out, err = finished(process)
    assert (code, out) == (2, b"")
    assert err.startswith(b"REDIS_URL is not set: without Redis this process and the web server would not hear ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_process_that_serves_alone(tmp_path, number):
    """It says where it listens, closes its connections and exits with 0."""
    server = started(
        "serve",
        f"unix://{tmp_path}/gotalk.sock",
        HUBTALK_DATA=str(tmp_path),
        REDIS_URL="redis://127.0.0.1:1/0",
        LOG_LEVEL="WARNING",
    )
    assert server.stdout.readline() == f"gotalk is at unix://{tmp_path}/gotalk.sock\n".encode()
    assert server.stdout.readline() == b"Listening\n"
    server.send_signal(number)
    assert finished(server) == (0, b"", b"")
    assert not (tmp_path / "gotalk.sock").exists()
