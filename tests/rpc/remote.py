"""A connection in memory between a peer and a remote that speaks literal bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rpc import Handlers, Limits, Peer
from rpc.protocol.session import Chunk
from rpc.transports.memory import MemoryTransport, memory_pair
from tests.rpc.wire import HELLO


class Remote:
    """Sends and receives chunks as they are: a stock peer, or an attacker."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport
        self._chunks = aiter(transport)

    def say(self, *chunks: Chunk) -> None:
        self.transport.write(chunks)

    async def introduce(self, hello: bytes) -> None:
        """Say `$hello` to a peer that was connected to, and read its answer."""
        self.say(hello)
        answer = [HELLO[:18], HELLO[18:]] if self.transport.framed else [HELLO]
        assert await self.hear(len(answer)) == answer

    async def hear(self, number: int = 1) -> list[Chunk]:
        """The next chunks."""
        async with asyncio.timeout(120):
            return [await anext(self._chunks) for _ in range(number)]

    async def hear_all(self) -> list[Chunk]:
        """All chunks until the peer closes."""
        async with asyncio.timeout(120):
            return [chunk async for chunk in self._chunks]


@asynccontextmanager
async def facing(
    handlers: Handlers, *hellos: bytes, framed: bool = True, limits: Limits | None = None
) -> AsyncIterator[tuple[Peer, Remote]]:
    """Our peer and a remote that has connected, sent `01` and `hellos`, and read the answers."""
    near, remote_transport = memory_pair(framed=framed)
    far = Remote(remote_transport)
    async with Peer(handlers, near, limits) as peer, asyncio.TaskGroup() as readers:
        await peer.open()
        readers.create_task(peer.read(near))
        assert await far.hear(1) == [b"01"]
        far.say(b"01")
        for hello in hellos:
            await far.introduce(hello)
        yield peer, far
        near.close(4000, "end of the test")
