"""
One connection's protocol without I/O: no socket, no task, no clock, no randomness.

Bytes go in with `receive_data(data, now)`; `next_event()` then returns, one after the other, what the
application must know: requests to answer, notifications, answers to its own requests, cancelled ids.
Everything else is the session's own business: the version, `$hello` and what it switches on, ids in
flight, limits, heartbeats. What there is to send lies in `data_to_send()`, each chunk one WebSocket
message (bytes: binary, str: text) that a byte stream joins; nothing in it is ever empty.

Both ends send the version and `$hello` at once. Until the other end's `$hello` is there it is a stock
peer, and never gets what stock peers cannot do.

Time is an argument: call `handle_timer()` when `next_deadline()` has come. When `ended` is set the
connection is over: send what is left, then close with its code. Events are pulled one by one, so what a
handler answers at once stands before what the rest of the same bytes cause, however they were cut.
"""

import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from rpc.codec import (
    TIMED_OUT,
    UNSUPPORTED_VERSION,
    VERSION,
    Decoder,
    Oversized,
    encode,
    result_header,
)
from rpc.errors import ConnectionClosed, MessageTooBig, OperationError, RemoteProtocolError, RetryLater
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
from rpc.payloads import UNREADABLE, refusal_payload, to_json

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_HALVES = [(high + low).encode() for high in _DIGITS for low in _DIGITS]
"""Ids of our requests count in base 36: text, as a stock browser peer wants."""

AGENT = "hubtalk/0.1"
FEATURES = ("joined", "retry", "errors", "cancel")
"""What we announce; each is used only towards an end that announced it too."""

TOO_FAST = 4429
"""Close code for an end that goes on sending faster than it may."""

MIN_RETRY_MS, MAX_RETRY_MS = 250, 10_000
"""The Go peer obeys any wait, so 0 would be a hot loop and the largest 49 days."""

Chunk = bytes | str
"""One WebSocket message: binary or text."""


class Cancelled(msgspec.Struct, frozen=True, gc=False):
    """The other end no longer wants the answer to a request in flight."""

    id: bytes


