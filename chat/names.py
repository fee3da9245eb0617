"""How a name of a person or a room is cleaned, compared and, for a guest, chosen."""

import random
import unicodedata
from collections.abc import Container

from rpc import OperationError

MAX_NAME_CHARS = 40
"""Longest name of a person or a room, in characters: one line of the page's side bar at twice its width."""

JOINERS = "\u200c\u200d"
"""Invisible, yet they hold emoji and several scripts together; no other format character may stand in a name."""


class BadName(OperationError):
    """The text cannot be a name; says why in words for the person who typed it."""

    def __init__(self, text: str, code: str = "bad_name") -> None:
        super().__init__(text, code=code, field="name")


def clean_name(text: str) -> str:
    """
    The one way a name is stored: NFC, spaces folded, nothing invisible in it.

    Raises:
        BadName: empty, longer than `MAX_NAME_CHARS`, or with control or direction characters.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadName("empty name", code="empty_name")
    if len(name) > MAX_NAME_CHARS:
        raise BadName(f"a name has at most {MAX_NAME_CHARS} characters")
    if not all(char.isprintable() or char in JOINERS for char in name):
        raise BadName("a name may not contain control or direction characters")
    return name


def name_key(name: str) -> str:
    """What two names are compared by, so that "ULYSSES" and "Ｕlysses" are one (UAX #15 NFKC, case folded)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def free_guest_name(taken: Container[str]) -> str:
    """A random name of our list whose key is not in `taken`; numbered once the whole list is taken."""
    names = random.sample(GUEST_NAMES, len(GUEST_NAMES))
    free = next((name for name in names if name_key(name) not in taken), None)
    return free if free is not None else numbered(names[0], taken)


def numbered(name: str, taken: Container[str]) -> str:
    """
    `name` with a number, such that its key is not in `taken`.

    The number is random, of a range that widens with each miss: the thousandth visitor costs as few looks as
    the first.
    """
    bound = 100
    while True:
        number = str(random.randrange(2, bound))
        candidate = f"{name[: MAX_NAME_CHARS - 1 - len(number)]} {number}"
        if name_key(candidate) not in taken:
            return candidate
        bound *= 4


GUEST_NAMES = [
    "Abeni", "Aiko", "Ailsa", "Akua", "Alma", "Amara", "Amina", "Anahí", "Anouk", "Arvo",
    "Asger", "Ayşe", "Bahar", "Bao", "Beatriz", "Birgit", "Bojan", "Branwen", "Bruno", "Célia",
    "Chidi", "Dafydd", "Dalia", "Darya", "Deniz", "Dilnoza", "Edda", "Eero", "Eleni", "Emeka",
    "Enzo", "Esra", "Farah", "Fatou", "Fergus", "Freya", "Giulia", "Goran", "Gwen", "Habib",
    "Hana", "Haruki", "Hedda", "Hoku", "Ilse", "Imani", "Ines", "Ioana", "Itziar", "Ivo",
    "Jaana", "Jamal", "Joaquín", "Jorunn", "Kaito", "Kalani", "Kamala", "Katya", "Keiko", "Kofi",
    "Laima", "Leila", "Linnea", "Lupe", "Maarja", "Mahina", "Malik", "Manu", "Marisol", "Mei",
    "Mihail", "Naledi", "Nanami", "Niamh", "Nikos", "Odile", "Ola", "Oksana", "Omar", "Paloma",
    "Priya", "Rania", "Ravi", "Rhys", "Roza", "Saoirse", "Selam", "Sindri", "Soo-ah", "Tariq",
    "Tove", "Ulysses", "Vesna", "Wanjiru", "Xiomara", "Yara", "Yusuf", "Zoltan", "小明", "晓月",
]  # fmt: skip
"""A hundred, from many languages, each one word and easy to say."""
