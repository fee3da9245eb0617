"""2: each ping is answered with its payload, and pongs that nobody asked for are ignored."""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import PROTOCOL_ERROR, Case, answered, failed
from tests.raw_websocket import PING, PONG, TEXT, answer, frame, octets

PAYLOADS = (b"", b"hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 124, b"\xfe" * 125)


def cases() -> Iterator[Case]:
    for payload in PAYLOADS:
        ping, pong = frame(PING, payload), answer(PONG, payload)
        name = f"2 ping of {len(payload)} bytes"
        yield answered(name, ping, by=pong)
        yield answered(f"{name} in octets", *octets(ping), by=pong)
        yield answered(f"2 pong of {len(payload)} bytes that nobody asked for", frame(PONG, payload))
        yield answered(f"{name} behind such a pong", frame(PONG, payload), ping, by=pong)
    many = [b"ping %d" % number for number in range(10)]
    pings, pongs = [frame(PING, each) for each in many], b"".join(answer(PONG, each) for each in many)
    yield answered("2 ten pings", *pings, by=pongs)
    yield answered("2 ten pings in one write", b"".join(pings), by=pongs)
    yield answered("2 ten pings in octets", *octets(*pings), by=pongs)
    hello = frame(TEXT, b"hello")
    both = answer(TEXT, b"hello") + answer(PONG, b"x")
    yield answered("2 ping behind a message", hello, frame(PING, b"x"), by=both)
    yield answered("2 ping before a message", frame(PING, b"x"), hello, by=both)
    for size in (126, 127, 65535, 65536):
        for opcode, name in ((PING, "ping"), (PONG, "pong")):
            yield failed(f"2 {name} of {size} bytes", frame(opcode, b"x" * size), code=PROTOCOL_ERROR)
    yield failed(
        "2 ping of 126 bytes after a message",
        hello + frame(PING, b"x" * 126),
        code=PROTOCOL_ERROR,
        after=answer(TEXT, b"hello"),
    )
