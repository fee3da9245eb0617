"""How a name is cleaned, found and told from others."""

import unicodedata
from functools import cache
from pathlib import Path

from django.db.models import Q

from rpc import OperationError

MAX_NAME_CHARS = 40
"""Longest name of a person or a room, in characters: one line of the page's side bar at twice its width."""
MAX_LOOK_CHARS = 4 * MAX_NAME_CHARS
"""A look may be longer than its name: an "m" looks like "rn"."""

JOINERS = "\u200c\u200d"
"""Invisible, yet they hold emoji and several scripts together; no other format character may stand in a name."""
SELECTORS = frozenset(map(chr, [*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
"""They choose the form of the character before them."""
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159")
"""Letters, marks and symbols that show nothing, though Unicode counts them among those that do."""
UNSEEN = SELECTORS | BLANKS | set(JOINERS)


class BadName(OperationError):
    """The text cannot be a name; says why in words for the person who typed it."""

    def __init__(self, text: str, code: str = "bad_name") -> None:
        super().__init__(text, code=code, field="name")


def clean_name(text: str) -> str:
    """
    The one way a name is stored: NFC, spaces folded, nothing invisible in it.

    Raises:
        BadName: nothing to see in it, longer than `MAX_NAME_CHARS`, or with control, direction or blank characters.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadName("empty name", code="empty_name")
    if len(name) > MAX_NAME_CHARS:
        raise BadName(f"a name has at most {MAX_NAME_CHARS} characters")
    if not all(char.isprintable() or char in JOINERS for char in name):
        raise BadName("a name may not contain control or direction characters")
    if not BLANKS.isdisjoint(name):
        raise BadName("a name may not contain blank characters")
    if not any(unicodedata.category(char)[0] in "LNPS" for char in name):
        raise BadName("empty name", code="empty_name")
    if len(name_look(name)) > MAX_LOOK_CHARS:
        raise BadName("this name is too long")
    return name


def name_key(name: str) -> str:
    """What a name is found by, so that "ULYSSES" and "Ｕlysses" are one (UAX #15 NFKC, case folded)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def name_look(name: str) -> str:
    """
    What no two names share, lest one be taken for the other: the skeleton of UTS #39, section 4, case folded.

    "I" looks like "l", and "i" is the same letter as "I": in names the three are one.
    """
    # What was folded may look like something else again, and that once more.
    for _ in range(3):
        name = _skeleton(name).casefold()
    return name.replace("i", "l")


def same_name(name: str) -> Q:
    """The rows that bear a name in any spelling, or one that looks like it."""
    return Q(name_key=name_key(name)) | Q(name_look=name_look(name))


def _skeleton(text: str) -> str:
    seen = "".join(char for char in _decomposed(text) if char not in UNSEEN)
    return _decomposed(" ".join(seen.translate(_alike()).split()))


def _decomposed(text: str) -> str:
    # UTS #39 asks for NFD; with NFKC before it, as in a key, names of one key are of one look.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))


@cache
def _alike() -> dict[int, str]:
    """Character → its prototype. bin/confusables writes the table."""
    lines = Path(__file__).with_name("confusables.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("# "))
    return {ord(source): prototype for prototype, sources in pairs for source in sources}
