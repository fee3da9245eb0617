"""What a tap says of the bytes that go by."""

import pytest

from rpc.cli.traffic import KEPT_BYTES, Reader, Seen


def read(*chunks: bytes) -> list[Seen]:
    reader = Reader()
    return [seen for chunk in chunks for seen in reader.feed(chunk)]


VERSION = Seen(type="version", name="01")

MESSAGES = [
    (b"r0001004echo00000005hello", Seen(type="request", id=b"0001", name="echo", size=5, payload=b"hello")),
    (b"s0001003sum000000011", Seen(type="stream-request", id=b"0001", name="sum", size=1, payload=b"1")),
    (b"p0001000000012", Seen(type="stream-part", id=b"0001", size=1, payload=b"2")),
    (b"p000100000000", Seen(type="stream-part", id=b"0001", size=0)),
    (b"R000100000005hello", Seen(type="result", id=b"0001", size=5, payload=b"hello")),
    (b"S000100000003abc", Seen(type="stream-result", id=b"0001", size=3, payload=b"abc")),
    (b"E\x00\x00\x00\x0100000002no", Seen(type="error", id=b"\x00\x00\x00\x01", size=2, payload=b"no")),
    (
        b"e0001000001f400000004wait",
        Seen(type="retry", id=b"0001", size=4, payload=b"wait", retry_after_ms=500),
    ),
    (b"n006typing00000002{}", Seen(type="notification", name="typing", size=2, payload=b"{}")),
    (b"h00020000003c", Seen(type="heartbeat", load=2, sent_at=60)),
    (b"f00000002", Seen(type="fault", code=2)),
]


@pytest.mark.parametrize(("wire", "seen"), MESSAGES, ids=[seen.type for _, seen in MESSAGES])
def test_message(wire, seen):
    """Each message is told once, however its bytes are cut and whatever follows."""
    assert read(b"01" + wire) == [VERSION, seen]
    assert read(*(bytes([byte]) for byte in b"01" + wire)) == [VERSION, seen]
    assert read(b"01" + wire + wire) == [VERSION, seen, seen]


def test_another_protocol():
    """What does not begin with the version is not gotalk, and all the rest is bytes."""
    assert read(b"GET / HTTP/1.1\r\n", b"\r\n") == [
        Seen(type="malformed", size=16, payload=b"GET / HTTP/1.1\r\n", reason="no version"),
        Seen(type="bytes", size=2, payload=b"\r\n"),
    ]


def test_bytes_that_are_no_message():
    """What came before is told; after them nothing can be read."""
    assert read(b"01f00000000x0001", b"01") == [
        VERSION,
        Seen(type="fault", code=0),
        Seen(type="malformed", size=5, payload=b"x0001", reason="unknown message type"),
        Seen(type="bytes", size=2, payload=b"01"),
    ]


def test_large_payload():
    """Its beginning is kept, its size is told, and what follows is read."""
    size = 3 * KEPT_BYTES
    chunk = bytes(KEPT_BYTES // 2 + 1)
    reader = Reader()
    seen = reader.feed(b"01R0001%08x" % size)
    left = size
    while left:
        seen += reader.feed(chunk[:left])
        left -= min(left, len(chunk))
    seen += reader.feed(b"R000200000001x")
    assert seen == [
        VERSION,
        Seen(type="result", id=b"0001", size=size, payload=bytes(KEPT_BYTES)),
        Seen(type="result", id=b"0002", size=1, payload=b"x"),
    ]


@pytest.mark.parametrize(
    ("wire", "reason", "rest"),
    [
        (b"01r0001004ec", "ends within a header", b"r0001004ec"),
        (b"01R000100000005he", "ends within a payload", b"he"),
    ],
)
def test_end_within_a_message(wire, reason, rest):
    """It is told with what there was of it."""
    reader = Reader()
    reader.feed(wire)
    assert reader.end() == [
        Seen(type="malformed", size=len(rest), payload=rest, reason=reason),
        Seen(type="end"),
    ]
