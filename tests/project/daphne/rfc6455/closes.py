"""7: the client's close is echoed, code and reason, after the answers to what it said before."""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import NOT_UTF8, PROTOCOL_ERROR, Case, failed
from tests.raw_websocket import CLOSE, NORMAL, PING, PONG, TEXT, answer, fragments, frame, octets

VALID_CODES = (
    *(1000, 1001, 1002, 1003, *range(1007, 1015)),
    *(3000, 3999, 4000, 4001, 4408, 4999),
)
INVALID_CODES = (
    *(0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999),
    *(5000, 5001, 9999, 0xFFFF),
)
REASONS = (b"", b"bye", "tschüß, 再见".encode(), b"x" * 122, b"x" * 123)
HELLO, BACK = frame(TEXT, b"hello"), answer(TEXT, b"hello")


def cases() -> Iterator[Case]:
    yield from after_messages()
    yield from after_the_close()
    yield from payloads()


def code_of(code: int) -> bytes:
    return code.to_bytes(2)


def after_messages() -> Iterator[Case]:
    bye = frame(CLOSE, NORMAL)
    yield Case("7 close alone", (bye,), b"", NORMAL)
    yield Case("7 close after a message", (HELLO, bye), BACK, NORMAL)
    yield Case("7 close after a message in one write", (HELLO + bye,), BACK, NORMAL)
    yield Case("7 close after a message in octets", tuple(octets(HELLO, bye)), BACK, NORMAL)
    yield Case("7 close after 2,000 messages", (HELLO * 2000 + bye,), BACK * 2000, NORMAL)
    large = b"x" * 256 * 1024
    yield Case("7 close after 256 KiB", (frame(TEXT, large) + bye,), answer(TEXT, large), NORMAL)
    yield Case("7 close after a ping", (frame(PING, b"x") + bye,), answer(PONG, b"x"), NORMAL)


def after_the_close() -> Iterator[Case]:
    """It is the last word of the client: what follows is not answered, valid or not."""
    bye = frame(CLOSE, NORMAL)
    start, end = fragments(TEXT, b"frag", b"ments")
    for name, more in (
        ("second close", bye),
        ("close with another code", frame(CLOSE, code_of(4000))),
        ("ping", frame(PING, b"x")),
        ("message", HELLO),
        ("large message", frame(TEXT, b"x" * 256 * 1024)),
        ("invalid frame", frame(0xF, b"x")),
        ("bytes that are no frame", b"\xff" * 1000),
    ):
        yield Case(f"7 {name} after the close", (bye, more), b"", NORMAL)
        yield Case(f"7 {name} after the close in one write", (HELLO + bye + more,), BACK, NORMAL)
    yield Case("7 rest of a message after the close", (start + bye + end,), b"", NORMAL)


def payloads() -> Iterator[Case]:
    yield Case("7 close without a code", (frame(CLOSE),), b"", b"")
    yield Case("7 close without a code after a message", (HELLO + frame(CLOSE),), BACK, b"")
    for reason in REASONS:
        said = NORMAL + reason
        yield Case(f"7 reason of {len(reason)} bytes", (frame(CLOSE, said),), b"", said)
        yield Case(f"7 reason of {len(reason)} bytes in octets", tuple(octets(frame(CLOSE, said))), b"", said)
    for code in VALID_CODES:
        yield Case(f"7 code {code}", (frame(CLOSE, code_of(code)),), b"", code_of(code))
        said = code_of(code) + b"because"
        yield Case(f"7 code {code} with a reason after a message", (HELLO + frame(CLOSE, said),), BACK, said)
    for name, said, code in (
        ("one byte", b"\x03", PROTOCOL_ERROR),
        ("reason of 124 bytes", NORMAL + b"x" * 124, PROTOCOL_ERROR),
        ("reason in Latin 1", NORMAL + "tschüß".encode("latin-1"), NOT_UTF8),
        ("reason that is cut off", NORMAL + "再见".encode()[:-1], NOT_UTF8),
        ("reason with half a pair", NORMAL + b"\xed\xa0\x80", NOT_UTF8),
        *((f"code {each}", code_of(each), PROTOCOL_ERROR) for each in INVALID_CODES),
        *((f"code {each} with a reason", code_of(each) + b"because", PROTOCOL_ERROR) for each in INVALID_CODES),
    ):
        bye = frame(CLOSE, said)
        yield failed(f"7 close with {name}", bye, code=code)
        yield failed(f"7 close with {name} after a message", HELLO + bye, code=code, after=BACK)
