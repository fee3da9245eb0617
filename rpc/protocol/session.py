"""
One connection's protocol without I/O: no socket, no task, no clock, no randomness.

Bytes go in with `receive_data(data, now)`; `next_event()` then returns, one after the other, what the
application must know: requests to answer, notifications, answers to its own requests, cancelled ids.
The session takes care of everything else: the version, `$hello` and what it switches on, ids in
flight, limits, heartbeats. `data_to_send()` returns what there is to send: each chunk is one
WebSocket message (bytes: binary, str: text) that a byte stream joins, and none is ever empty.

Both peers send the version at once. The one that connects says `$hello` right behind it, the other one answers
with its own: so a stock peer that connects hears of no `$hello`. Until the remote's is there it counts as a stock
peer, and never gets what stock peers cannot do.

Time is an argument: call `handle_timer()` when `next_deadline()` has come. When `ended` is set the
connection is over: send what is left, then close with its code. Events are pulled one by one, so what a
handler answers at once is sent before what the rest of the same bytes cause, however they were cut.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from rpc.close_codes import CloseCode
from rpc.errors import (
    ConnectionClosed,
    LocalProtocolError,
    MessageTooBig,
    OperationError,
    RemoteProtocolError,
    RetryLater,
)
from rpc.limits import CHUNK_COST, Limits, TokenBucket
from rpc.messages import (
    ErrorResult,
    Fault,
    Heartbeat,
    Message,
    Notification,
    Request,
    Result,
    RetryResult,
    StreamPart,
    StreamRequest,
    StreamResult,
)
from rpc.protocol import extensions
from rpc.protocol.codec import (
    TIMED_OUT,
    UNSUPPORTED_VERSION,
    VERSION,
    Decoder,
    Oversized,
    encode,
    result_header,
)
from rpc.protocol.extensions import FEATURES
from rpc.protocol.payloads import UNREADABLE, refusal_payload

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_HALVES = [(high + low).encode() for high in _DIGITS for low in _DIGITS]
"""Ids of our requests count in base 36: text, as a stock browser peer wants."""

RESTART_MS = 1000
"""When to repeat a request to a peer that is about to close."""

MIN_RETRY_MS, MAX_RETRY_MS = 250, 10_000
"""The Go peer obeys any wait, so that 0 would be a hot loop and the largest 49 days."""

PATIENCE = 3
"""How many intervals of our heartbeats a remote that sends its own may be silent. Go peers send one every 20 s."""

Chunk = bytes | str
"""One WebSocket message: binary or text."""


class Cancelled(msgspec.Struct, frozen=True, gc=False):
    """A request in flight must not go on: it is to be refused with `reason` once its handler has ended."""

    id: bytes
    reason: OperationError


class Granted(msgspec.Struct, frozen=True, gc=False):
    """The remote has read parts of a stream: so much more may be sent, of its results or of its request."""

    id: bytes
    results: bool
    credit: int


class Announced(msgspec.Struct, frozen=True, gc=False):
    """The remote has said what it can do beyond a stock peer; `window` is its credit for each stream."""

    features: frozenset[str]
    window: int


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The connection is over: close it with `close_code`. `text` is for the log."""

    close_code: int
    text: str


AnyRequest = Request | StreamRequest

Answer = Result | ErrorResult | RetryResult | Oversized
"""What ends a request of ours; an `Oversized` stands for an answer over the limit."""

Control = Cancelled | Granted | Announced

Event = AnyRequest | Notification | Answer | StreamPart | StreamResult | Heartbeat | Control
"""Empty parts are ends: of a request stream (`StreamPart`), of a result (`StreamResult`)."""


