"""What a client asks for in the address of a door."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from rpc import CloseCode, Refused


def query_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """
    The query of an ASGI scope by name; of repeated names the last one counts.

    Raises:
        Refused: it is no UTF-8.
    """
    try:
        text = scope.get("query_string", b"").decode()
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100))
    except ValueError:
        raise Refused(CloseCode.BAD_MESSAGE, "the address is not valid") from None


def number_of(query: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    """
    A whole number of the query, None if it is not there.

    Raises:
        Refused: it is none from `least` to `most`.
    """
    text = query.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
        return int(text)
    raise Refused(CloseCode.BAD_MESSAGE, f"{name} must be a whole number from {least} to {most}")
