"""Free ports, and waiting for what is to listen there."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

START_TIMEOUT = 30.0
PAUSE = 0.02


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(answers: Callable[[], bool], process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """Ask again and again until the service answers; a service that ended is no use to wait for."""
    deadline = time.monotonic() + START_TIMEOUT
    while not answers():
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended with {process.wait(PAUSE)}")
        assert time.monotonic() < deadline
