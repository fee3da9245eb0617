"""WebSocket frames that a client may not send, and the close code that answers each (RFC 6455, section 7.4.1)."""

import random
import struct
from collections.abc import Callable
from typing import NamedTuple

from tests.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame

PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

NOT_TEXT = (
    b"\xff",
    b"\xc0\xaf",  # overlong
    b"\xed\xa0\x80",  # a surrogate
    b"\xf4\x90\x80\x80",  # beyond the last code point
    b"good so far \xe2\x82",  # ends within a character
)


class Spoilt(NamedTuple):
    """What to write, and the code with which the server closes for it."""

    what: str
    data: bytes
    code: int


Spoil = Callable[[random.Random], tuple[bytes, int]]


def reserved_bit(chance: random.Random) -> tuple[bytes, int]:
    return frame(chance.choice((TEXT, BINARY, PING)), b"hello", rsv=chance.randint(1, 7)), PROTOCOL_ERROR


def reserved_opcode(chance: random.Random) -> tuple[bytes, int]:
    return frame(chance.choice((*range(3, 8), *range(11, 16))), b"hello"), PROTOCOL_ERROR


def unmasked(chance: random.Random) -> tuple[bytes, int]:
    return b"\x82\x05hello", PROTOCOL_ERROR


def fragmented_ping(chance: random.Random) -> tuple[bytes, int]:
    return frame(PING, b"hello", fin=False), PROTOCOL_ERROR


def long_ping(chance: random.Random) -> tuple[bytes, int]:
    return frame(PING, bytes(chance.randint(126, 70_000))), PROTOCOL_ERROR


def continuation_of_nothing(chance: random.Random) -> tuple[bytes, int]:
    return frame(CONTINUATION, b"hello", fin=chance.random() < 0.5), PROTOCOL_ERROR


def message_within_a_message(chance: random.Random) -> tuple[bytes, int]:
    return frame(BINARY, b"hel", fin=False) + frame(chance.choice((TEXT, BINARY)), b"lo"), PROTOCOL_ERROR


def long_form_of_a_short_length(chance: random.Random) -> tuple[bytes, int]:
    return chance.choice((b"\x82\xfe\x00\x05", b"\x82\xff" + struct.pack(">Q", 5))) + bytes(9), PROTOCOL_ERROR


def impossible_length(chance: random.Random) -> tuple[bytes, int]:
    return b"\x82\xff\xff" + chance.randbytes(7) + bytes(10), PROTOCOL_ERROR


def not_utf8(chance: random.Random) -> tuple[bytes, int]:
    bad = chance.choice(NOT_TEXT)
    cut = chance.randint(0, len(bad))
    fragments = frame(TEXT, bad[:cut], fin=False) + frame(CONTINUATION, bad[cut:])
    return chance.choice((frame(TEXT, bad), fragments)), NOT_UTF8


def declared_too_big(chance: random.Random) -> tuple[bytes, int]:
    size = chance.choice((MAX_MESSAGE_BYTES + 1, 1 << 31, (1 << 63) - 1))
    return frame(BINARY, bytes(chance.choice((0, 100, 70_000))), size=size), TOO_BIG


def fragments_too_big(chance: random.Random) -> tuple[bytes, int]:
    half = frame(CONTINUATION, bytes(MAX_MESSAGE_BYTES // 2 + 1), fin=False)
    return frame(BINARY, fin=False) + half + half, TOO_BIG


def close_of_one_byte(chance: random.Random) -> tuple[bytes, int]:
    return frame(CLOSE, b"\x03"), PROTOCOL_ERROR


def close_with_no_such_code(chance: random.Random) -> tuple[bytes, int]:
    code = chance.choice((0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535))
    return frame(CLOSE, struct.pack(">H", code) + b"because"), PROTOCOL_ERROR


def close_whose_reason_is_no_text(chance: random.Random) -> tuple[bytes, int]:
    return frame(CLOSE, struct.pack(">H", 1000) + chance.choice(NOT_TEXT)), NOT_UTF8


KINDS: tuple[Spoil, ...] = (
    reserved_bit,
    reserved_opcode,
    unmasked,
    fragmented_ping,
    long_ping,
    continuation_of_nothing,
    message_within_a_message,
    long_form_of_a_short_length,
    impossible_length,
    not_utf8,
    declared_too_big,
    fragments_too_big,
    close_of_one_byte,
    close_with_no_such_code,
    close_whose_reason_is_no_text,
)


def spoilt_frame(chance: random.Random) -> Spoilt:
    kind = chance.choice(KINDS)
    return Spoilt(kind.__name__, *kind(chance))
