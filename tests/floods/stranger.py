"""
Someone who floods a site: `python -m tests.floods.stranger PORT SECONDS COOKIE`.

Each line of the input is a `Flood`; it is sent, and a line of the output tells that it was.
"""

import asyncio
import json
import sys
from base64 import b64decode, b64encode
from contextlib import suppress
from typing import NamedTuple

from tests.raw_websocket import handshake

HOST = "127.0.0.1"
ADDRESS = "192.0.2.9"
"""Theirs, as a proxy tells it: an address of this machine would count as a proxy, which has no rate."""
PATIENCE = 20.0
"""Seconds for the first answer."""
AT_ONCE = 10
"""Connections with requests of HTTP."""


class Flood(NamedTuple):
    name: str
    path: str
    """Of a WebSocket; none for HTTP."""
    opening: bytes
    piece: bytes
    count: int
    """How often the piece is sent, at once."""

    def to_json(self) -> str:
        opening, piece = (b64encode(each).decode() for each in (self.opening, self.piece))
        return json.dumps(self._replace(opening=opening, piece=piece))

    @classmethod
    def from_json(cls, line: bytes) -> "Flood":
        flood = cls(*json.loads(line))
        return flood._replace(opening=b64decode(flood.opening), piece=b64decode(flood.piece))


async def send(port: int, flood: Flood, seconds: float, cookie: str) -> bool:
    """Send all of it, read the answers, and be gone after some seconds; returns whether there were any."""
    connections = 1 if flood.path else AT_ONCE
    share = flood._replace(count=flood.count // connections)
    return any(await asyncio.gather(*(_send_here(port, share, seconds, cookie) for _ in range(connections))))


async def _send_here(port: int, flood: Flood, seconds: float, cookie: str) -> bool:
    heard = False
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(HOST, port)
        with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            if flood.path:
                headers = (f"X-Forwarded-For: {ADDRESS}", f"Cookie: {cookie}", f"Origin: http://{HOST}:{port}")
                writer.write(handshake(flood.path, *headers).replace(b"Host: x", f"Host: {HOST}:{port}".encode()))
                async with asyncio.timeout(PATIENCE):
                    heard = b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(flood.opening + flood.count * flood.piece)
            if not heard:
                async with asyncio.timeout(PATIENCE):
                    heard = bool(await reader.read(1 << 16))
            async with asyncio.timeout(seconds):
                while await reader.read(1 << 16):
                    pass
        writer.transport.abort()
    return heard


async def main(port: str, seconds: str, cookie: str) -> None:
    for line in sys.stdin.buffer:
        flood = Flood.from_json(line)
        heard = await send(int(port), flood, float(seconds), cookie)
        print(json.dumps([flood.name, heard]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
