"""A byte stream (TCP, TLS, a unix socket) as a peer's transport."""

import asyncio
import socket
from collections.abc import Callable, Sequence

from rpc.admission import Place
from rpc.limits import Limits
from rpc.peer.peer import Peer
from rpc.peer.prepared import Prepared
from rpc.peer.transport import MAX_WRITABLE_BYTES, SEND_BUFFER_BYTES, Spawn
from rpc.protocol.session import Chunk
from rpc.transports.kernel import unacknowledged

KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_PROBES = 60, 15, 4
"""Seconds of silence before TCP asks whether the other host is there, between probes, and their number."""


class SocketTransport(asyncio.Protocol):
    """
    One socket: given to `loop.create_connection` and the like, then run with a peer.

    A remote that has closed its side may still read: its requests are answered first.

    Args:
        accepted: of a server, called with each socket that it accepts; None: this side connects.
    """

    framed = False
    joined = True

    _transport: asyncio.Transport
    _receive: Callable[[bytes], None]
    _drained: Callable[[], None]
    _filled: Callable[[], None]

    def __init__(self, accepted: Callable[["SocketTransport"], None] | None = None) -> None:
        self.connects = accepted is None
        self._accepted = accepted
        self._over = asyncio.Event()
        """Nothing more will come."""
        self._lost = False
        self.place: Place | None = None
        """Of a server's connection, set when it is taken."""
        self._aborting: asyncio.TimerHandle | None = None
        self.writable = True

    async def run(self, peer: Peer, limits: Limits, opened: Callable[[], None] = lambda: None) -> None:
        """Hold the peer open until the connection is over; `opened` is called once it can be used."""
        try:
            async with peer:
                await peer.open()
                opened()
                self._receive = peer.receive
                self._transport.resume_reading()
                await self._over.wait()
                if not self._lost:
                    await peer.finish(limits.request_timeout)
                await peer.hear_out()
        finally:
            self._transport.close()
            if not self._lost:
                # What is left is still sent, but a remote that does not read must not keep the socket.
                loop = asyncio.get_running_loop()
                self._aborting = loop.call_later(limits.close_timeout, self._transport.abort)

    # --- what asyncio calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=MAX_WRITABLE_BYTES)
        # Until somebody listens.
        transport.pause_reading()
        set_options(transport)
        if self._accepted is not None:
            self._accepted(self)

    def data_received(self, data: bytes) -> None:
        self._receive(data)

    def eof_received(self) -> bool:
        self._over.set()
        # TLS has no half-closed state (RFC 8446, section 6.1, allows it; asyncio does not).
        return self._transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._over.set()
        if self.place is not None:
            self.place.leave()
        if self._aborting is not None:
            self._aborting.cancel()

    def pause_writing(self) -> None:
        self.writable = False
        self._filled()

    def resume_writing(self) -> None:
        self.writable = True
        self._drained()

    # --- what the peer calls -------------------------------------------------------------------------------

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._drained = drained
        self._filled = filled

    def write(self, chunks: Sequence[Chunk]) -> int:
        return self._write(b"".join([chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]))

    def write_prepared(self, prepared: Prepared) -> int:
        return self._write(prepared.stream)

    def _write(self, data: bytes) -> int:
        if not self._transport.is_closing():
            self._transport.write(data)
        return len(data)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def unread(self) -> int:
        return self.buffered() + unacknowledged(self._transport.get_extra_info("socket"))

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def keep(self, size: int) -> None:
        if self.place is not None:
            self.place.keep(size)

    def close(self, code: int, text: str) -> None:
        # Go peers see `f` only when the end of the stream follows it.
        if self._transport.is_closing():
            return
        try:
            if self._transport.can_write_eof():
                self._transport.write_eof()
                self._transport.resume_reading()
                return
        except OSError:
            pass  # The remote has reset the connection a moment ago.
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # --- what the server calls -----------------------------------------------------------------------------

    def refuse(self, data: bytes) -> None:
        """Send `data` and close."""
        self._transport.write(data)
        self._transport.close()

    @property
    def client(self) -> tuple[str, int] | None:
        """Host and port of the remote; None for a unix socket."""
        name = self._transport.get_extra_info("peername")
        return (name[0], name[1]) if isinstance(name, tuple) else None


def set_options(transport: asyncio.BaseTransport) -> None:
    """Bound what the kernel buffers, and let TCP notice a host that is gone without a word."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if connection.family == socket.AF_UNIX:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
    ):
        if hasattr(socket, option):  # macOS has other names
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
