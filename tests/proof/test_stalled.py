"""Hundreds of clients at each door, one of each stops reading: the others do not notice, and it is soon gone."""

import asyncio
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.proof.figures import METRICS_TOKEN, connections, of_process
from tests.server import Server
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

EACH = short_or_whole(100, 500)
"""Clients at each of the four doors; the page is one of gotalk's."""
BODY = "x" * 8000
LINES = 100
"""Enough to fill what the kernel and the server keep for one who does not read."""
ARRIVAL_SECONDS, SETTLE_SECONDS = 60, 5
GONE_SECONDS = 30
RATIO = 5
"""How much slower; the clients of this test share two cores with the server."""
MEMORY_SLACK_KIB = 48 * 1024

MAKE = """
import json
from chat.models import Room, Token, User
from chat.services.tokens import make_token
Room.objects.create(name="hall")
user = User.objects.create_user("reader", name="Reader")
print(make_token(Token(user=user, name="robot", scopes=["read", "post", "rpc"])))
"""


class Reader(asyncio.Protocol):
    """A client by its bytes: says what its door wants, then counts what comes, or stops reading."""

    def __init__(self, opening: list[bytes]) -> None:
        self.opening = opening
        self.lost = asyncio.get_running_loop().create_future()
        self.came = 0
        self.mark = b""
        self.heard: asyncio.Future[float] | None = None

    def awaits(self, mark: bytes) -> "asyncio.Future[float]":
        """When it has heard the mark."""
        self.mark = mark
        self.heard = asyncio.get_running_loop().create_future()
        return self.heard

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.opening.pop(0))

    def data_received(self, data: bytes) -> None:
        self.came += len(data)
        while self.opening and (self.came > 100 or b"\r\n\r\n" in data):
            self.transport.write(self.opening.pop(0))
        if self.mark and self.mark in data:
            self.mark = b""
            if not self.heard.done():
                self.heard.set_result(time.perf_counter())

    def connection_lost(self, error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros (RFC 6455, section 5.3)."""
    size = bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes((0x80 | opcode,)) + size + bytes(4) + payload


def upgrade(path: str, token: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def request(operation: str, params: object) -> bytes:
    payload = json.dumps(params).encode()
    return b"r0001%03x%b%08x%b" % (len(operation), operation.encode(), len(payload), payload)


def openings(token: str) -> dict[str, Callable[[], list[bytes]]]:
    """What the clients of each door say first."""
    return {
        "gotalk": lambda: [upgrade("/gotalk/", token), masked(2, b"01")],
        "tcp": lambda: [b"01" + request("login", token)],
        "text": lambda: [upgrade("/ws/hall", token)],
        "push": lambda: [upgrade("/push", token), masked(2, struct.pack(">I", 113) + b"hall")],
    }


class Crowd:
    def __init__(self, server: Server, token: str) -> None:
        self._server = server
        self._addresses = dict.fromkeys(("gotalk", "text", "push"), ("127.0.0.1", server.port))
        host, port = server.gotalk_url.removeprefix("tcp://").split(":")
        self._addresses["tcp"] = host, int(port)
        self._openings = openings(token)
        self.readers: list[Reader] = []

    async def come(self) -> None:
        for door in self._openings:
            for start in range(0, EACH, 50):
                opened = [self._open(door) for _ in range(start, min(start + 50, EACH))]
                self.readers += await asyncio.gather(*opened)
        await self.settle()
        assert await connections(self._server) == len(self.readers)

    async def _open(self, door: str, *, stalled: bool = False) -> Reader:
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.setblocking(False)
        if stalled:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(connection, self._addresses[door])
        _, reader = await loop.create_connection(lambda: Reader(self._openings[door]()), sock=connection)
        return reader

    async def stall(self) -> list[Reader]:
        """One more at each door, which reads until it is in the room, and then no more."""
        stalled = [await self._open(door, stalled=True) for door in self._openings]
        await self.settle(stalled)
        for reader in stalled:
            reader.transport.pause_reading()
        return stalled

    async def settle(self, also: list[Reader] | None = None) -> None:
        """Post until everyone hears it: a connected client may still be on its way into the room."""
        for _ in range(ARRIVAL_SECONDS // SETTLE_SECONDS):
            with suppress(TimeoutError):
                await self.post_and_wait("is everyone here?", also, SETTLE_SECONDS)
                return
        raise AssertionError("somebody hears nothing")

    async def post_and_wait(
        self, text: str, also: list[Reader] | None = None, timeout: float = ARRIVAL_SECONDS
    ) -> list[float]:
        """Post through the first one; returns how long each took to hear it, in order."""
        mark = f"{text} {os.urandom(8).hex()}"
        heard = [reader.awaits(mark.encode()) for reader in (*self.readers, *(also or []))]
        started = time.perf_counter()
        message = {"room": "hall", "message": {"body": mark + BODY}}
        self.readers[0].transport.write(masked(2, request("send-message", message)))
        async with asyncio.timeout(timeout):
            return sorted(at - started for at in await asyncio.gather(*heard))

    async def leave(self) -> None:
        for reader in self.readers:
            reader.transport.abort()
        await asyncio.gather(*(reader.lost for reader in self.readers))


def p99(times: list[float]) -> float:
    return times[len(times) * 99 // 100]


def test_stalled_clients(tmp_path):
    """The ratio of the slowest hundredth with and without them, in one run; the server's memory returns."""
    environment = {
        "RATE_LIMITS": "off",
        "GOTALK_LISTEN": "tcp://127.0.0.1:0",
        "METRICS_TOKEN": METRICS_TOKEN,
        "LOG_LEVEL": "WARNING",
    }
    server = Server(tmp_path / "data", environment=environment)
    token = server.manage("shell", "-v", "0", "-c", MAKE).splitlines()[-1]

    async def scenario():
        crowd = Crowd(server, token)
        await crowd.come()
        quiet = [p99(await crowd.post_and_wait("quiet")) for _ in range(10)]
        before = of_process(server.process.pid, "VmRSS")
        stalled = await crowd.stall()
        beside = [p99(await crowd.post_and_wait("beside")) for _ in range(LINES)]
        assert sorted(beside)[LINES // 2] < RATIO * sorted(quiet)[5]
        async with asyncio.timeout(GONE_SECONDS):
            while await connections(server) > 4 * EACH:
                await crowd.post_and_wait("meanwhile")
        for reader in stalled:
            reader.transport.abort()
        assert of_process(server.process.pid, "VmRSS") < before + MEMORY_SLACK_KIB
        await crowd.leave()

    with server:
        asyncio.run(scenario())
