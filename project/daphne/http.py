"""Daphne's HTTP, with bounds: how large a request may be."""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web.http import HTTPChannel

from project.daphne import internals

LINGER_TIMEOUT = 2.0
"""Seconds for a client whose request was refused to read so, while it may go on sending (RFC 9112, section 9.6)."""

Refusal = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of an answer in place of the application's."""


class HubtalkRequest(WebRequest):
    def process(self) -> Any:
        # The root path is the site's to choose, and one that is not ASCII would be a fault of the server.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        return super().process()

    def gotLength(self, length: int | None) -> None:
        # Of an unknown length Twisted would make a file, however short it is.
        super().gotLength(self.channel.body_left if length is None else length)

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.takes(len(data)):
            super().handleContentChunk(data)

    def handle_exception(self, exception: BaseException) -> None:
        if internals.answer_has_begun(self) and not self.finished:
            # Half an answer was sent: only a broken connection tells the client so.
            internals.break_connection(self)
        else:
            super().handle_exception(exception)


class HubtalkChannel(HTTPChannel):
    """One connection, until it is that of a WebSocket."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self.body_left = 0
        """Bytes that may still come of the body."""
        self._linger: asyncio.TimerHandle | None = None
        """Set once a request was refused."""

    def connectionLost(self, reason: Any) -> None:
        if self._linger is not None:
            self._linger.cancel()
        super().connectionLost(reason)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer in place of the application, and read on only so that the client gets to read it."""
        method, target = internals.request_line(self)
        headers, body = self.factory.server.refusal(path_of(target), status)
        length = (b"content-length", b"%d" % len(body))
        self._linger = asyncio.get_running_loop().call_later(LINGER_TIMEOUT, self._abort)
        code, reason = b"%d" % status, status.phrase.encode()
        self.writeHeaders(b"HTTP/1.1", code, reason, [*headers, length, (b"connection", b"close")])
        if method != b"HEAD":
            self.write(body)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._linger is None:
            super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        _, target = internals.request_line(self)
        self.body_left = self.factory.server.max_body_bytes(path_of(target))
        if self.length is not None and self.length > self.body_left:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            super().allHeadersReceived()

    def takes(self, size: int) -> bool:
        """Count bytes of the body; returns whether they are part of a request that is not refused."""
        self.body_left -= size
        if self.body_left < 0 and self._linger is None:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._linger is None

    def rawDataReceived(self, data: bytes) -> None:
        if self._linger is None:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        if self._linger is None:
            super().allContentReceived()

    def _abort(self) -> None:
        self.transport.abortConnection()


class HubtalkHTTPFactory(HTTPFactory):
    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.protocol = HubtalkChannel

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        # Django reads forms. Twisted would too, on the loop, and refuse those that it cannot read in its own way.
        protocol.requestFactory = partial(HubtalkRequest, parsePOSTFormSubmission=False)
        return protocol


def path_of(target: bytes) -> str:
    """The path in a request's target, as applications see it."""
    return unquote(target.split(b"?", 1)[0].decode("ascii", "replace"))


def no_body(path: str) -> int:
    """How long a body may be, where the server is not told."""
    return 0


def bare_refusal(path: str, status: HTTPStatus) -> Refusal:
    """What stands beside a status, where the server is not told."""
    return [], b""
