"""
Daphne's requests and WebSockets, hardened: a fault in one connection affects no other, and close codes arrive.

docs/architecture.md says what each override is for.
"""

import time
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from project.daphne import internals
from project.daphne.frames import SocketFrames
from rpc.close_codes import CloseCode

CLOSED_GRACE = 5.0
"""Seconds for a closed WebSocket to disconnect: a peer that does not read could stay for ever."""


class HubtalkRequest(WebRequest):
    def handle_exception(self, exception: BaseException) -> None:
        if internals.answer_has_begun(self) and not self.finished:
            # Half an answer was sent: only a broken connection tells the client so.
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
    """Set when its application is made."""
    _closed_since: float | None = None

    def processData(self) -> bool:
        # One read may bring more messages than may wait.
        if self.frames.inbox.full and internals.is_open(self):
            return False
        return bool(super().processData())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # Messages after our close are ignored.
        if internals.is_open(self):
            super().onMessage(payload, isBinary)

    def onAutoPingTimeout(self) -> None:
        if self.frames.reading:
            super().onAutoPingTimeout()
        else:
            # The pong may have arrived: reading is paused.
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
            # An accept failed half-way, such as one with a subprotocol that was not offered.
            self.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def dropConnection(self, abort: bool = False) -> None:
        # After a clean close nothing may be discarded: our own close frame may still wait to be written.
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
