"""How a name of a person or a room is cleaned, found, told from others and, for a guest, chosen."""

from chat.names.guests import GUEST_NAMES, free_guest_name, numbered
from chat.names.marks import looks_marked, marked, unmarked
from chat.names.rules import (
    JOINERS,
    MAX_LOOK_CHARS,
    MAX_NAME_CHARS,
    BadName,
    clean_name,
    name_key,
    name_look,
    same_name,
)

__all__ = [
    "GUEST_NAMES",
    "JOINERS",
    "MAX_LOOK_CHARS",
    "MAX_NAME_CHARS",
    "BadName",
    "clean_name",
    "free_guest_name",
    "looks_marked",
    "marked",
    "name_key",
    "name_look",
    "numbered",
    "same_name",
    "unmarked",
]
