"""A connection's socket, for whoever has a whole WebSocket frame to send."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from project.daphne.inbox import Inbox
from rpc.peer.transport import SEND_BUFFER_BYTES


class SocketFrames:
    """
    Writes prebuilt frames past Daphne's and Autobahn's layers (the `FrameSink` of
    `rpc.transports.websocket_server`), and is the push producer of Twisted's transport, which so says when it
    is full.

    On plain TCP a frame goes straight to the kernel when nothing waits before it; what the kernel does not
    take, and everything on other transports, goes through Twisted's buffer, which keeps the order.
    """

    __slots__ = ("_drained", "_filled", "_held", "_protocol", "_send", "_transport", "inbox", "writable")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        is_plain = hasattr(self._transport, "dataBuffer") and hasattr(self._transport, "socket")
        self._send = self._transport.socket.send if is_plain else None
        if is_plain:
            self._transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.writable = True
        self._held = False
        """The application wants nothing more to be read."""
        self.inbox = Inbox(self._transport.pauseProducing, self._has_room)

    def write(self, frame: bytes) -> None:
        if self._protocol.state != self._protocol.STATE_OPEN:
            return
        transport = self._transport
        if self._send is None or transport.dataBuffer or transport._tempDataBuffer:
            transport.write(frame)
            return
        try:
            sent = self._send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The peer is gone; Twisted finds out by itself when it writes, and tells the application.
            sent = 0
        if sent < len(frame):
            transport.write(frame[sent:])

    @property
    def buffered(self) -> int:
        transport = self._transport
        if self._send is None:
            return 0
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen

    def watch(self, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        self._drained = drained
        self._filled = filled
        # The HTTP channel still stands there from before the upgrade: its work is done.
        self._transport.unregisterProducer()
        self._transport.registerProducer(self, True)

    @property
    def reading(self) -> bool:
        return not self._held and not self.inbox.full

    def pause_reading(self) -> None:
        self._held = True
        self._transport.pauseProducing()

    def resume_reading(self) -> None:
        self._held = False
        self._read_on()

    def read_to_the_end(self) -> None:
        """Our close was sent: read past everything, up to that of the other end."""
        self._held = self.inbox.full = False
        self._read_on()

    def _has_room(self) -> None:
        # Not at once: the application stands in the middle of taking a message.
        asyncio.get_running_loop().call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.reading or self._protocol.state == self._protocol.STATE_CLOSED:
            return
        # First what was read from the socket, and not looked at, before reading stopped.
        self._protocol.consumeData()
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
        # The connection is lost, which its application hears elsewhere: who waits to write waits for nothing.
        self.resumeProducing()
