"""What the benchmarks share: a server of its own, pinned to a core, and sockets cheap enough not to be measured."""

import asyncio
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.server import ROOT, Server

HANDSHAKE = (
    b"GET /gotalk/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HELLO = b'n006$hello00000020{"features":["joined","errors"]}'
NEW_MESSAGE = b"n006newmsg"
OPENED_AT_ONCE = 50


def frame(payload: bytes) -> bytes:
    """A client's binary frame, masked with zeros (RFC 6455 allows any mask; this one costs the load nothing)."""
    if len(payload) < 126:
        return bytes((0x82, 0x80 | len(payload), 0, 0, 0, 0)) + payload
    return b"\x82\xfe" + len(payload).to_bytes(2) + bytes(4) + payload


def send_message(number: int, body: str = "x" * 64) -> bytes:
    """The request that posts to the room animals, with an id made of `number`."""
    payload = b'{"room":"animals","message":{"body":"%b"}}' % body.encode()
    return b"r%04x00csend-message%08x%b" % (number % 0x10000, len(payload), payload)


class Hearer(asyncio.Protocol):
    """A `joined` gotalk peer that counts the messages it hears, and no more."""

    def __init__(self) -> None:
        self.heard = 0
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if not self._greeted and b"\r\n\r\n" in data:
            self._greeted = True
            self.transport.write(frame(b"01") + frame(HELLO))
        if not self.opened.done() and b"username" in data:
            self.opened.set_result(None)
        # A header may be cut in two between reads; over seconds that is one message in many thousands.
        heard = data.count(NEW_MESSAGE)
        self.heard += heard
        self.hear(data, heard)

    def hear(self, data: bytes, heard: int) -> None:
        """What a subclass does with new data."""

    def ask(self, requests: bytes) -> None:
        self.transport.write(frame(requests))


P = TypeVar("P", bound=Hearer)


async def open_all(kind: type[P], count: int, port: int) -> list[P]:
    """Connect peers, a few at a time, and wait until each has its name."""
    loop = asyncio.get_running_loop()
    peers: list[P] = []
    while len(peers) < count:
        some = [
            (await loop.create_connection(kind, "127.0.0.1", port))[1]
            for _ in range(min(OPENED_AT_ONCE, count - len(peers)))
        ]
        await asyncio.gather(*(peer.opened for peer in some))
        peers += some
    return peers


@contextmanager
def pinned_server() -> Iterator[Server]:
    """A server on the first core; this process goes to the last one."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as data:
        os.sched_setaffinity(0, cores[:1])
        with Server(Path(data), environment={"RATE_LIMITS": "off"}) as server:
            os.sched_setaffinity(0, cores[-1:])
            yield server
            os.sched_setaffinity(0, cores)


def print_machine() -> None:
    """Where and what is measured: no figure without it."""
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, commit {commit}\n")