class Session:
    """
    Args:
        limits: what the remote may use.
        now: seconds, of the clock that all later calls use.
        framed: whether chunks are WebSocket messages; else they are a byte stream.
        greets: whether to say `$hello` at once, as the side that connects does; else it answers the remote's.
        spread: 0 to 1, different for each connection: spreads what would otherwise happen at the same time.
    """

    __slots__ = (
        "_arriving",
        "_bytes",
        "_decoder",
        "_draining",
        "_fault",
        "_fault_due",
        "_framed",
        "_greets",
        "_heartbeat_at",
        "_in_flight",
        "_introduced",
        "_last_id",
        "_last_received",
        "_limits",
        "_messages",
        "_outgoing",
        "_refusal",
        "_remote_beats",
        "_sending",
        "_spread",
        "_started_at",
        "_version",
        "_waiting",
        "bytes_to_send",
        "ended",
        "features",
        "ignored",
    )

    def __init__(
        self, limits: Limits, now: float, *, framed: bool, greets: bool = False, spread: float = 0.0
    ) -> None:
        self._limits = limits
        self._framed = framed
        self._greets = greets
        self._spread = spread
        self._decoder = Decoder(limits.max_payload_bytes, framed=framed)
        self._bytes = TokenBucket(limits.bytes_per_second, limits.bytes_burst, now)
        self._messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now)
        self._version: bytes | None = b""
        """What came of the remote's version; None when it was read and is right."""
        self._started_at = self._last_received = now
        self._heartbeat_at = now + limits.heartbeat_interval
        self._remote_beats = False
        """Whether the remote has sent a heartbeat."""
        self._in_flight: dict[bytes, bool] = {}
        """Requests of the remote without an answer; whether their header was text."""
        self._arriving: set[bytes] = set()
        """Those of them whose parts have not ended."""
        self._waiting: set[bytes] = set()
        """Requests of ours without an answer."""
        self._sending: set[bytes] = set()
        """Those of them whose parts have not ended."""
        self._draining = False
        self._fault: RemoteProtocolError | None = None
        """What was wrong with what came: nothing more is read, and what was asked before is still answered."""
        self._fault_due = 0.0
        self._last_id = 0
        self._refusal: Ended | None = None
        """The end that waits for the remote's first words."""
        self._outgoing: list[Chunk] = [VERSION]
        self.bytes_to_send = 0
        """About how much `data_to_send` will return: each message counts as `CHUNK_COST` more than its payload."""
        if greets:
            self._say_hello()
        self._introduced = False
        """Whether the remote has said `$hello`."""
        self.features: frozenset[str] = frozenset()
        """What the remote announced of the features we know."""
        self.ignored = 0
        """Number of messages without a meaning: parts of unknown streams, answers to no request."""
        self.ended: Ended | None = None

    # --- what comes in -------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float, *, text: bool = False) -> None:
        """
        Take bytes of the remote; `text` says that they were a text WebSocket message.

        Afterwards pull `next_event()` until it returns None, before the next bytes.
        """
        if self.ended is not None or self._fault is not None:
            return
        self._last_received = now
        self._messages.refill(now)
        self._bytes.refill(now)
        self._bytes.tokens -= len(data) + CHUNK_COST
        if self._bytes.exhausted:
            self.close(CloseCode.TOO_FAST, "too fast")
            return
        if self._version is None:
            self._decoder.feed(data, text)
            return
        self._decoder.feed(self._read_version(data), text)
        if self._refusal is not None and self._version is None:
            # Our peers say `$hello` in one write with the version. Nothing else is taken any more.
            self.next_event()
            self.close(self._refusal.close_code, self._refusal.text)

    def reading_from(self, now: float) -> None:
        """The remote's bytes were not read before `now`: its deadlines begin here."""
        self._started_at = self._last_received = now
        self._heartbeat_at = now + self._limits.heartbeat_interval

    def still_alive(self, now: float) -> None:
        """At `now` the remote was not silent but unread: this side has held reading."""
        self._last_received = now

    def pause(self, now: float) -> float:
        """Seconds for which nothing more should be read: the remote has sent more bytes than it may."""
        if self._bytes.tokens >= 0:
            return 0.0
        self._bytes.refill(now)
        return self._bytes.wait

    @property
    def in_flight(self) -> int:
        """Number of requests of the remote without an answer."""
        return len(self._in_flight)

    @property
    def unfinished(self) -> int:
        """Bytes of a message that has begun to arrive."""
        return self._decoder.unfinished

    def awaits_parts(self, id: bytes) -> bool:
        """Whether more parts of a request in flight may come."""
        return id in self._arriving

    def drain(self) -> None:
        """From now on refuse new requests; those in flight are still to be answered."""
        self._draining = True

    def next_event(self) -> Event | None:
        """Returns what the application must know next; None when all bytes are read, or `ended` is set."""
        messages = self._messages
        while self.ended is None and self._fault is None:
            try:
                message = self._decoder.next_message()
            except RemoteProtocolError as error:
                self._fault = error
                self._fault_due = self._last_received + self._limits.close_timeout
                break
            if message is None:
                break
            kind = type(message)
            if kind in _ANSWERS and message.id in self._waiting:  # type: ignore[union-attr]
                self._give_back(message)
            elif kind is StreamPart or kind is StreamResult:
                # A stream is slowed down by its window; only what its parts cost counts.
                self._bytes.tokens -= CHUNK_COST
            else:
                messages.tokens -= 1
                if messages.exhausted:
                    self.close(CloseCode.TOO_FAST, "too fast")
                    break
            if kind is Request:
                event: Event | None = self._take_request(message)  # type: ignore[arg-type]
            else:
                event = _TAKE[kind](self, message)
            if event is not None:
                return event
        self._tell_fault()
        return None

    @property
    def is_broken(self) -> bool:
        """Whether the remote broke the protocol: it is told once its requests are answered, or time is up."""
        return self._fault is not None

    def _tell_fault(self) -> None:
        if self._fault is not None and not self._in_flight:
            self.fail(self._fault.code, self._fault.text)

    def _give_back(self, answer: Any) -> None:
        """An answer was asked for, and to ask is this side's to bound: it counts against no rate of the remote."""
        size = answer.size if type(answer) is Oversized else len(answer.payload)
        # Header and payload of a stock WebSocket peer come in two chunks.
        chunks = 2 if self._framed and "joined" not in self.features else 1
        self._bytes.tokens += size + chunks * CHUNK_COST

    def _read_version(self, data: bytes) -> bytes:
        already = self._version or b""
        missing = len(VERSION) - len(already)
        version = already + data[:missing]
        if not VERSION.startswith(version):
            self.fail(UNSUPPORTED_VERSION, "unsupported version")
        self._version = None if version == VERSION else version
        return data[missing:]

    def _take_request(self, request: AnyRequest) -> AnyRequest | None:
        id = request.id
        if id in self._in_flight:
            self._refuse(id, request.text, OperationError("this id is in use", "duplicate_id"))
        elif self._draining:
            self._defer(id, request.text, RetryLater(RESTART_MS, "restarting", "restarting"))
        elif self._messages.tokens < 0 or self._bytes.tokens < 0:
            wait = max(self._messages.wait, self._bytes.wait)
            self._defer(id, request.text, RetryLater(int(wait * 1000) + 1, "too fast", "too_fast"))
        elif len(self._in_flight) >= self._limits.max_requests_in_flight:
            busy = RetryLater(MIN_RETRY_MS, "too many requests in flight", "too_many_requests")
            self._defer(id, request.text, busy)
        else:
            self._in_flight[id] = request.text
            return request
        return None

    def _take_stream_request(self, request: StreamRequest) -> AnyRequest | None:
        taken = self._take_request(request)
        # A stock browser peer sends nothing behind an empty first part, which it takes for the end.
        is_whole = not request.payload and self._framed and not self.features
        if taken is not None and not is_whole:
            self._arriving.add(request.id)
        return taken

    def _take_stream_part(self, part: StreamPart) -> StreamPart | None:
        if part.id not in self._arriving:
            self.ignored += 1
            return None
        if not part.payload:
            self._arriving.discard(part.id)
        return part

    def _take_oversized(self, message: Oversized) -> Answer | Cancelled | None:
        limit = self._limits.max_payload_bytes
        too_large = OperationError(f"payload too large: {message.size} bytes, limit {limit}", "too_large")
        if message.kind in b"rs":
            self._refuse(message.id, message.text, too_large)
        elif message.kind in b"p" and message.id in self._arriving:
            self._arriving.discard(message.id)
            return Cancelled(message.id, too_large)
        elif message.kind in b"RSEe":
            if message.kind in b"S" and message.id in self._waiting:
                self.give_up(message.id)
                return message
            return self._take_answer(message)
        else:
            self.ignored += 1
        return None

    def _take_answer(self, answer: Answer) -> Answer | None:
        if answer.id not in self._waiting:
            self.ignored += 1
            return None
        self._forget(answer.id)
        return answer

    def _take_stream_result(self, part: StreamResult) -> StreamResult | None:
        if part.id not in self._waiting:
            self.ignored += 1
            return None
        if not part.payload:
            self._forget(part.id)
        return part

    def _forget(self, id: bytes) -> None:
        """A request of ours has its answer, which ends its own parts too."""
        self._waiting.discard(id)
        self._sending.discard(id)

    def _take_notification(self, notification: Notification) -> Notification | Control | None:
        if not notification.name.startswith("$"):
            return notification
        try:
            event = self._take_reserved(notification)
        except (*UNREADABLE, ValueError):
            event = None  # Its payload does not fit: it is ignored like an unknown reserved name.
        if event is None and self.ended is None:
            self.ignored += 1
        return event

    def _take_reserved(self, notification: Notification) -> Control | None:
        payload = notification.payload
        match notification.name:
            case "$hello" if not self._introduced:
                return self._take_hello(extensions.read_hello(payload))
            case "$cancel":
                id = extensions.read_id(extensions.read_cancel(payload).id)
                if id in self._in_flight:
                    return Cancelled(id, OperationError("cancelled", "cancelled"))
            case "$more":
                more = extensions.read_more(payload)
                id, results = extensions.read_id(more.id), more.of == "S"
                if id in (self._in_flight if results else self._sending):
                    # It is owed for parts of ours, so it counts as a part does.
                    self._messages.tokens += 1
                    self._bytes.tokens -= CHUNK_COST
                    return Granted(id, results, more.credit)
            case "$close" if not self._framed:
                close = extensions.read_close(payload)
                self.lost(close.code, close.text)
        return None

    def _take_hello(self, hello: extensions.Hello) -> Announced:
        self._introduced = True
        if not self._greets:
            self._say_hello()
        self.features = frozenset(hello.features).intersection(FEATURES)
        if "joined" in self.features:
            self._decoder.to_stream()
        return Announced(self.features, hello.window)

    def _say_hello(self) -> None:
        self._outgoing += encode(extensions.hello(self._limits.stream_window))

    def _take_heartbeat(self, heartbeat: Heartbeat) -> Heartbeat:
        self._remote_beats = True
        return heartbeat

    def _take_fault(self, fault: Fault) -> None:
        self.lost(CloseCode.FAULT + min(fault.code, TIMED_OUT), "the remote reported a protocol error")

    # --- what goes out -------------------------------------------------------------------------------------

    def data_to_send(self) -> list[Chunk]:
        """Returns what is to be sent, in order, and forgets it."""
        self._tell_fault()
        outgoing, self._outgoing = self._outgoing, []
        self.bytes_to_send = 0
        return outgoing

    @property
    def has_data_to_send(self) -> bool:
        return bool(self._outgoing)

    def answer(self, id: bytes, payload: bytes) -> None:
        """
        Answer a request in flight; nothing happens when there is none of that id, or no connection.

        Raises:
            MessageTooBig: the request is still in flight.
        """
        self._check_size(payload)
        text = self._answered(id)
        if text is None:
            return
        if text:
            self._push_answer(Result(id, payload), text)
            return
        outgoing = self._outgoing
        outgoing.append(result_header(id, len(payload)))
        if payload:
            outgoing.append(payload)
        self.bytes_to_send += len(payload) + CHUNK_COST

    def answer_part(self, id: bytes, payload: bytes) -> None:
        """
        Send a part of the answer to a request in flight; an empty one ends it.

        Raises:
            MessageTooBig: the request is still in flight.
        """
        self._check_size(payload)
        text = self._in_flight.get(id) if payload else self._answered(id)
        if text is not None and self.ended is None:
            self._push_answer(StreamResult(id, payload), text)

    def refuse(self, id: bytes, error: OperationError | RetryLater) -> None:
        """Answer a request in flight with an error, in the form that the remote understands."""
        text = self._answered(id)
        if text is None:
            return
        if isinstance(error, RetryLater):
            self._defer(id, text, error)
        else:
            self._refuse(id, text, error)

    def _answered(self, id: bytes) -> bool | None:
        """Take a request out of flight; returns whether its header was text, None if no answer can be sent."""
        self._arriving.discard(id)
        text = self._in_flight.pop(id, None)
        return text if self.ended is None else None

    def request(self, operation: str, payload: bytes) -> bytes:
        """
        Send a request; its `Answer`, or each `StreamResult`, comes as an event. Returns its id.

        Raises:
            ConnectionClosed, LocalProtocolError: nothing was sent.
        """
        id = self._new_id()
        self._push(Request(id, operation, payload))
        self._waiting.add(id)
        return id

    def stream(self, operation: str, payload: bytes) -> bytes:
        """
        The same for a request in parts, of which `payload` is the first, or none if it is empty.

        Raises:
            ConnectionClosed, LocalProtocolError: nothing was sent.
        """
        id = self._new_id()
        if not self.takes_streams:
            raise LocalProtocolError("the remote takes no stream requests")
        self._push(StreamRequest(id, operation, payload))
        self._waiting.add(id)
        self._sending.add(id)
        return id

    @property
    def takes_streams(self) -> bool:
        """Whether the remote may be sent a stream request: stock browser peers may not."""
        return not self._framed or "streams" in self.features

    def part(self, id: bytes, payload: bytes) -> None:
        """
        Send a part of a request of ours, the empty one as its end; nothing happens if it has ended.

        Raises:
            MessageTooBig: nothing was sent.
        """
        if id in self._sending and self.ended is None:
            self._push(StreamPart(id, payload))
            if not payload:
                self._sending.discard(id)

    def grant(self, id: bytes, credit: int, *, results: bool) -> None:
        """Let the remote send more parts: of the results of our request, or of its own request."""
        if self.ended is None and "flow" in self.features and id in (self._waiting if results else self._arriving):
            self._push(extensions.more(id, credit, results=results))

    def give_up(self, id: bytes) -> None:
        """No longer wait for the answer to a request of ours; the remote may stop working on it."""
        if self.ended is None:
            if "cancel" in self.features:
                self._push(extensions.cancel(id))
            elif id in self._sending:
                self._push(StreamPart(id, b""))
        self._forget(id)

    def _new_id(self) -> bytes:
        if self.ended is not None:
            raise self.closed_error()
        while True:
            self._last_id = (self._last_id + 1) % len(_ID_HALVES) ** 2
            high, low = divmod(self._last_id, len(_ID_HALVES))
            id = _ID_HALVES[high] + _ID_HALVES[low]
            if id not in self._waiting:
                return id

    def notify(self, name: str, payload: bytes) -> None:
        """
        Send a notification; nothing happens when the connection is over.

        Raises:
            LocalProtocolError: the name or the payload does not fit.
        """
        if self.ended is None:
            self._push(Notification(name, payload))

    def fail(self, code: int, text: str) -> None:
        """End the connection with a protocol error: `code`, 0 to 3, is sent to the remote."""
        if self.ended is None:
            self._push(Fault(code))
            self.lost(CloseCode.FAULT + code, text)

    def close(self, close_code: int, text: str) -> None:
        """
        End the connection: nothing is read or added to what there is to send any more.

        Where the remote connected with a byte stream and was not heard yet, the end waits for its first words, or
        for the handshake timeout: they tell whether it understands `$close`.
        """
        if self.ended is None and not self._framed:
            if self._version is not None and not self._greets:
                self._refusal = self._refusal or Ended(close_code, text)
                return
            if self._introduced:
                # A WebSocket's close frame says why, the end of a byte stream does not.
                self._push(extensions.close(close_code, text))
        self.lost(close_code, text)

    def lost(self, close_code: int, text: str) -> None:
        """The connection is gone, or the remote has closed it."""
        if self.ended is None:
            self.ended = Ended(close_code, text)

    def closed_error(self) -> ConnectionClosed:
        """The error of a request of ours that has no answer when the connection has ended."""
        return ConnectionClosed(self.ended.close_code, self.ended.text) if self.ended else ConnectionClosed()

    def _check_size(self, payload: bytes) -> None:
        if len(payload) > self._limits.max_payload_bytes:
            raise MessageTooBig(len(payload), self._limits.max_payload_bytes)

    def _push(self, message: Message) -> None:
        header, payload = encode(message)
        self._check_size(payload)
        self._outgoing.append(header)
        if payload:
            self._outgoing.append(payload)
        self.bytes_to_send += len(payload) + CHUNK_COST

    def _push_answer(self, answer: Result | StreamResult | ErrorResult | RetryResult, text: bool) -> None:
        header, payload = encode(answer)
        as_text = text and "joined" not in self.features
        self._outgoing.append(_text_if_utf8(header) if as_text else header)
        if payload:
            self._outgoing.append(_text_if_utf8(payload) if as_text else payload)
        self.bytes_to_send += len(payload) + CHUNK_COST

    def _refuse(self, id: bytes, text: bool, error: OperationError) -> None:
        self._push_answer(ErrorResult(id, refusal_payload(error, structured="errors" in self.features)), text)

    def _defer(self, id: bytes, text: bool, error: RetryLater) -> None:
        structured = "errors" in self.features
        payload = refusal_payload(error, structured=structured)
        if "retry" in self.features or not self._framed:
            wait = self._spread_out(error.retry_after_ms)
            self._push_answer(RetryResult(id, wait, payload), text)
        elif structured:
            self._push_answer(ErrorResult(id, payload), text)
        else:
            # A stock browser peer takes `e` for a protocol error and closes.
            self._refuse(id, text, OperationError(str(error)))

    def _spread_out(self, wait_ms: int) -> int:
        """A wait within bounds, up to a quarter longer: never earlier than asked, never together."""
        self._spread = (self._spread + _GOLDEN_RATIO) % 1
        bounded = max(MIN_RETRY_MS, wait_ms)
        return min(int(bounded * (1 + self._spread / 4)), MAX_RETRY_MS)

    # --- time ----------------------------------------------------------------------------------------------

    def next_deadline(self) -> float:
        """When to call `handle_timer`, or later when bytes have come since."""
        if self._fault is not None:
            return min(self._fault_due, self._heartbeat_at)
        if self._version is not None:
            return min(self._version_due, self._heartbeat_at)
        return min(self._last_received + self._limits.idle_timeout, self._heartbeat_at)

    @property
    def _version_due(self) -> float:
        # Without a version the remote is silent as well, and a timer set for later would let silence last as long.
        return self._started_at + min(self._limits.handshake_timeout, self._limits.idle_timeout)

    def handle_timer(self, now: float, unix_time: int) -> None:
        """Do what is due at `now`: send a heartbeat, or end a connection that is silent or broken."""
        if self._fault is not None:
            if now >= self._fault_due:
                self.fail(self._fault.code, self._fault.text)
        elif self._version is not None:
            if now >= self._version_due:
                # Also after half of it: what came is no other version, and the remote may well come back.
                self.fail(TIMED_OUT, "no version came")
        elif now >= self._last_received + self._limits.idle_timeout:
            self.fail(TIMED_OUT, "nothing came for too long")
        if self.ended is None and now >= self._heartbeat_at:
            if not self._seems_to_leave(now):
                load = len(self._in_flight) * 0xFFFF // self._limits.max_requests_in_flight
                self._push(Heartbeat(load, unix_time & 0xFFFFFFFF))
            self._heartbeat_at = now + self._limits.heartbeat_interval

    def _seems_to_leave(self, now: float) -> bool:
        """
        Whether the remote has stopped its heartbeats. A Go program that shuts down does, and says nothing of it; it
        is out when nothing has come for 30 s, so that our heartbeats would keep it.
        """
        silence = now - self._last_received
        return self._remote_beats and not self._framed and silence > PATIENCE * self._limits.heartbeat_interval


def _text_if_utf8(data: bytes) -> Chunk:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


_GOLDEN_RATIO = 0.618
"""Steps of this size, modulo 1, lie far from all the steps before."""

_ANSWERS = frozenset((Result, StreamResult, ErrorResult, RetryResult, Oversized))
"""What answers a request of ours, if one waits for it."""

_TAKE: dict[type, Callable[[Session, Any], Event | None]] = {
    StreamRequest: Session._take_stream_request,
    StreamPart: Session._take_stream_part,
    Oversized: Session._take_oversized,
    Result: Session._take_answer,
    StreamResult: Session._take_stream_result,
    ErrorResult: Session._take_answer,
    RetryResult: Session._take_answer,
    Notification: Session._take_notification,
    Heartbeat: Session._take_heartbeat,
    Fault: Session._take_fault,
}
