"""
A WebSocket on which nothing is said stays open behind nginx, since the server pings it.

In small: nginx waits 5 s instead of 90, the server pings every 2 s instead of 20.
"""

import asyncio
import subprocess
import sys
from contextlib import contextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame, Opcode

from tests.deadlines import DEADLINE
from tests.proxy.nginx import Nginx
from tests.server import ROOT

pytestmark = [pytest.mark.nginx, pytest.mark.long]

NEVER = 1000
PINGS = 4
"""That many take longer than nginx waits."""


class Listener(ClientConnection):
    """Says nothing but what it must, and counts the pings."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.pings = 0
        self.pinged = asyncio.Event()

    def process_event(self, event):
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
            if self.pings == PINGS:
                self.pinged.set()
        super().process_event(event)


@contextmanager
def pinging_site(seconds):
    """Serves on a port that it yields."""
    command = [sys.executable, "-m", "tests.proxy.pinging_site", str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def front(tmp_path, certificate, seconds):
    edits = {"proxy_read_timeout    90s;": "proxy_read_timeout    5s;"}
    with pinging_site(seconds) as port, Nginx(tmp_path / "nginx", port, *certificate, edits) as nginx:
        yield nginx.websocket_url


def listen(url):
    return connect(url, ping_interval=None, create_connection=Listener)


def test_idle_socket_stays_open(tmp_path, certificate):
    """Long after nginx's own timeout."""

    async def scenario(url):
        async with asyncio.timeout(DEADLINE), listen(url) as socket:
            await socket.pinged.wait()
            await asyncio.wait_for(await socket.ping(), DEADLINE)

    with front(tmp_path, certificate, 1) as url:
        asyncio.run(scenario(url))


def test_without_pings_nginx_would_close_it(tmp_path, certificate):
    """So that the test before shows something."""

    async def scenario(url):
        async with asyncio.timeout(DEADLINE), listen(url) as socket:
            with pytest.raises(ConnectionClosedError):
                await socket.recv()
            assert socket.pings == 0

    with front(tmp_path, certificate, NEVER) as url:
        asyncio.run(scenario(url))
