"""WebSocket frames that are built whole."""

import pytest

from rpc.protocol.frames import MAX_JOINED_BYTES, joined_frames, joined_pieces, split_frames


@pytest.mark.parametrize(
    ("size", "start"),
    [
        (1, b"\x82\x01"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frame(size, start):
    """RFC 6455, section 5.2: seven bits of length, or 126 and two bytes, or 127 and eight."""
    payload = bytes(size)
    assert split_frames([payload]) == start + payload
    assert joined_frames([payload]) == start + payload


@pytest.mark.parametrize(("text", "start"), [("群发", b"\x81\x06"), ("a" * 126, b"\x81\x7e\x00\x7e")])
def test_text_frame(text, start):
    """A str is a text frame, in UTF-8."""
    assert split_frames([text]) == start + text.encode()


def test_joined_frame():
    """For a remote that announced it, all chunks are one binary frame."""
    assert joined_frames([b"ab", "c"]) == b"\x82\x03abc"


def test_very_large_joined_frame():
    """A frame that a receiver might refuse is cut: the remote reads a byte stream."""
    payload = bytes(MAX_JOINED_BYTES)
    assert [len(piece) for piece in joined_pieces([b"R000100040000", payload])] == [MAX_JOINED_BYTES, 13]
