"""5: messages in several frames, with control frames between them; no control frame is in several."""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import PROTOCOL_ERROR, Case, answered, failed
from tests.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    NORMAL,
    PING,
    PONG,
    TEXT,
    answer,
    fragments,
    frame,
    octets,
)

WHOLE = b"fragments"
PARTS = (b"frag", b"ments")
BACK = answer(TEXT, WHOLE)


def cases() -> Iterator[Case]:
    yield from whole_messages()
    yield from pings_between()
    yield from out_of_order()


def whole_messages() -> Iterator[Case]:
    for kind, opcode in (("text", TEXT), ("binary", BINARY)):
        for name, payloads in (
            ("two fragments", PARTS),
            ("empty fragments around it", (b"", WHOLE, b"")),
            ("fragments of a byte", tuple(bytes((byte,)) for byte in WHOLE)),
        ):
            frames = fragments(opcode, *payloads)
            back = answer(opcode, WHOLE)
            yield answered(f"5 {kind} in {name}", *frames, by=back)
            yield answered(f"5 {kind} in {name}, in one write", b"".join(frames), by=back)
            yield answered(f"5 {kind} in {name}, in octets", *octets(*frames), by=back)
        nothing = fragments(opcode, b"", b"", b"")
        yield answered(f"5 {kind} in three empty fragments", *nothing, by=answer(opcode))
        frames = fragments(opcode, *PARTS)
        yield answered(f"5 {kind} in fragments, twice", *frames, *frames, by=answer(opcode, WHOLE) * 2)


def pings_between() -> Iterator[Case]:
    for payload in (b"", b"hello", b"\xfe" * 125):
        first, last = fragments(TEXT, *PARTS)
        frames = (first, frame(PING, payload), last)
        back = answer(PONG, payload) + BACK
        name = f"5 ping of {len(payload)} bytes between fragments"
        yield answered(name, *frames, by=back)
        yield answered(f"{name}, in one write", b"".join(frames), by=back)
        yield answered(f"{name}, in octets", *octets(*frames), by=back)
    first, *others = fragments(TEXT, b"one ", b"two ", b"three ", b"four ", b"five")
    mixed = [first]
    pongs = b""
    for number, each in enumerate(others):
        mixed += frame(PING, b"%d" % number), frame(PONG), each
        pongs += answer(PONG, b"%d" % number)
    back = pongs + answer(TEXT, b"one two three four five")
    yield answered("5 pings and pongs between five fragments", *mixed, by=back)
    yield answered("5 pings and pongs between five fragments, in octets", *octets(*mixed), by=back)
    bye = (first, frame(CLOSE, NORMAL))
    yield Case("5 close between fragments", bye, b"", NORMAL)


def out_of_order() -> Iterator[Case]:
    start, end = fragments(TEXT, *PARTS)
    lonely = frame(CONTINUATION, b"lonely")
    without_end = frame(CONTINUATION, b"lonely", fin=False)
    whole = frame(TEXT, b"hello")
    hello = answer(TEXT, b"hello")
    for name, opcode in (("ping", PING), ("pong", PONG), ("close", CLOSE)):
        pieces = fragments(opcode, NORMAL, NORMAL)
        yield failed(f"5 {name} in two fragments", *pieces, code=PROTOCOL_ERROR)
        yield failed(f"5 {name} in two fragments after a message", whole, *pieces, code=PROTOCOL_ERROR, after=hello)
        yield failed(f"5 {name} in two fragments within a message", start, *pieces, end, code=PROTOCOL_ERROR)
    for name, sent, after in (
        ("continuation of nothing", [lonely], b""),
        ("continuation of nothing, without an end", [without_end], b""),
        ("continuation of nothing, empty", [frame(CONTINUATION)], b""),
        ("continuation after a whole message", [whole, lonely], hello),
        ("continuation without an end after a whole message", [whole, without_end, whole], hello),
        ("continuation after a message in fragments", [start, end, lonely], BACK),
        ("continuation without an end after a message in fragments", [start, end, without_end, whole], BACK),
        ("continuation of nothing before a message", [lonely, start, end], b""),
        ("whole message within one", [start, whole], b""),
        ("binary message within a text", [start, frame(BINARY, b"\xff")], b""),
        ("second beginning within a message", [start, start, end], b""),
        ("whole message within the second one", [start, end, start, whole], BACK),
    ):
        yield failed(f"5 {name}", *sent, code=PROTOCOL_ERROR, after=after)
        yield failed(f"5 {name}, in one write", b"".join(sent), code=PROTOCOL_ERROR, after=after)
        yield failed(f"5 {name}, in octets", *octets(*sent), code=PROTOCOL_ERROR, after=after)
