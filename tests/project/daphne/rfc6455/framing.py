"""1: payloads around the sizes at which the header changes its form."""

from collections.abc import Iterator

from tests.project.daphne.rfc6455.case import PROTOCOL_ERROR, Case, answered, failed
from tests.raw_websocket import BINARY, CLOSE, NORMAL, TEXT, answer, cut, frame, masked

SIZES = (0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537)


def cases() -> Iterator[Case]:
    for kind, opcode, payload in (("text", TEXT, b"*"), ("binary", BINARY, b"\xfe")):
        for size in SIZES:
            message = frame(opcode, payload * size)
            back = answer(opcode, payload * size)
            yield answered(f"1 {kind} of {size} bytes", message, by=back)
            yield answered(f"1 {kind} of {size} bytes in writes of 997", *cut(message, 997), by=back)
    hello = answer(TEXT, b"hello")
    yield answered("1 several in one write", frame(TEXT, b"hello") * 5, by=hello * 5)
    together = frame(TEXT, b"hello") * 5 + frame(CLOSE, NORMAL)
    yield Case("1 several and the close in one write", (together,), hello * 5, NORMAL)
    yield failed("1 without a mask", b"\x81\x05hello", code=PROTOCOL_ERROR)
    yield failed(
        "1 without a mask after a message",
        frame(TEXT, b"hello") + b"\x81\x05hello",
        code=PROTOCOL_ERROR,
        after=hello,
    )
    yield failed("1 close without a mask", b"\x88\x02\x03\xe8", code=PROTOCOL_ERROR)
    # RFC 6455, section 5.2: the size is in the shortest form, and below 2 to the power of 63.
    for name, start, payload in (
        ("0 bytes in 16 bits", b"\x82\xfe\x00\x00", b""),
        ("125 bytes in 16 bits", b"\x82\xfe\x00\x7d", b"x" * 125),
        ("125 bytes in 64 bits", b"\x82\xff\x00\x00\x00\x00\x00\x00\x00\x7d", b"x" * 125),
        ("65,535 bytes in 64 bits", b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff", b"x" * 65535),
        ("2 to the power of 63", b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00", b""),
    ):
        yield failed(f"1 {name}", start + b"\x37\xfa\x21\x3d" + masked(payload), code=PROTOCOL_ERROR)
