"""A real server for tests: the command that people run, in a subprocess of its own."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
LISTENING = "Listening"


class Server:
    """
    `manage.py serve --prepare` over a folder, started by entering it and killed by leaving it.

    Args:
        data: the folder; kept, so that a second server can go on where the first one was killed.
        port: 0 takes a free one; `port` then holds it.
        environment: variables beside those of the caller.
        open_files: how many files it may open, if not as many as the caller.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        open_files: int | None = None,
    ) -> None:
        self.data = data
        self.port = port
        self.output: list[str] = []
        self._environment = dict(environment or {})
        self._limit = () if open_files is None else ("prlimit", f"--nofile={open_files}")
        self._ready = threading.Event()
        self._said = threading.Condition()

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def gotalk_url(self) -> str:
        """Where it speaks gotalk; `GOTALK_LISTEN` in the environment says whether it does."""
        found = re.search(r"^gotalk is at (\S+)$", "\n".join(self.output), re.MULTILINE)
        assert found is not None, self.output
        return found[1]

    @property
    def setup_url(self) -> str:
        """The one-time link that was printed at the start."""
        found = re.search(r"http\S+/setup/\S+/", "\n".join(self.output))
        assert found is not None, self.output
        return found[0]

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        return {
            **inherited,
            "HUBTALK_DATA": str(self.data),
            "PYTHONUNBUFFERED": "1",
            "GOTALK_LISTEN": "",
            **self._environment,
        }

    def prepare(self) -> None:
        """Give a folder that is not there yet the database of a new site, unless another one is named."""
        if not self.data.exists() and "DATABASE_URL" not in self._environment:
            shutil.copytree(new_site(), self.data)

    def start(self) -> None:
        """Start and wait until it listens."""
        self.prepare()
        self.output.clear()
        self._ready.clear()
        self.process = subprocess.Popen(
            [*self._limit, sys.executable, "manage.py", "serve", "--prepare", "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(START_TIMEOUT), self.output
        assert LISTENING in self.output, self.output

    def says(self, text: str, *, times: int = 1, timeout: float = START_TIMEOUT) -> None:
        """Wait until so many lines of its output contain a text."""
        with self._said:
            said = self._said.wait_for(lambda: sum(text in line for line in self.output) >= times, timeout)
        assert said, self.output

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT)
        self._reader.join(STOP_TIMEOUT)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_TIMEOUT)

    def manage(self, *arguments: str) -> str:
        """Run a management command over the same folder; returns what it printed."""
        self.prepare()
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.output.append(line.rstrip("\n"))
                self._said.notify_all()
            address = re.match(r"Hubtalk is at http://127\.0\.0\.1:(\d+)", line)
            if address is not None:
                self.port = int(address[1])
            if line.rstrip() == LISTENING:
                self._ready.set()
        self._ready.set()


@cache
def new_site() -> Path:
    """A folder as the first start leaves it: a copy of it is there sooner than migrations have run."""
    folder = Path(tempfile.mkdtemp(prefix="new-site-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Server(folder) as server:
        assert server.stop() == 0
    return folder


def visitor_cookie(server: Server) -> str:
    """Open the page once, as a browser does first; returns its session cookie."""
    with urllib.request.urlopen(server.url + "/", timeout=20) as response:
        cookies = response.headers.get_all("Set-Cookie")
    return next(cookie.split(";")[0] for cookie in cookies if cookie.startswith("hubtalk="))
