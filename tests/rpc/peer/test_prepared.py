"""Messages that are encoded once for many peers."""

import pytest

from rpc import LocalProtocolError, Notification, Prepared


def test_prepared():
    """Each wire's bytes are built once."""
    prepared = Prepared([Notification("a", b"1"), Notification("b", b"")])
    assert prepared.chunks == (b"n001a00000001", b"1", b"n001b00000000")
    assert prepared.stream == b"n001a000000011n001b00000000"
    assert prepared.split_frames == b"\x82\x0dn001a00000001\x82\x011\x82\x0dn001b00000000"
    assert prepared.joined_frames == b"\x82\x1b" + prepared.stream
    assert prepared.joined_pieces == [prepared.stream]
    assert prepared.joined_frames is prepared.joined_frames


def test_prepared_that_does_not_fit():
    """A message that does not fit is refused where it is made, not at each peer."""
    with pytest.raises(LocalProtocolError):
        Prepared([Notification("", b"")])
