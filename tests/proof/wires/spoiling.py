"""What can go wrong with any message, and what may come behind one that is wrong."""

import random

SCRAMBLED_BYTES = 40
"""Where bits are flipped: beyond that there is payload."""


def scrambled(data: bytes, chance: random.Random) -> tuple[str, bytes]:
    """Something valid with some bits flipped, or without its end; and which of the two."""
    written = bytearray(data)
    if chance.random() < 0.5:
        for _ in range(chance.randint(1, 3)):
            written[chance.randrange(min(len(written), SCRAMBLED_BYTES))] ^= 1 << chance.randrange(8)
        return "flipped bits", bytes(written)
    return "a missing end", bytes(written[: chance.randrange(len(written))])


def ballast(chance: random.Random) -> list[bytes]:
    """What comes behind last words, and must not turn the end into a reset."""
    pieces = []
    while chance.random() < 0.5:
        pieces.append(bytes(chance.choice((0, 1, 100, 70_000))))
    return pieces
