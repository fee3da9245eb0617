"""Someone who takes what WebSockets give them: `python -m tests.proof.socket_stranger KIND PORT`."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.proof.stranger import HOST, PATIENCE, Told, answered
from tests.raw_websocket import BINARY, CONTINUATION, PING, TEXT, frame, handshake

SECONDS = 3.0
"""For which they go on."""
MANY = 2000
"""Frames in a write."""
LARGE = 39 * 1024 * 1024 // 10
"""Bytes, a little below what a message may have."""
DOORS = ("/ws", "/push", "/gotalk/", "/echo")


@asynccontextmanager
async def connected(port: int, door: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """
    Raises:
        IncompleteReadError: the handshake was not answered.
    """
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(handshake(door))
        await reader.readuntil(b"\r\n\r\n")
        yield reader, writer
    finally:
        writer.transport.abort()


async def repeat(port: int, door: str, opening: bytes, piece: bytes) -> Told:
    """Say the same again and again, as fast as it is taken, and read what is answered."""
    async with connected(port, door) as (reader, writer):
        began, sent = time.monotonic(), len(opening)
        over = asyncio.create_task(answered(reader))
        writer.write(opening)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                while not over.done():
                    writer.write(piece)
                    await writer.drain()
                    sent += len(piece)
        ended = over.done()
        over.cancel()
        return Told(None, sent, time.monotonic() - began, ended)


async def at_each_door(port: int, opening: bytes, piece: bytes) -> list[Told]:
    return await asyncio.gather(*(repeat(port, door, opening, piece) for door in DOORS))


async def empty_fragments(port: int) -> list[Told]:
    """Of a message that never ends, and never becomes any longer."""
    return await at_each_door(port, frame(TEXT, fin=False), MANY * frame(CONTINUATION, fin=False))


async def small_fragments(port: int) -> list[Told]:
    """Of a message that never ends, a byte each."""
    return await at_each_door(port, frame(BINARY, b"x", fin=False), MANY * frame(CONTINUATION, b"x", fin=False))


async def pings(port: int) -> list[Told]:
    """Each of which is to be answered."""
    return await at_each_door(port, b"", MANY * frame(PING, b"?"))


async def unfinished(port: int) -> list[Told]:
    """A hundred messages of almost the largest size, of which the last byte never comes."""

    async def begin() -> Told:
        began = time.monotonic()
        with suppress(ConnectionError):
            async with connected(port, "/echo") as (reader, writer):
                writer.write(frame(BINARY, bytes(LARGE), size=LARGE + 1))
                over = asyncio.create_task(answered(reader))
                await asyncio.wait([over], timeout=SECONDS)
                if not over.done():
                    over.cancel()
                    return Told(None, LARGE, time.monotonic() - began, ended=False)
        return Told(None, 0, time.monotonic() - began, ended=True)

    return await asyncio.gather(*(begin() for _ in range(100)))


async def connects(port: int) -> list[Told]:
    """Two thousand handshakes at once."""

    async def connect() -> Told:
        began = time.monotonic()
        status = None
        with suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(HOST, port)
                writer.write(handshake("/ws"))
                status = int((await reader.readuntil(b"\r\n\r\n")).split()[1])
        return Told(status, 0, time.monotonic() - began, ended=status != 101)

    return await asyncio.gather(*(connect() for _ in range(2000)))


KINDS: dict[str, Callable[[int], Awaitable[list[Told]]]] = {
    each.__name__: each for each in (empty_fragments, small_fragments, pings, unfinished, connects)
}


async def main(kind: str, port: str) -> None:
    print(json.dumps(await KINDS[kind](int(port))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
