"""How chunks reach the other end of a WebSocket: prebuilt frames, or whatever takes messages one by one."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from rpc.peer.prepared import Frames, Prepared
from rpc.protocol.frames import joined_frames, joined_pieces, split_frames
from rpc.protocol.session import Chunk

logger = logging.getLogger(__name__)

AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Runs a coroutine as a task that its owner ends and awaits."""


class Transport(Protocol):
    """One connection's way out. Nothing here waits, and nothing raises because the other end is gone."""

    framed: bool
    """Whether chunks arrive as WebSocket messages; else as a byte stream."""
    joined: bool
    """Set by the peer once the other end announced that messages may be joined."""

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        """
        The connection is open; what needs a task from now on uses `spawn`, `filled` is called when `writable`
        becomes false, and `drained` when it is true again.
        """

    def write(self, chunks: Sequence[Chunk]) -> int:
        """Send chunks; returns about how many bytes that is."""

    def write_prepared(self, prepared: Prepared) -> int:
        """The same for messages that were encoded for many."""

    def buffered(self) -> int:
        """Bytes that the other end has not taken yet, as far as this side can see."""

    @property
    def writable(self) -> bool:
        """Whether little is buffered, so that who can wait need not."""

    def pause_reading(self) -> None:
        """Read no more from the other end, as far as this side can."""

    def resume_reading(self) -> None:
        """Read again."""

    def close(self, code: int, text: str) -> None:
        """Close after what was written; `code` and `text` are those of a WebSocket close frame."""

    def abort(self) -> None:
        """End the connection at once, whatever is still buffered."""


class FrameSink(Protocol):
    """
    A server's socket of one WebSocket, which takes frames that are built already.

    Found in the ASGI scope as `extensions["hubtalk.frames"]`.
    """

    @property
    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""

    @property
    def writable(self) -> bool:
        """Whether few bytes are buffered."""

    def watch(self, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        """Call `filled` when `writable` becomes false, and `drained` when it is true again."""

    def pause_reading(self) -> None:
        """Read no more from the socket."""

    def resume_reading(self) -> None:
        """Read again."""

    def write(self, frame: bytes) -> None:
        """Send one or more whole, unmasked frames. Ignored when the socket is closed."""

    def abort(self) -> None:
        """Drop the connection, and what is buffered."""


SEND_BUFFER_BYTES = 256 * 1024
"""Of a socket, in the kernel: else it grows to 4 MiB, and who has stopped reading is noticed that much later."""
MAX_WRITABLE_BYTES = 64 * 1024
"""With less than this buffered, parts of streams go on: enough to keep a socket busy."""


class FrameTransport:
    """A WebSocket of a server that gives access to its frames: nothing is encoded or copied twice."""

    framed = True
    __slots__ = ("_send", "_sink", "_spawn", "joined")
    _spawn: Spawn

    def __init__(self, sink: FrameSink, send: AsgiSend) -> None:
        self._sink = sink
        self._send = send
        self.joined = False

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._spawn = spawn
        self._sink.watch(drained, filled)

    def write(self, chunks: Sequence[Chunk]) -> int:
        frames = joined_frames(chunks) if self.joined else split_frames(chunks)
        self._sink.write(frames)
        return len(frames)

    def write_prepared(self, prepared: Prepared) -> int:
        frames = prepared.joined_frames if self.joined else prepared.split_frames
        self._sink.write(frames)
        return len(frames)

    def write_frames(self, frames: Frames) -> int:
        """The same for WebSocket messages that are no gotalk."""
        self._sink.write(frames.split_frames)
        return len(frames.split_frames)

    def buffered(self) -> int:
        return self._sink.buffered

    @property
    def writable(self) -> bool:
        return self._sink.writable

    def pause_reading(self) -> None:
        self._sink.pause_reading()

    def resume_reading(self) -> None:
        self._sink.resume_reading()

    def close(self, code: int, text: str) -> None:
        # Through the server, which must know: it waits for the other end's close frame.
        self._spawn(_send_close(self._send, code, text))

    def abort(self) -> None:
        self._sink.abort()


class OutboxTransport:
    """For what takes WebSocket messages one by one: a bounded outbox and the task that empties it."""

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
        """Hand over one message; what it raises is that the other end is gone, which is told elsewhere."""
        raise NotImplementedError

    async def deliver_close(self, code: int, text: str) -> None:
        """Hand over the close; the same of what it raises."""
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
        """The same for WebSocket messages that are no gotalk."""
        return self._put(frames.chunks)

    def buffered(self) -> int:
        return self._buffered

    @property
    def writable(self) -> bool:
        return self._buffered < MAX_WRITABLE_BYTES

    def pause_reading(self) -> None:
        """Who reads the messages stops by himself."""

    def resume_reading(self) -> None:
        """Who reads the messages goes on by himself."""

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
                    # They differ in what they raise for a socket that is gone; its end is told elsewhere.
                    logger.debug("not sent: %r", error)
                if self._buffered:
                    self._buffered -= len(item)
                if self.writable:
                    self._drained()


class AsgiTransport(OutboxTransport):
    """
    A WebSocket of any ASGI server.

    It has no way to leave a socket unread, what comes meanwhile waits in the server's queue; and none to drop
    a connection: the server does so when the application returns.
    """

    __slots__ = ("_send",)

    def __init__(self, send: AsgiSend) -> None:
        super().__init__()
        self._send = send

    async def deliver(self, chunk: Chunk) -> None:
        await self._send({"type": "websocket.send", "text" if isinstance(chunk, str) else "bytes": chunk})

    async def deliver_close(self, code: int, text: str) -> None:
        try:
            await self._send(_close_event(code, text))
        except Exception:
            # Plain Daphne refuses the codes that RFC 6455 (section 7.4.2) keeps for itself, also from a server.
            await self._send({"type": "websocket.close"})


def websocket_transport(scope: Mapping[str, Any], send: AsgiSend) -> FrameTransport | AsgiTransport:
    """The way out of a WebSocket of any ASGI server: its frames where it gives access to them."""
    sink = (scope.get("extensions") or {}).get("hubtalk.frames")
    return AsgiTransport(send) if sink is None else FrameTransport(sink, send)


def _close_event(code: int, text: str) -> MutableMapping[str, Any]:
    return {"type": "websocket.close", "code": code, "reason": text}


async def _send_close(send: AsgiSend, code: int, text: str) -> None:
    try:
        await send(_close_event(code, text))
    except Exception as error:
        logger.debug("not closed: %r", error)
