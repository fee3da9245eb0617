"""
What goes by between a client and a server: bytes of one direction, cut anywhere, and what they mean.

No declared size costs memory: of a payload the first `KEPT_BYTES` are kept.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from rpc.errors import RemoteProtocolError
from rpc.protocol.codec import VERSION, Header, read_header

KEPT_BYTES = 64 * 1024

Sender = Literal["client", "server"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that went by: a message, the version, or bytes that are neither.

    type: `request`, `result` and so on; `malformed` for bytes that are not a message, `bytes` for those after
        them; `end`, the sender will send no more; `unreachable`, the server is not there.
    size: bytes of the payload, or of what is not a message.
    payload: the beginning of it, at most `KEPT_BYTES`.
    reason: what is wrong.
    """

    type: str
    id: bytes | None = None
    name: str | None = None
    size: int | None = None
    payload: bytes = b""
    retry_after_ms: int | None = None
    load: int | None = None
    sent_at: int | None = None
    code: int | None = None
    reason: str | None = None


class Reader:
    """Reads one direction of a connection."""

    def __init__(self) -> None:
        self._read: Callable[[bytes, int], tuple[int, Seen | None] | None] = self._read_version
        """Reads what begins at an offset: returns where it ends and what it is, or None until there is more."""
        self._unread = b""
        self._header: Header | None = None
        self._missing = 0
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[Seen]:
        """Take bytes, cut anywhere; returns what they complete."""
        data = self._unread + data
        at = 0
        every: list[Seen] = []
        while at < len(data) and (read := self._read(data, at)) is not None:
            at, seen = read
            if seen is not None:
                every.append(seen)
        self._unread = data[at:]
        return every

    def end(self) -> list[Seen]:
        """No more bytes will come; returns what that means."""
        every: list[Seen] = []
        if self._header is not None:
            payload = bytes(self._kept)
            size = self._header.size - self._missing
            every.append(Seen(type="malformed", size=size, payload=payload, reason="ends within a payload"))
        elif self._unread:
            size = len(self._unread)
            every.append(Seen(type="malformed", size=size, payload=self._unread, reason="ends within a header"))
        return [*every, Seen(type="end")]

    def _read_version(self, data: bytes, at: int) -> tuple[int, Seen | None] | None:
        end = at + len(VERSION)
        if len(data) < end:
            return None
        if data[at:end] != VERSION:
            return self._lose(data, at, "no version")
        self._read = self._read_header
        return end, Seen(type="version", name=VERSION.decode())

    def _read_header(self, data: bytes, at: int) -> tuple[int, Seen | None] | None:
        try:
            header = read_header(data, at)
        except RemoteProtocolError as error:
            return self._lose(data, at, error.text)
        if header is None:
            return None
        if header.kind in b"hf" or not header.size:
            return header.end, _seen(header, b"")
        self._header, self._missing = header, header.size
        self._read = self._read_payload
        return header.end, None

    def _read_payload(self, data: bytes, at: int) -> tuple[int, Seen | None]:
        header = self._header
        assert header is not None
        end = min(at + self._missing, len(data))
        self._missing -= end - at
        self._kept += data[at : min(end, at + KEPT_BYTES - len(self._kept))]
        if self._missing:
            return end, None
        payload = bytes(self._kept)
        self._kept.clear()
        self._header = None
        self._read = self._read_header
        return end, _seen(header, payload)

    def _lose(self, data: bytes, at: int, reason: str) -> tuple[int, Seen]:
        """From here on nobody knows where a message begins."""
        self._read = self._read_bytes
        return len(data), Seen(type="malformed", size=len(data) - at, payload=_kept(data, at), reason=reason)

    @staticmethod
    def _read_bytes(data: bytes, at: int) -> tuple[int, Seen]:
        return len(data), Seen(type="bytes", size=len(data) - at, payload=_kept(data, at))


def _kept(data: bytes, at: int) -> bytes:
    return data[at : at + KEPT_BYTES]


_TYPES = {
    b"r": "request",
    b"s": "stream-request",
    b"p": "stream-part",
    b"R": "result",
    b"S": "stream-result",
    b"E": "error",
    b"e": "retry",
    b"n": "notification",
}


def _seen(header: Header, payload: bytes) -> Seen:
    kind = bytes((header.kind,))
    if kind == b"h":
        return Seen(type="heartbeat", load=header.number, sent_at=header.size)
    if kind == b"f":
        return Seen(type="fault", code=header.number)
    return Seen(
        type=_TYPES[kind],
        id=header.id or None,
        name=header.name or None,
        size=header.size,
        payload=payload,
        retry_after_ms=header.number if kind == b"e" else None,
    )
