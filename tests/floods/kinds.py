"""
Everything that a stranger can send to a site, read off what the site itself knows: so what is new is flooded too.

tests/proof/flooder.py floods the peer of the library, message type by message type.
"""

import re
from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from chat.actions.limits import RATES
from chat.doors.http.answers import is_api
from chat.doors.push.opcodes import Opcode, frame
from chat.services.push import FIRST_FREE
from project.routing import websocket_router
from rpc import Limits, default_handlers, describe
from tests.chat.doors.hostile import plain
from tests.floods.stranger import ADDRESS, Flood
from tests.raw_websocket import BINARY, TEXT
from tests.raw_websocket import frame as websocket_frame

TWICE = 2
ROOM = "animals"
"""A room of each new site, into which everybody may go."""
SAMPLES = {"room": b'"animals"', "name": b'"animals"', "id": b"1", "emoji": '"👍"'.encode()}
WORDS = {"int": "1", "path": ROOM, "str": "x", "slug": "x", None: "x"}
"""What stands for a part of an address, by its converter."""

UNKNOWN = 0
"""An opcode."""
JSON = b'{"room": "animals", "body": "hello"}'
LEFT_OUT = re.compile(r"^admin/(?!$|login/)")
"""Addresses: to strangers all pages of the admin but these are one, which leads to the form for logging in."""


def messages() -> int:
    """Twice as many as a connection may send at once."""
    burst = Limits().messages_burst
    assert burst is not None
    return TWICE * burst


def floods() -> list[Flood]:
    return [*operations(), *notifications(), *opcodes(), *lines(), *frames(), *routes()]


def operations() -> Iterator[Flood]:
    """Requests of each operation, with parameters that it takes."""
    description = describe(default_handlers)
    for name, entry in description.operations.items():
        payload = plain(entry.params, description.defs, SAMPLES)[0]
        head = b"r0001%03x%b%08x" % (len(name), name.encode(), len(payload))
        yield _gotalk(f"operation {name}", head + payload)


def notifications() -> Iterator[Flood]:
    description = describe(default_handlers)
    for name, entry in description.notifications.items():
        payload = plain(entry.params, description.defs, SAMPLES)[0]
        yield _gotalk(f"notification {name}", b"n%03x%b%08x" % (len(name), name.encode(), len(payload)) + payload)


def _gotalk(name: str, message: bytes) -> Flood:
    opening = websocket_frame(BINARY, b"01")
    return Flood(name, "/gotalk/", opening, websocket_frame(BINARY, message), messages())


def opcodes() -> Iterator[Flood]:
    """Frames of each opcode, of one that is unknown and of one that is an application's."""
    for opcode in (*Opcode, UNKNOWN, FIRST_FREE):
        data = frame(opcode, JSON if opcode == Opcode.SEND else ROOM.encode())
        yield Flood(f"opcode {opcode:d}", "/push", b"", websocket_frame(BINARY, data), messages())


def lines() -> Iterator[Flood]:
    """Lines as a person types them and as a program writes them, at each form of the door."""
    for query in ("", "?names=1", "?format=json", "?since=0"):
        line = JSON if "json" in query else b"hello"
        yield Flood(f"line {query}", f"/ws/{ROOM}{query}", b"", websocket_frame(TEXT, line), messages())


def frames() -> Iterator[Flood]:
    """Each kind of frame that four bits can name (RFC 6455, section 5.2), at each path."""
    for path in paths():
        for kind in range(16):
            yield Flood(f"frame {kind:x} {path}", path, b"", websocket_frame(kind, b"01"), messages())


def paths() -> list[str]:
    """One of each route of WebSockets, that of unknown paths among them."""
    return ["/" + (_address(str(route.pattern)) or "nowhere") for route in websocket_router().routes]


def routes() -> Iterator[Flood]:
    """Requests that read and requests that write, at each address."""
    for path in addresses():
        burst = RATES["api" if is_api(path) else "page"].burst
        for method, body in (("GET", b""), ("POST", JSON)):
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {ADDRESS}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            yield Flood(f"{method} {path}", "", b"", head.encode() + body, TWICE * int(burst))


def addresses() -> list[str]:
    """One of each route of HTTP that is not left out."""
    found = {_address(route) for route in _routes(get_resolver().url_patterns, "")}
    return sorted("/" + each for each in found if not LEFT_OUT.match(each))


def _routes(patterns: Iterable[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _address(route: str) -> str:
    """An address to which a route leads: of a path of Django's, or of a regular expression."""
    route = re.sub(r"\(\?P<\w+>[^()]*\)", ROOM, route)
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda part: WORDS[part[1]], route)
    return route.translate({ord(char): None for char in "^$?"}).replace("\\Z", "")
