"""A WebSocket of a server as a peer's transport: by prebuilt frames, or by the messages of ASGI."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from rpc.peer.prepared import Frames, Prepared
from rpc.peer.transport import Spawn
from rpc.protocol.frames import joined_frames, split_frames
from rpc.protocol.session import Chunk
from rpc.transports.outbox import OutboxTransport

logger = logging.getLogger(__name__)

AsgiSend = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class FrameSink(Protocol):
    """
    A server's socket of one WebSocket, which takes frames that are built already.

    Found in the ASGI scope as `extensions["hubtalk.frames"]`.
    """

    @property
    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""

    @property
    def unread(self) -> int:
        """The same, and those that the kernel keeps until the peer's host has them."""

    @property
    def writable(self) -> bool:
        """Whether few bytes are buffered."""

    def watch(self, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        """Call `filled` when `writable` becomes false, and `drained` when it is true again."""

    def pause_reading(self) -> None:
        """Read no more from the socket."""

    def resume_reading(self) -> None:
        """Read again."""

    def keep(self, size: int) -> None:
        """As `rpc.peer.transport.Transport.keep`."""

    def write(self, frame: bytes) -> None:
        """Send one or more whole, unmasked frames. Ignored when the socket is closed."""

    def abort(self) -> None:
        """Drop the connection, and what is buffered."""


class FrameTransport:
    """A WebSocket of a server that gives access to its frames: nothing is encoded or copied twice."""

    connects = False
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
        """The same for WebSocket messages of other protocols."""
        self._sink.write(frames.split_frames)
        return len(frames.split_frames)

    def buffered(self) -> int:
        return self._sink.buffered

    def unread(self) -> int:
        return self._sink.unread

    @property
    def writable(self) -> bool:
        return self._sink.writable

    def pause_reading(self) -> None:
        self._sink.pause_reading()

    def resume_reading(self) -> None:
        self._sink.resume_reading()

    def keep(self, size: int) -> None:
        self._sink.keep(size)

    def close(self, code: int, text: str) -> None:
        # Through the server, which must know: it waits for the remote's close frame.
        self._spawn(_send_close(self._send, code, text))

    def abort(self) -> None:
        self._sink.abort()


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


def accept_event(scope: Mapping[str, Any], known: Collection[str]) -> MutableMapping[str, Any]:
    """
    The event that accepts a WebSocket: with the first subprotocol that its client names and that is `known`, else
    with none (RFC 6455, section 4.2.2).
    """
    for name in scope.get("subprotocols") or ():
        if name in known:
            return {"type": "websocket.accept", "subprotocol": name}
    return {"type": "websocket.accept"}


def _close_event(code: int, text: str) -> MutableMapping[str, Any]:
    return {"type": "websocket.close", "code": code, "reason": text}


async def _send_close(send: AsgiSend, code: int, text: str) -> None:
    try:
        await send(_close_event(code, text))
    except Exception as error:
        logger.debug("not closed: %r", error)
