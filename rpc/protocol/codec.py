"""Bytes to messages and messages to bytes: docs/protocol.md, the grammar and the two readings of it."""

import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from rpc.errors import LocalProtocolError, RemoteProtocolError
from rpc.limits import MAX_NAME_BYTES, SKIP_FACTOR
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

VERSION = b"01"

ABNORMAL, UNSUPPORTED_VERSION, INVALID_MESSAGE, TIMED_OUT = range(4)
"""Codes of `f`."""

_UINT32_MAX = 0xFFFFFFFF

_REQUEST, _STREAM_REQUEST, _STREAM_PART = b"rsp"
_RESULT, _STREAM_RESULT, _ERROR_RESULT, _RETRY_RESULT = b"RSEe"
_NOTIFICATION, _HEARTBEAT, _FAULT = b"nhf"

_WITH_NAME = frozenset((_REQUEST, _STREAM_REQUEST, _NOTIFICATION))
_WITH_ID = frozenset((_STREAM_PART, _RESULT, _STREAM_RESULT, _ERROR_RESULT, _RETRY_RESULT))

_HEX = "0123456789abcdefABCDEF"
_NAME_SIZES = {f"0{high}{low}".encode(): int(high + low, 16) for high in _HEX for low in _HEX if high + low != "00"}
"""The three digits of each name size that is allowed, in both cases."""

_SIZES = [b"%08x" % size for size in range(1024)]
"""The eight digits of the sizes that most payloads have."""


class Oversized(msgspec.Struct, frozen=True, gc=False):
    """Stands for a message whose payload is over the limit; nothing else of the message is read."""

    kind: int
    id: bytes
    size: int
    text: bool


class Header(msgspec.Struct, frozen=True, gc=False):
    """
    A header that was read. `number` is the wait of `e`, the load of `h`, the code of `f`; the `size` of `h`
    is its time, as nothing follows it.
    """

    kind: int
    id: bytes
    name: str
    number: int
    size: int
    end: int


# --- messages to bytes -------------------------------------------------------------------------------------


def encode(message: Message) -> tuple[bytes, bytes]:
    """
    Returns the header and the payload of a message; an empty payload is not sent.

    Raises:
        LocalProtocolError: a field does not fit the wire.
    """
    return _ENCODERS[type(message)](message)


def result_header(id: bytes, size: int) -> bytes:
    """The header of a single result with a payload of `size` bytes."""
    return b"R" + id + (_SIZES[size] if size < 1024 else b"%08x" % size)


def _encode_request(kind: bytes) -> Callable[[Any], tuple[bytes, bytes]]:
    def encode_it(message: Request | StreamRequest) -> tuple[bytes, bytes]:
        return kind + _id(message.id) + _name(message.operation) + _size(message.payload), message.payload

    return encode_it


def _encode_part(kind: bytes) -> Callable[[Any], tuple[bytes, bytes]]:
    def encode_it(message: StreamPart | Result | StreamResult | ErrorResult) -> tuple[bytes, bytes]:
        return kind + _id(message.id) + _size(message.payload), message.payload

    return encode_it


def _encode_retry(message: RetryResult) -> tuple[bytes, bytes]:
    wait = _number(message.retry_after_ms, _UINT32_MAX, "retry_after_ms")
    return b"e%b%08x%b" % (_id(message.id), wait, _size(message.payload)), message.payload


def _encode_notification(message: Notification) -> tuple[bytes, bytes]:
    return b"n" + _name(message.name) + _size(message.payload), message.payload


def _encode_heartbeat(message: Heartbeat) -> tuple[bytes, bytes]:
    load = _number(message.load, 0xFFFF, "load")
    return b"h%04x%08x" % (load, _number(message.sent_at, _UINT32_MAX, "sent_at")), b""


def _encode_fault(message: Fault) -> tuple[bytes, bytes]:
    # The stock browser peer cannot close with a code beyond the known ones.
    return b"f%08x" % _number(message.code, TIMED_OUT, "code"), b""


_ENCODERS: dict[type, Callable[[Any], tuple[bytes, bytes]]] = {
    Request: _encode_request(b"r"),
    StreamRequest: _encode_request(b"s"),
    StreamPart: _encode_part(b"p"),
    Result: _encode_part(b"R"),
    StreamResult: _encode_part(b"S"),
    ErrorResult: _encode_part(b"E"),
    RetryResult: _encode_retry,
    Notification: _encode_notification,
    Heartbeat: _encode_heartbeat,
    Fault: _encode_fault,
}


