"""WebSocket frames as bytes, and a client that knows nothing else."""

import asyncio
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from tests.deadlines import DEADLINE

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL = b"\x03\xe8"
"""The payload of a close with 1000."""

KEY = "AAAAAAAAAAAAAAAAAAAAAA=="
MASK = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    size: int | None = None,
    mask: bytes = MASK,
) -> bytes:
    """A client's frame; `size` is what its header says, if that is not the payload's."""
    header = header_of(opcode, len(payload) if size is None else size, fin=fin, rsv=rsv, masked=True)
    return header + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(len(payload))


def answer(opcode: int, payload: bytes = b"") -> bytes:
    """The server's frame."""
    return header_of(opcode, len(payload)) + payload


def header_of(opcode: int, size: int, *, fin: bool = True, rsv: int = 0, masked: bool = False) -> bytes:
    first, mask_bit = fin << 7 | rsv << 4 | opcode, masked << 7
    if size < 126:
        return bytes((first, mask_bit | size))
    if size < 1 << 16:
        return struct.pack(">BBH", first, mask_bit | 126, size)
    return struct.pack(">BBQ", first, mask_bit | 127, size)


def fragments(opcode: int, *payloads: bytes) -> list[bytes]:
    """A message in as many frames."""
    last = len(payloads) - 1
    return [
        frame(CONTINUATION if number else opcode, payload, fin=number == last)
        for number, payload in enumerate(payloads)
    ]


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def octets(*frames: bytes) -> list[bytes]:
    """A write for each byte."""
    return cut(b"".join(frames), 1)


def handshake(path: str, *headers: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        *headers,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def answer_to(port: int, opening: bytes) -> tuple[bytes, list[bytes]]:
    """Status line and headers of the answer to a handshake."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as raw:
        raw.sendall(opening)
        head = b""
        while b"\r\n\r\n" not in head:
            part = raw.recv(1000)
            assert part, head
            head += part
    status, *lines = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return status, lines


async def play(port: int, opening: bytes, sent: Iterable[bytes]) -> bytes:
    """
    Shake hands, make each write, and read until the server has finished; returns what came after the handshake.

    Raises:
        ConnectionResetError: the server did not end in good order.
    """
    async with asyncio.timeout(DEADLINE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(opening)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
            heard = asyncio.create_task(reader.read())
            for data in sent:
                writer.write(data)
                await asyncio.sleep(0)
            return await heard
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def frames_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """First byte and payload of each of the server's frames."""
    at = 0
    while at < len(data):
        first, size = data[at], data[at + 1]
        at += 2
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(data[at : at + width])
            at += width
        yield first, data[at : at + size]
        at += size
        assert at <= len(data), "the last frame is cut off"
