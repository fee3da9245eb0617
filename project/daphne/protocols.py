"""
Daphne's WebSockets, hardened: a fault in one connection affects no other, and close codes arrive.

docs/architecture.md says what each override is for.
"""

import asyncio
import logging
from functools import partial
from typing import Any

from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from project.daphne import internals
from project.daphne.closing import Closing, may_be_sent
from project.daphne.frames import SocketFrames
from project.daphne.pace import SMALL_BYTES
from rpc.admission import Place
from rpc.close_codes import CloseCode

logger = logging.getLogger(__name__)

MAX_EARLY_BYTES = 64 * 1024
"""That a client may send before its handshake is answered."""


class HubtalkWebSocket(WebSocketProtocol):
    """
    When the client closes, or breaks the protocol, nothing more is read. The application takes what was read and
    then hears of the end. Once it has returned, all is answered that will be, and the close is sent.
    """

    place: Place
    """Of its connection."""
    frames: SocketFrames
    application: asyncio.Future[None]
    """Both set when its application is made."""
    _closing: Closing | None = None
    """Once the client has ended the conversation."""

    def connectionMade(self) -> None:
        self.place = self.factory.server_class.places[self.transport]
        self.place.ends_by(self._make_room)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        self.factory.server_class.leave(self.transport)
        super().connectionLost(reason)

    def onOpen(self) -> None:
        self.factory.server_class.end_handshake(self.transport)
        super().onOpen()

    def onConnect(self, request: Any) -> Any:
        if not all(map(str.isascii, internals.named_subprotocols(self))):
            raise ConnectionDeny(ConnectionDeny.BAD_REQUEST, "the name of a subprotocol is in ASCII")
        return super().onConnect(request)

    def consumeData(self) -> None:
        super().consumeData()
        if internals.is_connecting(self):
            # Nobody has a reason to say much before it is let in.
            if internals.buffered(self) > MAX_EARLY_BYTES:
                self.transport.abortConnection()
        elif self._closing is not None:
            self.frames.arriving(0)
            self._closing.drop(internals.forget_buffered(self))
        # A handshake that was refused has no frames.
        elif not internals.is_closed(self):
            self.frames.arriving(internals.unfinished_of_message(self))

    def processData(self) -> bool:
        # One read may bring more messages than may wait.
        if self.ending or self.frames.pace.paused or (self.frames.inbox.full and internals.is_open(self)):
            return False
        return bool(super().processData())

    def onFrameBegin(self) -> None:
        super().onFrameBegin()
        if internals.brings_little(self, SMALL_BYTES):
            self.frames.pace.count()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # Messages after our close are ignored.
        if internals.is_open(self):
            super().onMessage(payload, isBinary)

    def onAutoPingTimeout(self) -> None:
        if self.frames.reading and not self.ending:
            super().onAutoPingTimeout()
        else:
            # The pong may have arrived, and is not read.
            internals.forget_missing_pong(self)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and internals.is_open(self):
            self.say_close(message.get("code") or CloseCode.NORMAL, message.get("reason") or "")
        else:
            super().handle_reply(message)

    def say_close(self, code: int | None, reason: str) -> None:
        """Send a close frame, unless one was sent, and read on for the peer's."""
        internals.send_close_frame(self, code, reason)
        self.frames.read_to_the_end()

    def serverSend(self, content: Any, binary: bool = False) -> None:
        if internals.is_open(self):
            super().serverSend(content, binary)

    def handle_exception(self, exception: BaseException) -> None:
        if internals.is_connecting(self) and internals.handshake_is_answered(self):
            # An accept failed half-way, such as one with a subprotocol that was not offered.
            self.transport.abortConnection()
        else:
            super().handle_exception(exception)

    # --- the end -------------------------------------------------------------------------------------------

    @property
    def ending(self) -> bool:
        """Whether the client has ended the conversation; what it said before may still be answered."""
        return self._closing is not None

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        internals.forget_close_deadline(self)
        super().onClose(wasClean, code, reason)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool:
        if code is not None and not may_be_sent(code):
            self._fail_connection(CloseCode.PROTOCOL_ERROR, f"{code} is not a close code")
            return True
        try:
            self._end(code, (reasonRaw or b"").decode())
        except UnicodeDecodeError:
            self._fail_connection(CloseCode.NOT_UTF8, "the reason of a close must be UTF-8")
        return True

    def _fail_connection(self, code: int = CloseCode.PROTOCOL_ERROR, reason: str = "") -> None:
        # Autobahn would drop the connection.
        logger.info("failing a WebSocket with %d: %s", code, reason)
        self._end(code, reason)

    def _make_room(self) -> None:
        self._fail_connection(CloseCode.TOO_FAST, "too much of unfinished messages")

    def _end(self, code: int | None, reason: str) -> None:
        if self.ending:
            return
        told = CloseCode.NO_CODE if code is None else code
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": told, "reason": reason})
        rest = internals.unprocessed_of_frame(self)
        internals.forget_message(self)
        say_close = partial(self.say_close, code, reason)
        self._closing = Closing(self.application, rest, say_close, self.frames.end_writing)


class HubtalkWebSocketFactory(WebSocketFactory):
    protocol = HubtalkWebSocket