class Announced(msgspec.Struct, frozen=True, gc=False):
    """The other end has said what it can do beyond a stock peer."""

    features: frozenset[str]


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The connection is over: close it with `close_code`. `text` is for the log."""

    close_code: int
    text: str


Answer = Result | StreamResult | ErrorResult | RetryResult | Oversized
"""What ends a request of ours; an `Oversized` stands for an answer over the limit."""

Event = Request | Notification | Answer | Cancelled | Announced


class _Hello(msgspec.Struct):
    features: list[str] = []


class _Cancel(msgspec.Struct):
    id: str


_read_hello = msgspec.json.Decoder(_Hello).decode
_read_cancel = msgspec.json.Decoder(_Cancel).decode

_HELLO = Notification("$hello", to_json({"agent": AGENT, "features": FEATURES}))


class Session:
    """
    Args:
        limits: what the other end may use.
        now: seconds, of the clock that all later calls use.
        framed: whether chunks are WebSocket messages; else they are a byte stream.
        spread: 0 to 1, different for each connection: spreads what would else happen at the same time.
    """

    __slots__ = (
        "_bytes",
        "_decoder",
        "_framed",
        "_heartbeat_at",
        "_in_flight",
        "_last_id",
        "_last_received",
        "_limits",
        "_messages",
        "_outgoing",
        "_spread",
        "_started_at",
        "_version",
        "_waiting",
        "ended",
        "features",
        "ignored",
    )

    def __init__(self, limits: Limits, now: float, *, framed: bool, spread: float = 0.0) -> None:
        self._limits = limits
        self._framed = framed
        self._spread = spread
        self._decoder = Decoder(limits.max_payload_bytes, framed=framed)
        self._bytes = TokenBucket(limits.bytes_per_second, limits.bytes_burst, now)
        self._messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now)
        self._version: bytes | None = b""
        """What came of the other end's version; None when it was read and is right."""
        self._started_at = self._last_received = now
        self._heartbeat_at = now + limits.heartbeat_interval
        self._in_flight: dict[bytes, bool] = {}
        """Requests of the other end without an answer; whether their header was text."""
        self._waiting: set[bytes] = set()
        """Requests of ours without an answer."""
        self._last_id = 0
        self._outgoing: list[Chunk] = [VERSION, *encode(_HELLO)]
        self.features: frozenset[str] = frozenset()
        """What the other end announced of what we know."""
        self.ignored = 0
        """Messages that meant nothing: parts of unknown streams, answers to nothing."""
        self.ended: Ended | None = None

    # --- what comes in -------------------------------------------------------------------------------------

    def receive_data(self, data: bytes, now: float, *, text: bool = False) -> None:
        """
        Take bytes of the other end; `text` says that they were a text WebSocket message.

        Afterwards pull `next_event()` until it returns None, before the next bytes.
        """
        if self.ended is not None:
            return
        self._last_received = now
        self._messages.refill(now)
        self._bytes.refill(now)
        self._bytes.tokens -= len(data) + CHUNK_COST
        if self._bytes.exhausted:
            self.close(TOO_FAST, "too fast")
            return
        if self._version is not None:
            data = self._read_version(data)
        self._decoder.feed(data, text)

    def reading_from(self, now: float) -> None:
        """The other end's bytes were not read before `now`: its deadlines begin here."""
        self._started_at = self._last_received = now
        self._heartbeat_at = now + self._limits.heartbeat_interval

    def next_event(self) -> Event | None:
        """Returns what the application must know next; None when all bytes are read, or `ended` is set."""
        messages = self._messages
        while self.ended is None:
            try:
                message = self._decoder.next_message()
            except RemoteProtocolError as error:
                self.fail(error.code, error.text)
                break
            if message is None:
                break
            messages.tokens -= 1
            too_fast = messages.tokens < 0 or self._bytes.tokens < 0
            if too_fast and messages.exhausted:
                self.close(TOO_FAST, "too fast")
                break
            if type(message) is Request:
                event: Event | None = self._take_request(message, too_fast)
            else:
                event = _TAKE[type(message)](self, message)
            if event is not None:
                return event
        return None

    def _read_version(self, data: bytes) -> bytes:
        already = self._version or b""
        missing = len(VERSION) - len(already)
        version = already + data[:missing]
        if not VERSION.startswith(version):
            self.fail(UNSUPPORTED_VERSION, "unsupported version")
        self._version = None if version == VERSION else version
        return data[missing:]

    def _take_request(self, request: Request, too_fast: bool) -> Request | None:
        id = request.id
        if id in self._in_flight:
            self._refuse(id, request.text, OperationError("this id is in use", "duplicate_id"))
        elif too_fast:
            wait = max(self._messages.wait, self._bytes.wait)
            self._put_off(id, request.text, RetryLater(int(wait * 1000) + 1, "too fast", "too_fast"))
        elif len(self._in_flight) >= self._limits.max_requests_in_flight:
            busy = RetryLater(MIN_RETRY_MS, "too many requests in flight", "too_many_requests")
            self._put_off(id, request.text, busy)
        else:
            self._in_flight[id] = request.text
            return request
        return None

    def _take_stream_request(self, request: StreamRequest) -> None:
        self._refuse(request.id, request.text, OperationError("streams are not supported", "unsupported"))

    def _take_stream_part(self, part: StreamPart) -> None:
        self.ignored += 1

    def _take_oversized(self, message: Oversized) -> Answer | None:
        if message.kind in b"rs":
            limit = self._limits.max_payload_bytes
            too_large = OperationError(f"payload too large: {message.size} bytes, limit {limit}", "too_large")
            self._refuse(message.id, message.text, too_large)
        elif message.kind in b"RSEe":
            return self._take_answer(message)
        else:
            self.ignored += 1
        return None

    def _take_answer(self, answer: Answer) -> Answer | None:
        if answer.id not in self._waiting:
            self.ignored += 1
            return None
        self._waiting.discard(answer.id)
        return answer

    def _take_notification(self, notification: Notification) -> Notification | Cancelled | Announced | None:
        if not notification.name.startswith("$"):
            return notification
        try:
            if notification.name == "$hello" and not self.features:
                return self._take_hello(_read_hello(notification.payload))
            if notification.name == "$cancel":
                id = binascii.unhexlify(_read_cancel(notification.payload).id)
                if id in self._in_flight:
                    return Cancelled(id)
        except (*UNREADABLE, ValueError):
            pass  # Not what these two should hold: as unknown as any other reserved name.
        self.ignored += 1
        return None

    def _take_hello(self, hello: _Hello) -> Announced:
        self.features = frozenset(hello.features).intersection(FEATURES)
        if "joined" in self.features:
            self._decoder.to_stream()
        return Announced(self.features)

    def _take_heartbeat(self, heartbeat: Heartbeat) -> None:
        """That it came is all it says: `receive_data` has noted the time."""

    def _take_fault(self, fault: Fault) -> None:
        self.close(_FAULT_CLOSE + min(fault.code, TIMED_OUT), "the other end reported a protocol error")

    # --- what goes out -------------------------------------------------------------------------------------

    def data_to_send(self) -> list[Chunk]:
        """Returns what is to be sent, in order, and forgets it."""
        outgoing, self._outgoing = self._outgoing, []
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
        if len(payload) > self._limits.max_payload_bytes:
            raise MessageTooBig(len(payload), self._limits.max_payload_bytes)
        text = self._in_flight.pop(id, None)
        if text is None or self.ended is not None:
            return
        if text:
            self._push_answer(Result(id, payload), text)
            return
        outgoing = self._outgoing
        outgoing.append(result_header(id, len(payload)))
        if payload:
            outgoing.append(payload)

    def refuse(self, id: bytes, error: OperationError | RetryLater) -> None:
        """Answer a request in flight with an error, in the form that the other end understands."""
        text = self._in_flight.pop(id, None)
        if text is None or self.ended is not None:
            return
        if isinstance(error, RetryLater):
            self._put_off(id, text, error)
        else:
            self._refuse(id, text, error)

    def request(self, operation: str, payload: bytes) -> bytes:
        """
        Send a request; its `Answer` comes as an event. Returns its id.

        Raises:
            ConnectionClosed, LocalProtocolError: nothing was sent.
        """
        if self.ended is not None:
            raise self.closed_error()
        while True:
            self._last_id = (self._last_id + 1) % len(_ID_HALVES) ** 2
            high, low = divmod(self._last_id, len(_ID_HALVES))
            id = _ID_HALVES[high] + _ID_HALVES[low]
            if id not in self._waiting:
                break
        self._push(Request(id, operation, payload))
        self._waiting.add(id)
        return id

    def give_up(self, id: bytes) -> None:
        """No longer wait for the answer to a request of ours; the other end may stop working on it."""
        self._waiting.discard(id)
        if self.ended is None and "cancel" in self.features:
            self._push(Notification("$cancel", to_json({"id": id.hex()})))

    def notify(self, name: str, payload: bytes) -> None:
        """
        Send a notification; nothing happens when the connection is over.

        Raises:
            LocalProtocolError: the name or the payload does not fit.
        """
        if self.ended is None:
            self._push(Notification(name, payload))

    def fail(self, code: int, text: str) -> None:
        """End the connection with a protocol error: the other end is told `code`, 0 to 3."""
        if self.ended is None:
            self._push(Fault(code))
            self.close(_FAULT_CLOSE + code, text)

    def close(self, close_code: int, text: str) -> None:
        """End the connection: nothing is read or added to what there is to send any more."""
        if self.ended is None:
            self.ended = Ended(close_code, text)

    def closed_error(self) -> ConnectionClosed:
        """What a request of ours gets that has no answer when the connection has ended."""
        return ConnectionClosed(self.ended.close_code, self.ended.text) if self.ended else ConnectionClosed()

    def _push(self, message: Message) -> None:
        header, payload = encode(message)
        if len(payload) > self._limits.max_payload_bytes:
            raise MessageTooBig(len(payload), self._limits.max_payload_bytes)
        self._outgoing.append(header)
        if payload:
            self._outgoing.append(payload)

    def _push_answer(self, answer: Result | ErrorResult | RetryResult, text: bool) -> None:
        header, payload = encode(answer)
        as_text = text and "joined" not in self.features
        self._outgoing.append(_text_if_utf8(header) if as_text else header)
        if payload:
            self._outgoing.append(_text_if_utf8(payload) if as_text else payload)

    def _refuse(self, id: bytes, text: bool, error: OperationError) -> None:
        self._push_answer(ErrorResult(id, refusal_payload(error, structured="errors" in self.features)), text)

    def _put_off(self, id: bytes, text: bool, error: RetryLater) -> None:
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
        if self._version is not None:
            return min(self._started_at + self._limits.handshake_timeout, self._heartbeat_at)
        return min(self._last_received + self._limits.idle_timeout, self._heartbeat_at)

    def handle_timer(self, now: float, unix_time: int) -> None:
        """Do what is due at `now`: send a heartbeat, or end a connection that is silent."""
        if self._version is not None:
            if now >= self._started_at + self._limits.handshake_timeout:
                code = UNSUPPORTED_VERSION if self._version else TIMED_OUT
                self.fail(code, "no version came")
        elif now >= self._last_received + self._limits.idle_timeout:
            self.fail(TIMED_OUT, "nothing came for too long")
        if self.ended is None and now >= self._heartbeat_at:
            load = len(self._in_flight) * 0xFFFF // self._limits.max_requests_in_flight
            self._push(Heartbeat(load, unix_time & 0xFFFFFFFF))
            self._heartbeat_at = now + self._limits.heartbeat_interval


def _text_if_utf8(data: bytes) -> Chunk:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


_FAULT_CLOSE = 4000
"""A protocol error closes a WebSocket with this and its code."""

_GOLDEN_RATIO = 0.618
"""Steps of this size, modulo 1, lie far from all the steps before."""

_TAKE: dict[type, Callable[[Session, Any], Event | None]] = {
    StreamRequest: Session._take_stream_request,
    StreamPart: Session._take_stream_part,
    Oversized: Session._take_oversized,
    Result: Session._take_answer,
    StreamResult: Session._take_answer,
    ErrorResult: Session._take_answer,
    RetryResult: Session._take_answer,
    Notification: Session._take_notification,
    Heartbeat: Session._take_heartbeat,
    Fault: Session._take_fault,
}
