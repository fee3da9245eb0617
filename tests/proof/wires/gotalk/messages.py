"""gotalk messages as bytes, and those of a server, read strictly (docs/protocol.md)."""

import re
from typing import NamedTuple

from tests.proof.wires.findings import Finding
from tests.proof.wires.websocket.frames import readable
from tests.raw_websocket import BINARY, TEXT

Chunks = list[bytes]
"""A message: its header, and its payload if that is not empty."""

_KINDS = "rspRSEenhf"
_BEFORE_SIZE = {"n": 1, "h": 5, "f": 1, "e": 13}
"""Bytes before the name, or else before the size; 5 for all others."""
_NUMBER = re.compile(rb"[0-9a-f]{8}")


def named(kind: bytes, id: bytes, name: str, payload: bytes) -> Chunks:
    """`r`, `s` and, with an empty id, `n`."""
    encoded = name.encode()
    return _chunks(b"%b%b%03x%b" % (kind, id, len(encoded), encoded), payload)


def part(kind: bytes, id: bytes, payload: bytes, wait: bytes = b"") -> Chunks:
    """`p`, `R`, `S`, `E` and, with a wait, `e`."""
    return _chunks(kind + id + wait, payload)


def _chunks(header: bytes, payload: bytes) -> Chunks:
    return [b"%b%08x" % (header, len(payload)), *([payload] if payload else [])]


class Message(NamedTuple):
    """`number` is the wait of `e`, the load of `h`, the code of `f`; `text` says that its header came as text."""

    kind: str
    id: bytes
    name: str
    number: int
    payload: bytes
    text: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.id!r} {self.name} {self.number} {len(self.payload)}: {self.payload[:80]!r}"


class Header(NamedTuple):
    kind: str
    id: bytes
    name: str
    number: int
    size: int
    end: int


def read_header(data: bytes | bytearray) -> Header | None:
    """
    The header with which `data` begins; None if its end is missing.

    Raises:
        Finding: a server may not send that.
    """
    kind, id, name, number = chr(data[0]), b"", "", 0
    if kind not in _KINDS:
        raise Finding(f"no message: {bytes(data[:50])!r}")
    end = _BEFORE_SIZE.get(kind, 5)
    if len(data) < end + (3 if kind in "rsn" else 8):
        return None
    if kind not in "nhf":
        id = bytes(data[1:5])
    if kind in "rsn":
        start, end = end + 3, end + 3 + int(data[end : end + 3], 16)
        if len(data) < end + 8:
            return None
        name = readable(bytes(data[start:end]))
        if not name:
            raise Finding("an empty name")
    digits = bytes(data[end : end + 8])
    if not _NUMBER.fullmatch(digits):
        raise Finding(f"not a size: {digits!r}")
    size = int(digits, 16)
    if kind in "eh":
        number = int(data[5:13] if kind == "e" else data[1:5], 16)
    if kind in "hf":
        number, size = (number if kind == "h" else size), 0
    return Header(kind, id, name, number, size, end + 8)


class StreamReader:
    """Reads a byte stream."""

    def __init__(self) -> None:
        self.has_version = False
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        self._data += data
        if not self.has_version:
            if not b"01".startswith(self._data[:2]):
                raise Finding(f"the server begins with {bytes(self._data[:50])!r}")
            if len(self._data) < 2:
                return []
            self.has_version = True
            del self._data[:2]
        found = []
        while self._data and (header := read_header(self._data)) is not None:
            end = header.end + header.size
            if len(self._data) < end:
                break
            found.append(Message(*header[:4], bytes(self._data[header.end : end])))
            del self._data[:end]
        return found

    @property
    def is_amid(self) -> bool:
        """Whether the last message is not complete."""
        return bool(self._data)


class FramedReader:
    """Reads WebSocket messages of a server as gotalk.js does: a version, a header and a payload are one each."""

    def __init__(self) -> None:
        self.has_version = False
        self._header: Header | None = None
        self._text = False

    def feed(self, opcode: int, data: bytes) -> list[Message]:
        if not self.has_version:
            if (opcode, data) != (BINARY, b"01"):
                raise Finding(f"the server begins with {data[:50]!r}")
            self.has_version = True
            return []
        header = self._header
        if header is None:
            return self._take_header(opcode, data)
        self._header = None
        if len(data) != header.size:
            raise Finding(f"{len(data)} bytes instead of {header.size}")
        if (opcode == TEXT) != (self._text and is_utf8(data)):
            raise Finding(f"a payload with the opcode {opcode} behind {header}")
        return [Message(*header[:4], data, self._text)]

    def _take_header(self, opcode: int, data: bytes) -> list[Message]:
        self._text = opcode == TEXT
        header = read_header(data) if data else None
        if header is None or header.end != len(data):
            raise Finding(f"not exactly a header: {data[:50]!r}")
        if header.size:
            self._header = header
            return []
        return [Message(*header[:4], b"", self._text)]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
