"""Gives applications access to a WebSocket's socket, for frames that are built already."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from project.daphne import internals
from project.daphne.inbox import Inbox
from project.daphne.pace import FramePace
from rpc.admission import Place
from rpc.limits import Limits
from rpc.peer.transport import SEND_BUFFER_BYTES
from rpc.transports.kernel import unacknowledged


class SocketFrames(internals.FrameWriter):
    """
    One WebSocket of our server, as `rpc.transports.websocket_server.FrameSink`: it writes whole frames, and reads
    only while its application keeps up.

    Twisted sees it as the push producer of the connection's transport, and tells it when the buffer is full.
    """

    __slots__ = (
        "_drained",
        "_filled",
        "_held",
        "_kept_by_application",
        "_kernel",
        "_place",
        "_unfinished",
        "inbox",
        "pace",
        "writable",
    )

    def __init__(self, protocol: Any, place: Place, limits: Limits) -> None:
        self._kernel = kernel = internals.kernel_socket(protocol.transport)
        super().__init__(protocol, kernel)
        if kernel is not None:
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.writable = True
        self._held = False
        """The application has paused reading."""
        self._drained = self._filled = _nobody
        self.inbox = Inbox(self._transport.pauseProducing, self._has_room)
        self.pace = FramePace(limits, self._transport.pauseProducing, self._read_on)
        self._place = place
        self._unfinished = self._kept_by_application = 0
        """Bytes of what has begun to arrive: of a WebSocket message, and of what an application makes of many."""

    def watch(self, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._drained = drained
        self._filled = filled
        # The HTTP channel is still registered from before the upgrade.
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)

    @property
    def unread(self) -> int:
        return self.buffered + (0 if self._kernel is None else unacknowledged(self._kernel))

    @property
    def reading(self) -> bool:
        return not self._held and not self.inbox.full and not self.pace.paused

    def arriving(self, size: int) -> None:
        """So many bytes of an unfinished WebSocket message wait."""
        if size != self._unfinished:
            self._unfinished = size
            self._place.keep(size + self._kept_by_application)

    def keep(self, size: int) -> None:
        if size != self._kept_by_application:
            self._kept_by_application = size
            self._place.keep(size + self._unfinished)

    def pause_reading(self) -> None:
        self._held = True
        self._transport.pauseProducing()

    def resume_reading(self) -> None:
        self._held = False
        self._read_on()

    def read_to_the_end(self) -> None:
        """Our close was sent: read past everything, up to the peer's."""
        self._held = self.inbox.full = False
        self._read_on()

    def end_writing(self) -> None:
        """
        Send a FIN behind our close, and read on for the peer's: if the socket were closed while more comes in, it
        would be reset, and what was sent would be lost (RFC 6455, section 7.1.1).
        """
        if internals.is_closed(self._protocol):
            return
        # Twisted sends no FIN while a producer might write.
        self._transport.unregisterProducer()
        self.stopProducing()
        self._transport.loseWriteConnection()

    def _has_room(self) -> None:
        # Not at once: the application is in the middle of taking a message.
        asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.reading or internals.is_closed(self._protocol):
            return
        # First the bytes that were read from the socket before reading paused.
        internals.read_buffered(self._protocol)
        if self.reading:
            self._transport.resumeProducing()

    def abort(self) -> None:
        self._transport.abortConnection()

    # --- what Twisted calls --------------------------------------------------------------------------------

    def pauseProducing(self) -> None:
        self.writable = False
        self._filled()

    def resumeProducing(self) -> None:
        self.writable = True
        self._drained()

    def stopProducing(self) -> None:
        # The connection is lost, as its application is told elsewhere: nobody may go on waiting to write.
        self.resumeProducing()


def _nobody() -> None:
    """Is told of a full buffer until `watch` says who."""