def _id(id: bytes) -> bytes:
    if len(id) != 4:
        raise LocalProtocolError(f"an id has 4 bytes, not {len(id)}")
    return id


def _name(name: str) -> bytes:
    encoded = name.encode()
    if not 1 <= len(encoded) <= MAX_NAME_BYTES:
        raise LocalProtocolError(f"a name has 1 to {MAX_NAME_BYTES} bytes, not {len(encoded)}")
    return b"%03x%b" % (len(encoded), encoded)


def _size(payload: bytes) -> bytes:
    return b"%08x" % _number(len(payload), _UINT32_MAX, "size")


def _number(value: int, maximum: int, field: str) -> int:
    if not 0 <= value <= maximum:
        raise LocalProtocolError(f"{field} is 0 to {maximum}, not {value}")
    return value


# --- bytes to messages -------------------------------------------------------------------------------------


def read_header(data: bytes, start: int = 0) -> Header | None:
    """
    Read the header that begins at `start`; None when its end is not there yet.

    Raises:
        RemoteProtocolError: the bytes are not a header.
    """
    kind = data[start]
    name, number = "", 0
    if kind in _WITH_NAME:
        at = start + 1 if kind == _NOTIFICATION else start + 5
        id = data[start + 1 : at]
        digits = data[at : at + 3]
        if len(digits) < 3:
            return None
        name_size = _NAME_SIZES.get(digits)
        if name_size is None:
            raise RemoteProtocolError(INVALID_MESSAGE, "bad name size")
        at += 3 + name_size
        if len(data) < at + 8:
            return None
        name = _read_name(data[at - name_size : at])
    elif kind in _WITH_ID:
        at = start + 5
        id = data[start + 1 : at]
        if kind == _RETRY_RESULT:
            at += 8
        if len(data) < at + 8:
            return None
        if kind == _RETRY_RESULT:
            number = _read_number(data[at - 8 : at])
    elif kind == _HEARTBEAT:
        if len(data) < start + 13:
            return None
        load = _read_number(data[start + 1 : start + 5])
        return Header(kind, b"", "", load, _read_number(data[start + 5 : start + 13]), start + 13)
    elif kind == _FAULT:
        if len(data) < start + 9:
            return None
        return Header(kind, b"", "", _read_number(data[start + 1 : start + 9]), 0, start + 9)
    else:
        raise RemoteProtocolError(INVALID_MESSAGE, "unknown message type")
    return Header(kind, id, name, number, _read_number(data[at : at + 8]), at + 8)


def read_text_header(data: bytes) -> Header | None:
    """
    Read a text WebSocket message as one header whose name ends 8 digits before the end, whatever size
    the name declares: the stock browser peer counts it wrong. None when it is not such a header.
    """
    name_at = 4 if data[0] == _NOTIFICATION else 8
    if data[0] not in _WITH_NAME or not name_at < len(data) - 8 <= name_at + MAX_NAME_BYTES:
        return None
    try:
        name, size = _read_name(data[name_at:-8]), _read_number(data[-8:])
    except RemoteProtocolError:
        return None
    return Header(data[0], data[1 : name_at - 3], name, 0, size, len(data))


