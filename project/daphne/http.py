"""
Daphne's HTTP, with bounds: how long each part of a request may take, how large it may be, and how much of a
connection waits in memory.

A connection rests until a request begins; then its head comes, then its body, then it is answered, and the
connection rests again. Each of these has a deadline of its own, and no byte that trickles in moves it. While an
answer is not taken, the application that sends it waits, and so do the requests behind it.
"""

import asyncio
import socket
from collections.abc import Iterable
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web.http import NO_BODY_CODES, HTTPChannel

from project.daphne import internals
from rpc.admission import NoRoom, Place
from rpc.peer.backlog import Backlog
from rpc.peer.transport import SEND_BUFFER_BYTES
from rpc.transports.kernel import unacknowledged

HEAD_TIMEOUT = 10.0
"""Seconds for the head of a request, and for its first byte on a new connection."""
BODY_TIMEOUT = 30.0
"""Seconds for the body, for each `BODY_UNIT` of it that may come."""
BODY_UNIT = 64 * 1024
"""Bytes."""
ANSWER_TIMEOUT = 60.0
"""Seconds for the application to begin its answer."""
REST_TIMEOUT = 60.0
"""Seconds from an answer to the next request."""
LINGER_TIMEOUT = 2.0
"""Seconds for a client whose request was refused to read so, while it may go on sending (RFC 9112, section 9.6)."""
MAX_AHEAD_BYTES = 16 * 1024
"""Read of further requests while one is answered, beside what one read brings; beyond that nothing is read."""
MAX_TURNED_AWAY = 64
"""Connections for which there is no room and that are told so; more of them are closed without a word."""


Refusal = tuple[list[tuple[bytes, bytes]], bytes]
"""Headers and body of an answer in place of the application's."""


class Phase(Enum):
    RESTING = auto()
    HEAD = auto()
    BODY = auto()
    ANSWERING = auto()
    CLOSING = auto()


class HubtalkRequest(WebRequest):
    def process(self) -> Any:
        # The root path is the site's to choose, and one that is not ASCII would be a fault of the server.
        self.requestHeaders.removeHeader(b"Daphne-Root-Path")
        if self.requestHeaders.getRawHeaders(b"Upgrade", (b"",))[0].lower() != b"websocket":
            return super().process()
        # A proxy's connection is now one client's own. With requests it carries those of many.
        forwarded = b",".join(self.requestHeaders.getRawHeaders(b"X-Forwarded-For", ()))
        if self.channel.is_admitted(forwarded.decode("latin-1")):
            channel, transport, shake_hands = self.channel, self.transport, super().process
            self.server.begin_handshake(transport, lambda: None if channel.is_over else shake_hands())
        return None

    def gotLength(self, length: int | None) -> None:
        # Of an unknown length Twisted would make a file, however short it is.
        super().gotLength(self.channel.body_left if length is None else length)

    def handleContentChunk(self, data: bytes) -> None:
        if self.channel.takes(len(data)):
            super().handleContentChunk(data)

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and (self.method == b"HEAD" or self.code in NO_BODY_CODES):
            # Of several pieces Daphne writes all but the first, and clients take them for the next answer.
            message = {**message, "body": b""}
        super().handle_reply(message)

    async def taken(self) -> None:
        """Wait until the client has taken most of what was written, or is gone."""
        if not self.finished and self.channel is not None:
            await self.channel.writable.wait()

    def check_timeouts(self) -> None:
        if internals.answer_has_begun(self) or self.duration() <= ANSWER_TIMEOUT:
            return
        status = HTTPStatus.SERVICE_UNAVAILABLE
        headers, body = self.server.refusal(path_of(self.uri), status)
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": body})

    def handle_exception(self, exception: BaseException) -> None:
        if internals.answer_has_begun(self) and not self.finished:
            # Half an answer was sent: only a broken connection tells the client so.
            internals.break_connection(self)
        else:
            super().handle_exception(exception)


