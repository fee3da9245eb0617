"""Hostile inputs for the decoder: nothing but a protocol error comes out, and memory follows the bytes."""

import random
import tracemalloc

import pytest

from rpc import RemoteProtocolError
from rpc.protocol.codec import Decoder
from tests.rpc.wire import VECTORS
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

INPUTS = short_or_whole(100_000, 1_000_000)
MAX_PAYLOAD = 100
SEEDS = [bytes.fromhex(each["hex"]) for each in VECTORS["valid"] + VECTORS["invalid"]]
INTERESTING = [
    b"0",
    b"f",
    b"ffffffff",
    b"00000000",
    b"80000000",
    b"\x00",
    b"\xff",
    b"n",
    b"r",
    b"s",
    b"p",
    b"h",
    b"+",
    b" ",
]


def mutated(chance: random.Random) -> bytes:
    """A conversation that was right once."""
    data = bytearray(b"".join(chance.choices(SEEDS, k=chance.randint(1, 3))))
    for _ in range(chance.randint(0, 6)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + chance.randint(1, 8)] = chance.choice(INTERESTING)
            case 1:
                data[at : at + 1] = bytes((chance.randrange(256),))
            case 2:
                del data[at : at + chance.randint(1, 10)]
            case 3:
                data[at:at] = data[chance.randrange(len(data) + 1) :][:20]
    return bytes(data)


def decode(data: bytes, chance: random.Random) -> int:
    """Feed it in random pieces, as text or not; returns the number of messages before the end or the error."""
    decoder = Decoder(MAX_PAYLOAD, framed=chance.random() < 0.5)
    text = chance.random() < 0.2
    messages = at = 0
    while at < len(data):
        size = chance.choice((1, 7, 13, len(data)))
        decoder.feed(data[at : at + size], text)
        at += size
        try:
            while decoder.next_message() is not None:
                messages += 1
        except RemoteProtocolError as error:
            assert error.code == 2
            return messages
    return messages


def test_random_inputs():
    """Every one of them is decoded or refused; the seed is fixed, so that a failure can be repeated."""
    chance = random.Random(1)
    decoded = sum(decode(mutated(chance), chance) for _ in range(INPUTS))
    assert decoded > INPUTS / 4


def test_memory_follows_the_bytes_that_came():
    """A header that declares four times the limit costs what it is long, not what it declares."""
    limit = 1024 * 1024
    tracemalloc.start()
    try:
        decoders = []
        for framed in (True, False):
            for _ in range(50):
                decoder = Decoder(limit, framed=framed)
                decoder.feed(b"r0001004echo%08x" % limit + bytes(10))
                assert decoder.next_message() is None
                decoders.append(decoder)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


def test_memory_of_what_is_skipped():
    """A payload over the limit is never kept."""
    limit = 64 * 1024
    decoder = Decoder(limit, framed=False)
    decoder.feed(b"r0001004echo%08x" % (4 * limit))
    assert decoder.next_message() is not None
    piece = bytes(1024)
    tracemalloc.start()
    try:
        for _ in range(4 * limit // 1024):
            decoder.feed(piece)
            assert decoder.next_message() is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit / 8
    decoder.feed(b"r0002004echo00000000")
    assert decoder.next_message().id == b"0002"
