"""The way out for what takes WebSocket messages one by one and may keep the sender waiting."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from rpc.peer.prepared import Frames, Prepared
from rpc.peer.transport import MAX_WRITABLE_BYTES, Spawn
from rpc.protocol.frames import joined_pieces
from rpc.protocol.session import Chunk

logger = logging.getLogger(__name__)


class OutboxTransport:
    """An outbox, bounded by its owner, and the task that empties it one message after the other."""

    connects = False
    framed = True
    __slots__ = ("_buffered", "_drained", "_filled", "_outbox", "_ready", "joined")
    _drained: Callable[[], None]
    _filled: Callable[[], None]

    def __init__(self) -> None:
        self._outbox: deque[Chunk | tuple[int, str]] = deque()
        """Messages; a close is its code and text."""
        self._buffered = 0
        self._ready = asyncio.Event()
        self.joined = False

    async def deliver(self, chunk: Chunk) -> None:
        """Hand over one message. It may raise when the remote is gone, which the door learns elsewhere."""
        raise NotImplementedError

    async def deliver_close(self, code: int, text: str) -> None:
        """Hand over the close. The same is true of it."""
        raise NotImplementedError

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._drained = drained
        self._filled = filled
        spawn(self._run())

    def write(self, chunks: Sequence[Chunk]) -> int:
        return self._put(joined_pieces(chunks) if self.joined else chunks)

    def write_prepared(self, prepared: Prepared) -> int:
        return self._put(prepared.joined_pieces if self.joined else prepared.chunks)

    def write_frames(self, frames: Frames) -> int:
        """The same for WebSocket messages of other protocols."""
        return self._put(frames.chunks)

    def buffered(self) -> int:
        return self._buffered

    def unread(self) -> int:
        return self._buffered

    @property
    def writable(self) -> bool:
        return self._buffered < MAX_WRITABLE_BYTES

    def pause_reading(self) -> None:
        """The reader of the messages stops by itself."""

    def resume_reading(self) -> None:
        """The reader of the messages goes on by itself."""

    def keep(self, size: int) -> None:
        """Nobody counts it: this side has connected, or its server gives no access to the socket."""

    def close(self, code: int, text: str) -> None:
        self._outbox.append((code, text))
        self._ready.set()

    def abort(self) -> None:
        self._outbox.clear()
        self._buffered = 0

    def _put(self, chunks: Sequence[Chunk]) -> int:
        size = sum(map(len, chunks))
        was_writable = self.writable
        self._outbox.extend(chunks)
        self._buffered += size
        self._ready.set()
        if was_writable and not self.writable:
            self._filled()
        return size

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._outbox:
                item = self._outbox.popleft()
                try:
                    if isinstance(item, tuple):
                        await self.deliver_close(*item)
                        continue
                    await self.deliver(item)
                except Exception as error:
                    # Each library raises another error for a socket that is gone; the door learns of it elsewhere.
                    logger.debug("not sent: %r", error)
                if self._buffered:
                    self._buffered -= len(item)
                if self.writable:
                    self._drained()
