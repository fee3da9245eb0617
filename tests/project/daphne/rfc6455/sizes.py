"""
9 and 10: large messages, many messages, and each in pieces.

The echo door takes messages of at most 1 MiB, and the server none of more than 4 MiB at any door: above either,
the answer is 1009.
"""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import TOO_BIG, Case, answered, failed
from tests.raw_websocket import BINARY, TEXT, answer, cut, fragments, frame

KIB, MIB = 1024, 1024 * 1024
KINDS = (("text", TEXT, b"*"), ("binary", BINARY, b"\xfe"))


def cases() -> Iterator[Case]:
    for kind, opcode, byte in KINDS:
        for size in (64 * KIB, 256 * KIB, MIB - 1, MIB):
            yield answered(f"9 {kind} of {size} bytes", frame(opcode, byte * size), by=answer(opcode, byte * size))
        yield from too_large(kind, opcode, byte)
        yield from in_pieces(kind, opcode, byte)
        for size in (0, 16, 64, 256, KIB, 4 * KIB):
            many = frame(opcode, byte * size) * 1000
            yield answered(f"9 1,000 times {kind} of {size} bytes", many, by=answer(opcode, byte * size) * 1000)
        yield from fragmented(kind, opcode, byte)


def too_large(kind: str, opcode: int, byte: bytes) -> Iterator[Case]:
    hello, back = frame(TEXT, b"hello"), answer(TEXT, b"hello")
    for size in (MIB + 1, 4 * MIB, 4 * MIB + 1, 8 * MIB, 16 * MIB):
        # The door closes as one who has said enough: the client's close is due too.
        bye = answered("", frame(opcode, byte * size)).sent
        yield Case(f"9 {kind} of {size} bytes", bye, b"", TOO_BIG)
    # The header is enough: nothing else is ever sent.
    for size in (4 * MIB + 1, 1 << 32, (1 << 63) - 1):
        alone = frame(opcode, b"", size=size)
        yield failed(f"9 {kind} that says it has {size} bytes", hello + alone, code=TOO_BIG, after=back)
    pieces = fragments(opcode, *cut(byte * (4 * MIB), MIB), byte)
    yield failed(f"9 {kind} of 4 MiB and a byte in fragments", *pieces, code=TOO_BIG)


def in_pieces(kind: str, opcode: int, byte: bytes) -> Iterator[Case]:
    whole, back = byte * MIB, answer(opcode, byte * MIB)
    for size in (64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB):
        pieces = b"".join(fragments(opcode, *cut(whole, size)))
        yield answered(f"9 {kind} of 1 MiB in fragments of {size}", pieces, by=back)
    for size in (64, 128, 256, 512, KIB, 2 * KIB):
        yield answered(f"9 {kind} of 1 MiB in writes of {size}", *cut(frame(opcode, whole), size), by=back)


def fragmented(kind: str, opcode: int, byte: bytes) -> Iterator[Case]:
    """As libraries cut messages by themselves: in frames that the last write shares with what is next."""
    for size, limit in ((64 * KIB, 1300), (4 * KIB, 1), (3, 1), (4 * KIB, 4 * KIB)):
        pieces = b"".join(fragments(opcode, *cut(byte * size, limit)))
        name = f"10 {kind} of {size} bytes, cut at {limit} by the library"
        yield answered(name, *cut(pieces * 2, 1024), by=answer(opcode, byte * size) * 2)
