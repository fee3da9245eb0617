"""3 and 4: bits and opcodes that have no meaning yet end the connection, after the answers to what had one."""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import PROTOCOL_ERROR, Case, failed
from tests.raw_websocket import BINARY, CLOSE, CONTINUATION, NORMAL, PING, TEXT, answer, frame, octets

KINDS = (
    ("text", TEXT, b"hello"),
    ("binary", BINARY, b"\x00\xff"),
    ("ping", PING, b"hello"),
    ("close", CLOSE, NORMAL),
)
MEANINGLESS_OPCODES = (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)


def cases() -> Iterator[Case]:
    for rsv in range(1, 8):
        for kind, opcode, payload in KINDS:
            name, wrong = f"3 {kind} with the reserved bits {rsv:03b}", frame(opcode, payload, rsv=rsv)
            yield failed(name, wrong, code=PROTOCOL_ERROR)
            yield from behind_a_message(name, wrong)
        continued = frame(TEXT, b"hel", fin=False) + frame(CONTINUATION, b"lo", rsv=rsv)
        yield failed(f"3 continuation with the reserved bits {rsv:03b}", continued, code=PROTOCOL_ERROR)
    for opcode in MEANINGLESS_OPCODES:
        name = f"4 opcode {opcode:x}"
        yield failed(f"{name}, empty", frame(opcode), code=PROTOCOL_ERROR)
        yield failed(f"{name}, with a payload", frame(opcode, b"hello"), code=PROTOCOL_ERROR)
        yield failed(f"{name}, without an end", frame(opcode, b"hello", fin=False), code=PROTOCOL_ERROR)
        yield from behind_a_message(name, frame(opcode, b"hello"))


def behind_a_message(name: str, wrong: bytes) -> Iterator[Case]:
    """The first frame has a meaning, and what comes after the wrong one counts no longer."""
    hello, back = frame(TEXT, b"hello"), answer(TEXT, b"hello")
    yield failed(f"{name}, after a message", hello, wrong, frame(PING), code=PROTOCOL_ERROR, after=back)
    yield failed(f"{name}, after a message in one write", hello + wrong + hello, code=PROTOCOL_ERROR, after=back)
    yield failed(f"{name}, after a message in octets", *octets(hello, wrong), code=PROTOCOL_ERROR, after=back)
