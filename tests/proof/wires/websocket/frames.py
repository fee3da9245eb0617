"""WebSocket messages of a client in any number of frames, and the frames of a server, read strictly (RFC 6455)."""

import base64
import hashlib
import random

from tests.proof.wires.findings import Finding
from tests.raw_websocket import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, frame

ACCEPTED = base64.b64encode(hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
"""What answers the key of our handshakes (section 4.2.2)."""
MAX_FRAGMENTS = 6
MAX_CONTROL_BYTES = 125


def message(opcode: int, payload: bytes, chance: random.Random, pings: list[bytes]) -> bytes:
    """A message in one frame or more, with control frames in between. Adds what is pinged to `pings`."""
    pieces = 1 if chance.random() < 0.5 else chance.randint(1, MAX_FRAGMENTS)
    cuts = sorted(chance.randint(0, len(payload)) for _ in range(pieces - 1))
    written = b""
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)], strict=True)):
        if chance.random() < 0.1:
            written += control(chance, pings)
        kind, is_last = CONTINUATION if number else opcode, number == len(cuts)
        written += frame(kind, payload[start:end], fin=is_last, mask=chance.randbytes(4))
    return written


def control(chance: random.Random, pings: list[bytes]) -> bytes:
    """A ping, or a pong that nobody asked for (section 5.5.3)."""
    payload = chance.randbytes(chance.choice((0, 4, MAX_CONTROL_BYTES)))
    if chance.random() < 0.3:
        return frame(PONG, payload, mask=chance.randbytes(4))
    pings.append(payload)
    return frame(PING, payload, mask=chance.randbytes(4))


class ServerFrames:
    """Reads what a server sends, from its answer to the opening handshake on."""

    def __init__(self) -> None:
        self.is_open = False
        self.close: tuple[int | None, str] | None = None
        """Code and reason of the server's close frame."""
        self._data = bytearray()
        self._fragments: list[bytes] | None = None
        self._opcode = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """
        Returns the messages that are complete now, pings and pongs among them: opcode and payload.

        Raises:
            Finding: a server may not send that.
        """
        if self.close is not None:
            raise Finding(f"{data[:100]!r} came after the close frame")
        self._data += data
        if not self.is_open:
            self._read_handshake()
        found = []
        while self.is_open and (one := self._next_frame()) is not None:
            found += self._messages_of(*one)
        return found

    def _read_handshake(self) -> None:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        first, *lines = bytes(head).split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        extended = b"sec-websocket-extensions" in headers
        if not first.startswith(b"HTTP/1.1 101 ") or headers[b"sec-websocket-accept"] != ACCEPTED or extended:
            raise Finding(f"the handshake was answered with {bytes(head)!r}")
        self._data, self.is_open = rest, True

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        data = self._data
        if len(data) < 2:
            return None
        first, size, start = data[0], data[1], 2
        if first & 0x70 or size & 0x80:
            raise Finding(f"a frame of the server begins with {bytes(data[:2])!r}")
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start])
            if size < (126 if start == 4 else 1 << 16):
                raise Finding(f"a length of {size} is written in {start - 2} bytes")
        if len(data) < start + size:
            return None
        payload = bytes(data[start : start + size])
        del data[: start + size]
        return bool(first & 0x80), first & 0x0F, payload

    def _messages_of(self, final: bool, opcode: int, payload: bytes) -> list[tuple[int, bytes]]:
        if opcode in (CLOSE, PING, PONG):
            if not final or len(payload) > MAX_CONTROL_BYTES:
                raise Finding(f"a control frame with final={final} and {len(payload)} bytes")
            if opcode != CLOSE:
                return [(opcode, payload)]
            self._read_close(payload)
            return []
        if opcode not in (CONTINUATION, TEXT, BINARY) or (opcode == CONTINUATION) != (self._fragments is not None):
            raise Finding(f"a frame with the opcode {opcode} is out of place")
        if self._fragments is None:
            self._opcode, self._fragments = opcode, []
        self._fragments.append(payload)
        if not final:
            return []
        whole, self._fragments = b"".join(self._fragments), None
        if self._opcode == TEXT:
            readable(whole)
        return [(self._opcode, whole)]

    def _read_close(self, payload: bytes) -> None:
        if len(payload) == 1:
            raise Finding("a close frame of one byte")
        self.close = (int.from_bytes(payload[:2]) if payload else None, readable(payload[2:]))
        if self._data:
            raise Finding(f"{bytes(self._data[:100])!r} came after the close frame")


def readable(data: bytes) -> str:
    """
    Raises:
        Finding: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Finding(f"text that is not UTF-8: {data[:100]!r}") from None