def _read_name(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise RemoteProtocolError(INVALID_MESSAGE, "name is not UTF-8") from None


def _read_number(digits: bytes) -> int:
    # Not int(): it takes signs, spaces and underscores.
    try:
        return int.from_bytes(binascii.unhexlify(digits))
    except binascii.Error:
        raise RemoteProtocolError(INVALID_MESSAGE, "bad hex digits") from None


class Decoder:
    """
    Cuts what comes in into messages: `feed()`, then `next_message()` until it returns None.

    Memory follows the bytes that came, never a declared size. There are two readings:

    - A byte stream: the declared sizes say where a message ends, chunks may be cut anywhere.
    - Framed, for WebSocket peers: the same, but when a chunk ends exactly at the end of a header with a
      size that is not 0, the next chunk is the payload, whatever its length, because stock browser peers
      declare wrong sizes. `to_stream()` ends that.
    """

    __slots__ = (
        "_body",
        "_data",
        "_framed",
        "_header",
        "_header_text",
        "_max_payload",
        "_pos",
        "_skip",
        "_text",
    )

    def __init__(self, max_payload_bytes: int, *, framed: bool) -> None:
        self._max_payload = max_payload_bytes
        self._framed = framed
        self._data = b""
        self._pos = 0
        self._text = False
        self._header: Header | None = None
        """The header whose payload is awaited: collected in `_body`, or the next chunk if that is None."""
        self._header_text = False
        self._body: bytearray | None = None
        self._skip = 0

    def feed(self, data: bytes, text: bool = False) -> None:
        """Take a chunk; `text` says that it was a text WebSocket message."""
        if self._pos < len(self._data):
            self._data = self._data[self._pos :] + data
        else:
            self._data = data
            self._text = text
        self._pos = 0

    def to_stream(self) -> None:
        """Read what follows the last message as a byte stream, as the remote announced."""
        self._framed = False

    @property
    def unfinished(self) -> int:
        """Bytes of a payload that has begun to arrive."""
        return 0 if self._body is None else len(self._body)

    def next_message(self) -> Message | Oversized | None:
        """
        Returns the next message, or None until more is fed.

        Raises:
            RemoteProtocolError: the bytes are not a message; nothing after them can be read.
        """
        while self._pos < len(self._data):
            header = self._header
            if header is not None:
                return self._read_payload(header)
            if self._skip:
                skipped = min(self._skip, len(self._data) - self._pos)
                self._skip -= skipped
                self._pos += skipped
                continue
            data = self._data
            header = read_header(data, self._pos) if not self._text else self._read_header_of_text()
            if header is None:
                return None
            self._pos = end = header.end
            size = header.size
            if size == 0 or header.kind == _HEARTBEAT:
                return _message(header, b"", self._text)
            if size > self._max_payload * SKIP_FACTOR:
                raise RemoteProtocolError(INVALID_MESSAGE, "payload far too large")
            # The declared size is not judged here: the real one may be smaller.
            if self._framed and end == len(data):
                self._header = header
                self._header_text = self._text
                return None
            if size > self._max_payload:
                self._skip = size
                return Oversized(header.kind, header.id, size, self._text)
            payload_end = end + size
            if payload_end > len(data):
                self._header = header
                self._header_text = self._text
                self._body = bytearray(data[end:])
                self._forget()
                return None
            self._pos = payload_end
            return _message(header, data[end:payload_end], self._text)
        self._forget()
        return None

    def _forget(self) -> None:
        """All of the chunk is read: it may be large, and the next one may never come."""
        self._data, self._pos = b"", 0

    def _read_header_of_text(self) -> Header | None:
        if self._pos or not self._framed:
            return read_header(self._data, self._pos)
        try:
            header = read_header(self._data)
        except RemoteProtocolError:
            header = read_text_header(self._data)
            if header is None:
                raise
            return header
        return header or read_text_header(self._data)

    def _read_payload(self, header: Header) -> Message | Oversized | None:
        data, pos, body = self._data, self._pos, self._body
        if body is None:
            payload = data
            self._pos = len(data)
            if len(payload) > self._max_payload:
                self._header = None
                return Oversized(header.kind, header.id, len(payload), self._header_text)
        else:
            end = pos + header.size - len(body)
            body += data[pos:end]
            self._pos = min(end, len(data))
            if len(body) < header.size:
                self._forget()
                return None
            payload = bytes(body)
        self._header = self._body = None
        return _message(header, payload, self._header_text)


def _message(header: Header, payload: bytes, text: bool) -> Message:
    kind = header.kind
    if kind == _REQUEST:
        return Request(header.id, header.name, payload, text)
    if kind == _NOTIFICATION:
        return Notification(header.name, payload)
    if kind == _RESULT:
        return Result(header.id, payload)
    return _OTHER_MESSAGES[kind](header, payload, text)


_OTHER_MESSAGES: dict[int, Callable[[Header, bytes, bool], Message]] = {
    _STREAM_REQUEST: lambda header, payload, text: StreamRequest(header.id, header.name, payload, text),
    _STREAM_PART: lambda header, payload, text: StreamPart(header.id, payload),
    _STREAM_RESULT: lambda header, payload, text: StreamResult(header.id, payload),
    _ERROR_RESULT: lambda header, payload, text: ErrorResult(header.id, payload),
    _RETRY_RESULT: lambda header, payload, text: RetryResult(header.id, header.number, payload),
    _HEARTBEAT: lambda header, payload, text: Heartbeat(header.number, header.size),
    _FAULT: lambda header, payload, text: Fault(header.number),
}
