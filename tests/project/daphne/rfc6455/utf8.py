"""
6: text is UTF-8. What is not is known by its first impossible byte, and nothing behind it is waited for.

The sequences follow from the definition (RFC 3629): the first and the last character of each length, what is
around the gaps of Unicode, and each way to get it wrong.
"""

import codecs
from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import NOT_UTF8, Case, answered, failed
from tests.raw_websocket import BINARY, TEXT, answer, cut, fragments, frame, octets

CHARACTERS = (
    *(0x00, 0x01, 0x7E, 0x7F),
    *(0x80, 0x81, 0x7FE, 0x7FF),
    *(0x800, 0x801, 0xD7FF, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF),
    *(0x10000, 0x10001, 0x1F600, 0x10FFFE, 0x10FFFF),
    # Not characters, but code points all the same: RFC 3629 has no exception for them.
    *(0xFDD0, 0xFDEF, *(plane << 16 | last for plane in range(1, 16) for last in (0xFFFE, 0xFFFF))),
)
WORDS = ("κόσμε", "Ä", "你好，世界", "👩‍👩‍👧 héllo", "\0")


def encoded(number: int, length: int) -> bytes:
    """A number as a sequence of so many bytes, in the form that RFC 3629 gives to the lengths 2 to 4."""
    tail = []
    for _ in range(length - 1):
        tail.append(0x80 | number & 0x3F)
        number >>= 6
    return bytes([(0xFF << 8 - length) & 0xFF | number, *reversed(tail)])


def sequences() -> Iterator[tuple[str, bytes]]:
    """Each way to get it wrong, with its name."""
    for length in range(2, 7):
        yield f"first start of {length} bytes alone", encoded(0, length)[:1]
        yield f"last start of {length} bytes alone", encoded((1 << 5 * length + 1) - 1, length)[:1]
    for length, number in ((3, 0xFFFD), (4, 0x10FFFF)):
        for kept in range(2, length):
            yield f"cut off after {kept} of {length}", encoded(number, length)[:kept] + b"."
    too_long = [(number, length) for number in (0x00, 0x2F, 0x7F) for length in range(2, 7)]
    for number, length in (*too_long, (0x7FF, 3), (0xFFFF, 4), (0x10FFFF, 5), (0x10FFFF, 6)):
        yield f"U+{number:04X} in {length} bytes", encoded(number, length)
    for number, length in ((0x110000, 4), (0x1FFFFF, 4), (0x200000, 5), (0x3FFFFFF, 5), (0x7FFFFFFF, 6)):
        yield f"above Unicode: {number:X}", encoded(number, length)
    for half in (0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF):
        yield f"half a pair: U+{half:04X}", encoded(half, 3)
    for high, low in ((0xD800, 0xDC00), (0xD800, 0xDFFF), (0xDBFF, 0xDC00), (0xDBFF, 0xDFFF)):
        yield f"a pair in two sequences: U+{high:04X} U+{low:04X}", encoded(high, 3) + encoded(low, 3)
    for count in range(2, 8):
        yield f"{count} continuations of nothing", (b"\x80\xbf" * count)[:count]
    for byte in (0x80, 0xBF, 0xC0, 0xC1, 0xF5, 0xFE, 0xFF):
        yield f"the byte {byte:X}", bytes((byte,))
    yield "a start after a start", b"\xc3\xc3\xa9"
    yield "a word in Latin 1", "schön".encode("latin-1")


def cases() -> Iterator[Case]:
    yield answered("6 empty", frame(TEXT), by=answer(TEXT))
    yield from valid()
    yield from cut_off()
    for name, wrong in sequences():
        yield from invalid(name, wrong)
    yield answered("6 binary need not be UTF-8", frame(BINARY, b"\xff\xc0\x80"), by=answer(BINARY, b"\xff\xc0\x80"))


def valid() -> Iterator[Case]:
    for number in CHARACTERS:
        text = chr(number).encode()
        yield answered(f"6 U+{number:04X}", frame(TEXT, text), by=answer(TEXT, text))
    for word in WORDS:
        text = word.encode()
        back = answer(TEXT, text)
        name = f"6 {word!a}"
        yield answered(name, frame(TEXT, text), by=back)
        yield answered(f"{name}, in octets", *octets(frame(TEXT, text)), by=back)
        yield answered(f"{name}, a frame for each byte", *fragments(TEXT, *cut(text, 1)), by=back)
        for at in range(1, len(text)):
            frames = fragments(TEXT, text[:at], text[at:])
            yield answered(f"{name}, in two frames: {at}", b"".join(frames), by=back)


def cut_off() -> Iterator[Case]:
    """A message that ends within a character."""
    text = "κόσμε".encode()
    for at in range(1, len(text)):
        if text[at] & 0xC0 == 0x80:
            yield failed(f"6 ended within a character at {at}", frame(TEXT, text[:at]), code=NOT_UTF8)
            frames = fragments(TEXT, text[:at], b"")
            yield failed(f"6 ended within a character at {at}, by an empty frame", *frames, code=NOT_UTF8)
    hello = frame(TEXT, b"hello") + frame(TEXT, text[:-1])
    yield failed("6 ended within a character after a message", hello, code=NOT_UTF8, after=answer(TEXT, b"hello"))


def invalid(name: str, wrong: bytes) -> Iterator[Case]:
    text = "κό".encode() + wrong + "σμε".encode()
    good = frame(TEXT, "κό".encode())
    back = answer(TEXT, "κό".encode())
    yield failed(f"6 {name}", frame(TEXT, text), code=NOT_UTF8)
    yield failed(f"6 {name}, after a message", good + frame(TEXT, text) + good, code=NOT_UTF8, after=back)
    # No more than that is ever sent: whoever waits for the rest of the frame, or of the message, waits in vain.
    start = text[: first_impossible(text) + 1]
    yield failed(f"6 {name}, by the first impossible byte", frame(TEXT, start, size=len(text)), code=NOT_UTF8)
    frames = b"".join(frame(TEXT if not at else 0, byte, fin=False) for at, byte in enumerate(cut(start, 1)))
    yield failed(f"6 {name}, by the first impossible frame", frames, code=NOT_UTF8)


def first_impossible(text: bytes) -> int:
    """Where the first byte stands after which no rest would make it UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(len(text)):
        try:
            decoder.decode(text[at : at + 1])
        except UnicodeDecodeError:
            return at
    raise AssertionError("it is UTF-8")
