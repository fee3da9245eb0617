"""How much of a list fits into one answer."""

from collections.abc import Sequence
from typing import Any

import msgspec

MAX_LIST_BYTES = 768 * 1024
"""Of a list as JSON: what is around it must fit within a payload too, which is 1 MiB."""

_json = msgspec.json.Encoder().encode


def fitting(entries: Sequence[Any], max_bytes: int = MAX_LIST_BYTES) -> int:
    """How many of the first entries have at most so many bytes as JSON together: one at least, if there is one."""
    size = 0
    for index, entry in enumerate(entries):
        size += len(_json(entry)) + 1
        if index and size > max_bytes:
            return index
    return len(entries)


def json_size(entries: Sequence[Any]) -> int:
    """Bytes of entries as JSON, in an array."""
    return len(_json(entries))