class HubtalkChannel(HTTPChannel):
    """One connection, until it is that of a WebSocket."""

    place: Place | None = None
    no_room: NoRoom | None = None
    """Either of them is set when it is made."""

    def connectionMade(self) -> None:
        super().connectionMade()
        self._kernel = kernel = internals.kernel_socket(self.transport)
        if kernel is not None:
            # Whether the client reads shows only once this is full.
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.body_left = 0
        """Bytes that may still come of the body."""
        self.writable = asyncio.Event()
        """Whether the client keeps up with what is written."""
        self.writable.set()
        self._loop = asyncio.get_running_loop()
        self._backlog = Backlog(self, self.factory.server.limits, self._abort)
        self._deadline: asyncio.TimerHandle | None = None
        self._enter(Phase.RESTING, HEAD_TIMEOUT)
        if self.no_room is not None:
            self._turn_away(self.no_room)
        else:
            self.factory.server.places[self.transport] = self.place

    def connectionLost(self, reason: Any) -> None:
        self._enter(Phase.CLOSING)
        if self.no_room is not None:
            self.factory.turned_away -= 1
        self.factory.server.leave(self.transport)
        self._backlog.stop()
        self.writable.set()
        super().connectionLost(reason)

    def refuse(self, status: HTTPStatus) -> None:
        """Answer in place of the application, and read on only so that the client gets to read it."""
        # Of what it has read already, Twisted would go on to take the lines.
        self.clearLineBuffer()
        method, target = internals.request_line(self)
        headers, body = self.factory.server.refusal(path_of(target), status)
        length = (b"content-length", b"%d" % len(body))
        self._enter(Phase.CLOSING, LINGER_TIMEOUT)
        code, reason = b"%d" % status, status.phrase.encode()
        self.writeHeaders(b"HTTP/1.1", code, reason, [*headers, length, (b"connection", b"close")])
        if method != b"HEAD":
            self.write(body)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    @property
    def is_over(self) -> bool:
        """Whether no answer can be given any more."""
        return self._phase is Phase.CLOSING

    def is_admitted(self, forwarded_for: str) -> bool:
        """Count the connection for the client that a proxy names, if there is room for it; else refuse it."""
        address = self.factory.server.real_address(self.transport.getPeer().host, forwarded_for)
        try:
            self.place.move_to(address)
        except NoRoom as no_room:
            self._turn_away(no_room)
            return False
        return True

    def _turn_away(self, no_room: NoRoom) -> None:
        self.refuse(HTTPStatus.SERVICE_UNAVAILABLE if no_room.at_all else HTTPStatus.TOO_MANY_REQUESTS)

    # --- from rest to rest ---------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        if self._phase is Phase.CLOSING:
            return
        if self._phase is Phase.RESTING and data and not self.paused:
            self._enter(Phase.HEAD, HEAD_TIMEOUT)
        super().dataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _respondToBadRequestAndDisconnect(self) -> None:
        too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self.refuse(too_large if internals.head_is_too_large(self) else HTTPStatus.BAD_REQUEST)

    def allHeadersReceived(self) -> None:
        _, target = internals.request_line(self)
        self.body_left = self.factory.server.max_body_bytes(path_of(target))
        expected = self.body_left if self.length is None else self.length
        if expected > self.body_left:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._enter(Phase.BODY, BODY_TIMEOUT * max(1, expected / BODY_UNIT))
            super().allHeadersReceived()

    def takes(self, size: int) -> bool:
        """Count bytes of the body; returns whether they are part of a request that is not refused."""
        self.body_left -= size
        if self.body_left < 0 and self._phase is Phase.BODY:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._phase is Phase.BODY

    def rawDataReceived(self, data: bytes) -> None:
        if self._phase is Phase.CLOSING:
            return
        super().rawDataReceived(data)
        if self._phase is Phase.ANSWERING and internals.read_ahead(self) > MAX_AHEAD_BYTES:
            # Twisted forgets to, while an answer is not taken.
            self.transport.pauseProducing()

    def allContentReceived(self) -> None:
        if self._phase is not Phase.CLOSING:
            self._enter(Phase.ANSWERING)
            super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._enter(Phase.RESTING, REST_TIMEOUT)
        self._backlog.watch()
        if not self.writable.is_set():
            # The next request waits until this answer is taken, and nothing is read behind it.
            self.paused = True
            self.transport.pauseProducing()
        super().requestDone(request)

    def _enter(self, phase: Phase, timeout: float | None = None) -> None:
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if timeout is None else self._loop.call_later(timeout, self._expire)

    def _expire(self) -> None:
        match self._phase:
            case Phase.HEAD | Phase.BODY:
                self.refuse(HTTPStatus.REQUEST_TIMEOUT)
            case Phase.RESTING:
                # What waits is still written: whether it is taken, the backlog watches.
                self.loseConnection()
            case Phase.CLOSING:
                self._abort()

    def _abort(self) -> None:
        self.transport.abortConnection()

    # --- what is written, and taken ------------------------------------------------------------------------

    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return internals.unsent(self.transport)

    def unread(self) -> int:
        """The same, and those that the kernel keeps until the client's host has them."""
        return self.buffered() + (0 if self._kernel is None else unacknowledged(self._kernel))

    def write(self, data: bytes) -> None:
        self._backlog.written += len(data)
        super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        pieces = list(iovec)
        self._backlog.written += sum(map(len, pieces))
        super().writeSequence(pieces)

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        before = self.buffered()
        super().writeHeaders(version, code, reason, headers)
        self._backlog.written += self.buffered() - before

    def pauseProducing(self) -> None:
        self.writable.clear()
        self._backlog.watch()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self.writable.set()
        super().resumeProducing()
        if self.paused:
            self.paused = False
            self.dataReceived(self.clearLineBuffer())


class HubtalkHTTPFactory(HTTPFactory):
    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.protocol = HubtalkChannel
        # The channel has deadlines of its own.
        self.timeOut = None
        self.turned_away = 0
        """Connections that read that there is no room for them."""

    def buildProtocol(self, addr: Any) -> Any:
        place, no_room = None, None
        try:
            place = self.server.admission.enter(addr.host)
        except NoRoom as error:
            if self.turned_away >= MAX_TURNED_AWAY:
                # Twisted closes it.
                return None
            no_room = error
            self.turned_away += 1
        protocol = super().buildProtocol(addr)
        protocol.place, protocol.no_room = place, no_room
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


def own_address(peer: str, forwarded_for: str) -> str:
    """The address of a client, where no proxy is trusted."""
    return peer
