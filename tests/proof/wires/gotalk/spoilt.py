"""Bytes that are no gotalk messages: the server ends the connection with `f` 2 (docs/protocol.md)."""

import random

INVALID_MESSAGE, INVALID_MESSAGE_CLOSE = 2, 4002
TOO_FAST = 4429

BAD_SIZES = (b"-0000001", b"+0000001", b"0x000001", b"        ", b"0000_001", b"0000000g")
BAD_NAME_SIZES = (b"000", b"100", b"fff", b" 04", b"-01", b"zzz")
FAR_TOO_LARGE = (b"00400001", b"7fffffff", b"ffffffff")
"""More than four times the limit of 1 MiB."""


FLOOD = 6000 * b"n004nope00000000"
"""Far more messages than the burst, and as many again, that a connection may send at once."""


def unknown_type(chance: random.Random) -> bytes:
    return chance.choice((b"z", b"\x00", b"\xff", b"\n", b"1")) + b"0001004echo00000000"


def bad_size(chance: random.Random) -> bytes:
    return b"r0001004echo" + chance.choice(BAD_SIZES)


def bad_name_size(chance: random.Random) -> bytes:
    return b"r0001" + chance.choice(BAD_NAME_SIZES) + b"echo00000000"


def name_that_is_no_text(chance: random.Random) -> bytes:
    return chance.choice((b"n002\xff\xfe00000000", b"r0001003\xed\xa0\x8000000000"))


def payload_far_too_large(chance: random.Random) -> bytes:
    return b"r0001004echo" + chance.choice(FAR_TOO_LARGE) + bytes(chance.choice((0, 9, 70_000)))


def bad_number(chance: random.Random) -> bytes:
    return chance.choice((b"h00g000000000", b"e0001zzzzzzzz00000000", b"f0000000-"))


KINDS = (unknown_type, bad_size, bad_name_size, name_that_is_no_text, payload_far_too_large, bad_number)


def spoilt_message(chance: random.Random) -> tuple[str, bytes]:
    """What is wrong, and the bytes."""
    kind = chance.choice(KINDS)
    return kind.__name__, kind(chance)
