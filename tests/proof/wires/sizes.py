"""Sizes at which something changes: of a length, of what is read or buffered at once, of a limit."""

import random

MEBI = 1 << 20
RARELY = 0.001
"""How often payloads are large where many are sent, or rates are limited."""

SMALL = (0, 0, 1, 1, 2, 5, 124, 125, 126, 127, 128, 1000)
MIDDLE = (4095, 4096, 4097, 65_534, 65_535, 65_536, 65_537)
LARGE = (256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, MEBI - 1, MEBI)


def some_size(chance: random.Random, *, large: float) -> int:
    """Bytes of a payload, mostly few; `large` says how often they are `LARGE`."""
    sizes = chance.choices((SMALL, MIDDLE, LARGE), (0.9, 0.1, large))[0]
    return chance.choice(sizes)


def some_text(chance: random.Random, size: int) -> bytes:
    """So many bytes of UTF-8."""
    word = chance.choice(("word ", "é", "你好", "🦉", "\x00", "\n")).encode()
    return word * (size // len(word)) + b"." * (size % len(word))
