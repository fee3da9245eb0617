"""What visitors are called, and names with a number."""

import random
from collections.abc import Container

from chat.names.rules import MAX_NAME_CHARS


def free_guest_name(taken: Container[str]) -> str:
    """A random name of our list that is not in `taken`; numbered once the whole list is taken."""
    names = random.sample(GUEST_NAMES, len(GUEST_NAMES))
    free = next((name for name in names if name not in taken), None)
    return free if free is not None else numbered(names[0], taken)


def numbered(name: str, taken: Container[str]) -> str:
    """
    `name` with a number, such that it is not in `taken`.

    The number is random, of a range that widens with each miss: the thousandth visitor costs as few looks as
    the first.
    """
    bound = 100
    while True:
        number = str(random.randrange(2, bound))
        candidate = f"{name[: MAX_NAME_CHARS - 1 - len(number)]} {number}"
        if candidate not in taken:
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
