"""
The mark of a private room's name, such as "cellar ~k3f9x": what comes before it is the title.

A name is taken once, and whoever tries one learns that it is. With a mark that nobody can choose no name that
somebody tries is that of a room which they may not see.
"""

import re
import secrets

from chat.names.rules import MAX_NAME_CHARS, BadName, name_look

_LETTERS = "abcdefghjknpqrstuvwxyz23456789"
"""Without those that look like others, so that a mark looks like itself."""
_LENGTH = 5
_MARK = re.compile(f" ~[{_LETTERS}]{{{_LENGTH}}}$")
MAX_TITLE_CHARS = MAX_NAME_CHARS - len(" ~") - _LENGTH


def marked(title: str) -> str:
    """
    A name for a private room, another one each time.

    Raises:
        BadName: longer than `MAX_TITLE_CHARS`.
    """
    if len(title) > MAX_TITLE_CHARS:
        raise BadName(f"the name of a private room has at most {MAX_TITLE_CHARS} characters")
    return f"{title} ~{''.join(secrets.choice(_LETTERS) for _ in range(_LENGTH))}"


def looks_marked(name: str) -> bool:
    return _MARK.search(name_look(name)) is not None


def unmarked(name: str) -> str:
    """The title; a name without a mark is its own."""
    return _MARK.sub("", name)
