"""
What permessage-deflate (RFC 7692) would save and cost: bytes, time for a message, memory for a connection.

    python -m bench.deflate

The traffic is that of a real server to a `joined` gotalk peer, captured as WebSocket messages: each new message,
the list of twenty rooms, and pages of fifty messages. The texts are the sentences of this project's documents, by
four people.
"""

import asyncio
import itertools
import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from bench.load import HELLO, pinned_server, print_machine
from bench.memory import resident_kilobytes
from tests.server import ROOT

ROOMS, PEOPLE, POSTS, PAGE = 20, 4, 200, 50
SECONDS = 0.3
"""For which a measurement is repeated."""
CONNECTIONS = 500
HEADER_BYTES = len(b"n006newmsg00000000")
TAIL = b"\0\0\xff\xff"
"""Of each message; it is not sent (section 7.2.1)."""


class Way(NamedTuple):
    name: str
    window_bits: int
    memory_level: int
    keeps_context: bool

    def deflater(self) -> "zlib._Compress":
        return zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -self.window_bits, self.memory_level)

    def inflater(self) -> "zlib._Decompress":
        return zlib.decompressobj(-self.window_bits)


WAYS = (
    Way("each message alone", 15, 8, keeps_context=False),
    Way("context kept, 32 KiB", 15, 8, keeps_context=True),
    Way("context kept, 4 KiB", 12, 5, keeps_context=True),
)


# --- the traffic -------------------------------------------------------------------------------------------


def sentences() -> Iterator[str]:
    prose = " ".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    found = re.findall(r"[A-Z][\w ,;:'()-]{10,160}[.?!]", prose)
    return itertools.cycle(found)


class Person:
    """A gotalk peer that asks one thing at a time and keeps what comes, one WebSocket message each."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.heard: list[bytes] = []

    async def begin(self) -> None:
        """Returns when messages are joined with their headers; the first ones were not yet."""
        await self._socket.send(b"01")
        await self._socket.send(HELLO)
        await self.ask("echo", None)

    async def hears(self, beginning: bytes) -> bytes:
        while True:
            message = await self._socket.recv()
            assert isinstance(message, bytes)
            self.heard.append(message)
            if beginning in message:
                return message

    async def ask(self, operation: str, params: object) -> bytes:
        payload = json.dumps(params).encode()
        await self._socket.send(b"r0001%03x%b%08x%b" % (len(operation), operation.encode(), len(payload), payload))
        return await self.hears(b"R0001")


async def captured(url: str) -> dict[str, list[bytes]]:
    """The server's messages by kind."""
    address, texts = f"{url}/gotalk/", sentences()
    people = [Person(await connect(address, compression=None)) for _ in range(PEOPLE)]
    for number, person in enumerate(people):
        await person.begin()
        await person.ask("set-name", f"{('Ada', 'Grace', 'Edsger', 'Barbara')[number % 4]} {number}")
    first, *_ = people
    for number in range(ROOMS):
        await first.ask("create-room", {"name": f"{next(texts)[:24]} {number}", "topic": next(texts)})
    for number in range(POSTS):
        author = people[number % PEOPLE]
        await author.ask("send-message", {"room": "animals", "message": {"body": next(texts)}})
        if author is not first:
            await first.hears(b"n006newmsg")
    new_messages = [each for each in first.heard if each.startswith(b"n006newmsg")]
    seqs = [json.loads(each[HEADER_BYTES:])["message"]["seq"] for each in new_messages]
    pages = [
        await first.ask("list-messages", {"room": "animals", "limit": PAGE, "before_seq": seq + 1})
        for seq in seqs[PAGE - 1 :: PAGE]
    ]
    return {
        "new message": new_messages,
        "list of rooms": [[each for each in first.heard if each.startswith(b"n005rooms")][-1]],
        "page of messages": pages,
    }


# --- what it would save and cost ---------------------------------------------------------------------------


def deflated(way: Way, messages: list[bytes]) -> list[bytes]:
    deflater = None
    done = []
    for message in messages:
        if deflater is None or not way.keeps_context:
            deflater = way.deflater()
        done.append((deflater.compress(message) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL))
    return done


def inflated(way: Way, messages: list[bytes]) -> list[bytes]:
    inflater = None
    done = []
    for message in messages:
        if inflater is None or not way.keeps_context:
            inflater = way.inflater()
        done.append(inflater.decompress(message + TAIL))
    return done


def microseconds(work: Callable[[Way, list[bytes]], list[bytes]], way: Way, messages: list[bytes]) -> float:
    """For a message, by the fastest round."""
    fastest = float("inf")
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        began = time.perf_counter()
        work(way, messages)
        fastest = min(fastest, time.perf_counter() - began)
    return fastest / len(messages) * 1e6


def kilobytes(way: Way, messages: list[bytes]) -> float:
    """Of resident memory for both directions of a connection that keeps its contexts, after some traffic."""
    before = resident_kilobytes("self")
    kept = []
    for _ in range(CONNECTIONS):
        deflater, inflater = way.deflater(), way.inflater()
        for message in messages:
            inflater.decompress(deflater.compress(message) + deflater.flush(zlib.Z_SYNC_FLUSH))
        kept.append((deflater, inflater))
    return (resident_kilobytes("self") - before) / len(kept)


def main() -> None:
    print_machine()
    with pinned_server() as server:
        traffic = asyncio.run(captured(server.websocket_url))
    print("| message | way | bytes | deflated | | deflate | inflate |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, messages in traffic.items():
        for way in WAYS:
            small = deflated(way, messages)
            assert inflated(way, small) == messages
            before, after = (sum(map(len, each)) / len(messages) for each in (messages, small))
            costs = (microseconds(work, way, each) for work, each in ((deflated, messages), (inflated, small)))
            shown = " | ".join(f"{cost:.1f} µs" for cost in costs)
            print(f"| {kind} | {way.name} | {before:,.0f} | {after:,.0f} | {after / before:.0%} | {shown} |")
    print("\n| way | memory of a connection |")
    print("| --- | --- |")
    for way in WAYS:
        if way.keeps_context:
            # In a process of its own: what another measurement has freed would be used again.
            with get_context("spawn").Pool(1) as process:
                print(f"| {way.name} | {process.apply(kilobytes, (way, traffic['new message'])):.0f} KB |")


if __name__ == "__main__":
    main()
