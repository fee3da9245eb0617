"""Connections inside this process, for tests: two transports, or two peers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from rpc.close_codes import CloseCode
from rpc.limits import Limits
from rpc.peer.handlers import Handlers
from rpc.peer.peer import Peer
from rpc.peer.prepared import Prepared
from rpc.peer.transport import MAX_WRITABLE_BYTES, Spawn
from rpc.protocol.frames import joined_pieces
from rpc.protocol.session import Chunk


class MemoryTransport:
    """One side of a connection inside this process; iterate over it for what the other side wrote."""

    _other: "MemoryTransport"

    def __init__(self, *, connects: bool, framed: bool) -> None:
        self.connects = connects
        self.framed = framed
        self.joined = False
        self.closed: tuple[int, str] | None = None
        """Code and text of the close, from whichever side it came."""
        self._incoming: deque[Chunk] = deque()
        self._drained: Callable[[], None] = lambda: None
        self._filled: Callable[[], None] = lambda: None
        self._ready = asyncio.Event()

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._drained = drained
        self._filled = filled

    def write(self, chunks: Sequence[Chunk]) -> int:
        if self.closed is None:
            whole = self.joined or not self.framed
            self._other._incoming += joined_pieces(chunks) if whole else chunks
            self._other._ready.set()
            if not self.writable:
                self._filled()
        return sum(map(len, chunks))

    def write_prepared(self, prepared: Prepared) -> int:
        return self.write(prepared.chunks)

    def buffered(self) -> int:
        return sum(map(len, self._other._incoming))

    def unread(self) -> int:
        return self.buffered()

    @property
    def writable(self) -> bool:
        return self.buffered() < MAX_WRITABLE_BYTES

    def pause_reading(self) -> None:
        """The reader that iterates stops by itself."""

    def resume_reading(self) -> None:
        """The reader that iterates goes on by itself."""

    def keep(self, size: int) -> None:
        """Nobody counts it."""

    def close(self, code: int, text: str) -> None:
        for side in (self, self._other):
            if side.closed is None:
                side.closed = (code, text)
            side._ready.set()

    def abort(self) -> None:
        self._other._incoming.clear()
        self.close(CloseCode.ABNORMAL, "")

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._incoming:
                chunk = self._incoming.popleft()
                if self._other.writable:
                    self._other._drained()
                yield chunk
            if self.closed is not None:
                return


def memory_pair(*, framed: bool = True) -> tuple[MemoryTransport, MemoryTransport]:
    """
    The two sides of one connection, of which the second is the one that connects; `framed` as over WebSocket,
    otherwise as over a byte stream.
    """
    one, other = MemoryTransport(connects=False, framed=framed), MemoryTransport(connects=True, framed=framed)
    one._other, other._other = other, one
    return one, other


@asynccontextmanager
async def pipe(
    handlers: Handlers, other: Handlers | None = None, *, framed: bool = True, limits: Limits | None = None
) -> AsyncIterator[tuple[Peer, Peer]]:
    """
    Two peers: the one with `handlers` and `limits`, and the one with `other`, which has connected to it.

    Leaving the block closes both.
    """
    near, far = memory_pair(framed=framed)
    async with (
        Peer(handlers, near, limits) as one,
        Peer(other or Handlers(), far) as two,
        asyncio.TaskGroup() as readers,
    ):
        await one.open()
        await two.open()
        readers.create_task(one.read(near))
        readers.create_task(two.read(far))
        yield one, two
        near.close(CloseCode.FAULT, "closed")
