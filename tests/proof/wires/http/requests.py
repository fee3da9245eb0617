"""Requests of a program as bytes, and those that end its connection."""

import random
from typing import NamedTuple

MAX_BODY_BYTES = 65_536
MAX_HEADERS = 500
LONG = 200_000
"""Bytes; far more than a head may have."""
MAX_CHUNKS = 6

BAD_REQUEST, TOO_LARGE, HEAD_TOO_LARGE = 400, 413, 431


def request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """`headers` say how long the body is."""
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def length_of(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


CHUNKED = "Transfer-Encoding: chunked"


def chunked(body: bytes, chance: random.Random) -> bytes:
    """A body in chunks of any size (RFC 9112, section 7.1)."""
    cuts = sorted(chance.randint(0, len(body)) for _ in range(chance.randint(0, MAX_CHUNKS)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True) if start < end]
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


class Spoilt(NamedTuple):
    """What to write, and the status with which the server answers before it ends the connection."""

    what: str
    data: bytes
    status: int


def spoilt_request(chance: random.Random, target: str) -> Spoilt:
    much = bytes(chance.choice((MAX_BODY_BYTES + 1, 1 << 20)))
    some = chance.randint(1, 3)
    many = [f"X-Many: {number}" for number in range(MAX_HEADERS * some)]
    kinds = (
        Spoilt("no HTTP", b"hello\r\n" * some + b"\r\n", BAD_REQUEST),
        Spoilt("a header without a colon", request("GET", target, "nonsense"), BAD_REQUEST),
        Spoilt("no length", request("POST", target, "Content-Length: many"), BAD_REQUEST),
        Spoilt("two lengths", request("POST", target, length_of(b"1"), length_of(b"12"), body=b"1"), BAD_REQUEST),
        Spoilt(
            "a length of chunks", request("POST", target, CHUNKED, length_of(b"1"), body=b"0\r\n\r\n"), BAD_REQUEST
        ),
        Spoilt("a bad chunk", request("POST", target, CHUNKED, body=b"zz\r\n"), BAD_REQUEST),
        Spoilt("a long body", request("POST", target, length_of(much), body=much), TOO_LARGE),
        Spoilt("a long body to come", request("POST", target, length_of(much)), TOO_LARGE),
        Spoilt("a long body in chunks", request("POST", target, CHUNKED, body=chunked(much, chance)), TOO_LARGE),
        Spoilt("a long target", request("GET", f"{target}?{'x' * LONG}"), HEAD_TOO_LARGE),
        Spoilt("a long header", request("GET", target, f"X-Long: {'x' * LONG}"), HEAD_TOO_LARGE),
        Spoilt("many headers", request("GET", target, *many), HEAD_TOO_LARGE),
    )
    return chance.choice(kinds)
