"""
Daphne's requests and WebSockets, hardened: one connection's trouble stays its own, and a close code arrives.

What the stock classes lack, and what each override is for, stands in docs/architecture.md.
"""

import time
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from project.daphne import internals
from project.daphne.frames import SocketFrames
from rpc.close_codes import CloseCode

CLOSED_GRACE = 5.0
"""Seconds that a closed WebSocket may take to vanish: a peer that stops reading could stay for ever."""


class HubtalkRequest(WebRequest):
    def handle_exception(self, exception: BaseException) -> None:
        if internals.answer_has_begun(self) and not self.finished:
            # Half an answer went out: only a broken connection tells the client so.
            internals.break_connection(self)
        else:
            super().handle_exception(exception)


class HubtalkHTTPFactory(HTTPFactory):
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = HubtalkRequest
        return protocol


class HubtalkWebSocket(WebSocketProtocol):
    frames: SocketFrames
    """Set as soon as an application serves it."""
    _closed_since: float | None = None

    def processData(self) -> bool:
        # What was read at once may hold more messages than may wait.
        if self.frames.inbox.full and internals.is_open(self):
            return False
        return bool(super().processData())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # After our close nothing counts any more.
        if internals.is_open(self):
            super().onMessage(payload, isBinary)

    def onAutoPingTimeout(self) -> None:
        if self.frames.reading:
            super().onAutoPingTimeout()
        else:
            # The pong may have come: it is us who do not look.
            internals.forget_missing_pong(self)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and internals.is_open(self):
            self.say_close(message.get("code") or CloseCode.NORMAL, message.get("reason") or "")
        else:
            super().handle_reply(message)

    def say_close(self, code: int, reason: str) -> None:
        """Send a close frame, unless one was sent, and read on for the peer's."""
        internals.send_close_frame(self, code, reason)
        self.frames.read_to_the_end()

    def serverSend(self, content: Any, binary: bool = False) -> None:
        if internals.is_open(self):
            super().serverSend(content, binary)

    def handle_exception(self, exception: BaseException) -> None:
        if internals.is_connecting(self) and internals.handshake_is_answered(self):
            # An accept that failed half-way, such as with a subprotocol that was not offered.
            self.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def dropConnection(self, abort: bool = False) -> None:
        # After a clean close nothing may be thrown away: our own close frame may still wait to be written.
        super().dropConnection(abort=abort and not internals.closes_were_exchanged(self))

    def check_timeouts(self) -> None:
        super().check_timeouts()
        if not internals.is_closed(self):
            return
        now = time.monotonic()
        if self._closed_since is None:
            self._closed_since = now
        elif now - self._closed_since > CLOSED_GRACE:
            self.transport.abortConnection()


class HubtalkWebSocketFactory(WebSocketFactory):
    protocol = HubtalkWebSocket
