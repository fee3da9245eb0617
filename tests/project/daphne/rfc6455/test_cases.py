"""
The WebSocket protocol (RFC 6455) at a real site, byte by byte: what the sections 1 to 7, 9 and 10 of the Autobahn
test suite ask of a server, and stricter: what was valid is answered before the close, and nothing is reset.

Sections 12 and 13 are about compression, which is not offered (docs/doors.md).
"""

import asyncio
from hashlib import sha256

import pytest

from tests.project.daphne.rfc6455 import closes, fragmentation, framing, pings, reserved, sizes, utf8
from tests.project.daphne.rfc6455.case import Case
from tests.raw_websocket import CLOSE, answer_to, frames_of, handshake, play
from tests.server import Server

SECTIONS = (framing, pings, reserved, fragmentation, utf8, closes, sizes)
AT_ONCE = 64
LARGE_AT_ONCE = 3
"""Of messages of 4 MiB: one address may leave no more of them unfinished."""
MAX_SHOWN_BYTES = 125


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of a site that lets clients send as fast as they can."""
    with Server(tmp_path_factory.mktemp("site") / "data", environment={"RATE_LIMITS": "off"}) as site:
        yield site.port


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__.rpartition(".")[2])
def test_every_case(port, section):
    """The answers, one close frame, and the end of the stream; several clients at once, as none minds another."""
    cases = list(section.cases())
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    at_once = LARGE_AT_ONCE if section is sizes else AT_ONCE
    assert asyncio.run(heard_by(port, cases, at_once)) == {case.name: wanted(case) for case in cases}


@pytest.mark.parametrize(
    "offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-webkit-deflate"]
)
def test_compression_is_not_accepted(port, offer):
    """The answer names no extension, so the client compresses nothing either (section 9.1)."""
    status, headers = answer_to(port, handshake("/echo", f"Sec-WebSocket-Extensions: {offer}"))
    assert status == b"HTTP/1.1 101 Switching Protocols"
    assert [line for line in headers if line.lower().startswith(b"sec-websocket-extensions")] == []


async def heard_by(port, cases, at_once):
    places = asyncio.Semaphore(at_once)

    async def heard(case):
        async with places:
            return outcome(case, await play(port, handshake("/echo"), case.sent))

    return dict(zip((case.name for case in cases), await asyncio.gather(*map(heard, cases)), strict=True))


def wanted(case: Case):
    closed = case.closed.to_bytes(2) if isinstance(case.closed, int) else case.closed
    return parted([*frames_of(case.answers), (0x80 | CLOSE, closed)])


def outcome(case: Case, heard: bytes):
    *answers, (first, closed) = frames_of(heard)
    if isinstance(case.closed, int):
        closed[2:].decode()
        closed = closed[:2]
    return parted([*answers, (first, closed)])


def parted(frames):
    """Messages and control frames, each in their order: a pong may overtake a message (section 5.5.2)."""
    shown = [
        (first, payload if len(payload) <= MAX_SHOWN_BYTES else sha256(payload).hexdigest())
        for first, payload in frames
    ]
    return [each for each in shown if each[0] & 8 == 0], [each for each in shown if each[0] & 8]
