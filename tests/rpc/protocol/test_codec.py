"""Bytes to messages and back: every case with literal bytes."""

import sys
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.errors import LocalProtocolError, RemoteProtocolError
from rpc.messages import (
    ErrorResult,
    Fault,
    Heartbeat,
    Notification,
    Request,
    Result,
    RetryResult,
    StreamPart,
    StreamRequest,
    StreamResult,
)
from rpc.protocol.codec import Decoder, Oversized, encode
from tests.rpc.wire import VECTORS, cut, messages, vector_message

MIB = 1024 * 1024

valid = pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["name"])
invalid = pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["name"])


@pytest.fixture
def stream():
    return Decoder(MIB, framed=False)


@pytest.fixture
def framed():
    return Decoder(MIB, framed=True)


# --- vectors -----------------------------------------------------------------------------------------------


@valid
def test_vector_whole(vector, stream):
    """Each example of the wire is read from one chunk."""
    expected = [vector_message(message) for message in vector["messages"]]
    assert messages(stream, bytes.fromhex(vector["hex"])) == expected


@valid
def test_vector_byte_by_byte(vector, stream):
    """Each example of the wire is read from single bytes."""
    expected = [vector_message(message) for message in vector["messages"]]
    assert messages(stream, *cut(bytes.fromhex(vector["hex"]), 1)) == expected


@valid
def test_vector_with_bytes_behind(vector, stream):
    """What follows an example does not belong to it, and is read next."""
    expected = [vector_message(message) for message in vector["messages"]]
    data = bytes.fromhex(vector["hex"]) + b"h00010000000aR"
    assert messages(stream, data, b"000100000000") == [*expected, Heartbeat(1, 10), Result(b"0001", b"")]


@valid
def test_vector_in_one_websocket_message(vector, framed):
    """A WebSocket peer may join header and payload, and messages."""
    expected = [vector_message(message) for message in vector["messages"]]
    assert messages(framed, bytes.fromhex(vector["hex"])) == expected


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS["valid"] if vector["name"] != "upper-case hex"],
    ids=lambda vector: vector["name"],
)
def test_vector_encoded(vector):
    """What we send is the example; but we never send upper case."""
    sent = b"".join(part for message in vector["messages"] for part in encode(vector_message(message)))
    assert sent == bytes.fromhex(vector["hex"])


@invalid
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_invalid_vector(vector, size, stream):
    """Bytes that are no message end the reading with the code of the vector, however they are cut."""
    with pytest.raises(RemoteProtocolError) as caught:
        messages(stream, *cut(bytes.fromhex(vector["hex"]), size))
    assert caught.value.code == vector["protocol_error"]


# --- any message, cut anywhere -----------------------------------------------------------------------------

ids = st.binary(min_size=4, max_size=4)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
payloads = st.binary(max_size=300)
uint32 = st.integers(0, 2**32 - 1)
any_message = st.one_of(
    st.builds(Request, ids, names, payloads),
    st.builds(StreamRequest, ids, names, payloads),
    st.builds(StreamPart, ids, payloads),
    st.builds(Result, ids, payloads),
    st.builds(StreamResult, ids, payloads),
    st.builds(ErrorResult, ids, payloads),
    st.builds(RetryResult, ids, uint32, payloads),
    st.builds(Notification, names, payloads),
    st.builds(Heartbeat, st.integers(0, 2**16 - 1), uint32),
    st.builds(Fault, st.integers(0, 3)),
)


@given(st.lists(any_message, max_size=5), st.lists(st.integers(0, 2000), max_size=6))
def test_round_trip_cut_anywhere(sent, cuts):
    """What was encoded is read again, wherever a byte stream cuts it."""
    data = b"".join(part for message in sent for part in encode(message))
    edges = sorted({0, *(edge for edge in cuts if edge < len(data)), len(data)})
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert messages(Decoder(MIB, framed=False), *chunks) == sent


@given(st.lists(any_message, max_size=5))
def test_round_trip_as_stock_websocket_messages(sent):
    """Header and payload as a WebSocket message each are read as they were sent."""
    chunks = [part for message in sent for part in encode(message) if part]
    assert messages(Decoder(MIB, framed=True), *chunks) == sent


@given(st.lists(st.one_of(st.binary(max_size=40), st.text(st.characters(codec="utf-8"), max_size=40)), max_size=5))
def test_no_bytes_do_harm(chunks):
    """Any bytes are messages or a documented error."""
    for framed in (True, False):
        try:
            messages(Decoder(MIB, framed=framed), *chunks)
        except RemoteProtocolError as error:
            assert error.code == 2


@given(st.sampled_from(VECTORS["valid"]), st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_no_damaged_message_does_harm(vector, at, damage):
    """A message with some bytes exchanged is another message or a documented error."""
    data = bytearray.fromhex(vector["hex"])
    at %= len(data)
    data[at : at + len(damage)] = damage
    for framed in (True, False):
        try:
            messages(Decoder(MIB, framed=framed), bytes(data))
        except RemoteProtocolError as error:
            assert error.code == 2


# --- the WebSocket reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"hello", b"h", b"much longer than declared"])
def test_frame_after_header_is_the_payload(payload, framed):
    """A stock browser declares wrong sizes: the next WebSocket message is the payload, whatever its length."""
    assert messages(framed, b"r0001004echo00000005", payload) == [Request(b"0001", "echo", payload)]


def test_emoji_declared_as_six_bytes(framed):
    """gotalk.js counts six bytes for an emoji that has four."""
    assert messages(framed, b"r0001004echo00000006", "😀") == [Request(b"0001", "echo", "😀".encode())]


def test_counting_stopped_at_nul(framed):
    """gotalk.js stops counting at NUL."""
    sent = messages(framed, b"r0001004echo00000001", "a\0bcd", b"R000100000000")
    assert sent == [Request(b"0001", "echo", b"a\0bcd"), Result(b"0001", b"")]


def test_header_payload_and_header_joined(framed):
    """The rule holds for a header at the end of several messages too."""
    sent = messages(framed, b"n001a00000001xr0001004echo00000001", "zwei")
    assert sent == [Notification("a", b"x"), Request(b"0001", "echo", b"zwei")]


def test_message_cut_in_frames(framed):
    """A peer that writes a byte stream may cut a message between its frames."""
    sent = messages(framed, b"r0001004ec", b"ho00000005hel", b"lo")
    assert sent == [Request(b"0001", "echo", b"hello")]


def test_size_zero_has_no_second_frame(framed):
    """An empty payload is no WebSocket message: the next one is a header again."""
    sent = messages(framed, b"r0001004echo00000000", b"r0002004echo00000000")
    assert sent == [Request(b"0001", "echo", b""), Request(b"0002", "echo", b"")]


def test_empty_frame_is_nothing(framed):
    """An empty WebSocket message is neither a header nor a payload."""
    assert messages(framed, b"", b"r0001004echo00000002", b"", b"hi") == [Request(b"0001", "echo", b"hi")]


def test_text_header_is_remembered_over_a_binary_payload(framed):
    """Whether to answer in text depends on the header's message, not on the payload's."""
    assert messages(framed, "r0001004echo00000002", b"hi") == [Request(b"0001", "echo", b"hi", text=True)]


def test_binary_header_with_text_payload(framed):
    """gotalk.js sends a JSON payload as text behind a binary header; the answer is binary."""
    assert messages(framed, b"r0001004echo00000002", "hi") == [Request(b"0001", "echo", b"hi", text=False)]


def test_text_header_with_payload_joined(framed):
    """Sizes that fit are believed, in text too."""
    assert messages(framed, "r0001004echo00000002hi") == [Request(b"0001", "echo", b"hi", text=True)]


@pytest.mark.parametrize("declared", ["00a", "001", "004", "0ff", "fff", "xyz"])
def test_text_name_size_is_not_believed(declared, framed):
    """The name of a text header is what stands between the size digits and the last eight."""
    header = f"r0001{declared}😀 name00000002"
    assert messages(framed, header, "hi") == [Request(b"0001", "😀 name", b"hi", text=True)]


@pytest.mark.parametrize("declared", ["006", "001"])
def test_text_notification_name_size_is_not_believed(declared, framed):
    """The same for a notification, which has no id."""
    assert messages(framed, f"n{declared}a\0b00000000") == [Notification("a\0b", b"")]


def test_text_header_cut_in_frames(framed):
    """A text header that is no header yet waits for the rest."""
    assert messages(framed, "r0001004ec", "ho00000000") == [Request(b"0001", "echo", b"", text=True)]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("r0001xyz00000002", id="no name at all"),
        pytest.param("r0001xyz" + "a" * 256 + "00000002", id="name too long"),
        pytest.param("r0001xyzecho0000000x", id="no size at the end"),
        pytest.param("R0001xyzecho00000002", id="no name in this type"),
    ],
)
def test_text_that_is_no_header(header, framed):
    """A text message that cannot be read from both ends either is a protocol error."""
    with pytest.raises(RemoteProtocolError):
        messages(framed, header)


def test_text_of_names_that_are_no_utf8(framed):
    """A server that does not check text messages hands over bytes that are no name."""
    framed.feed(b"r0001xyz\xff\xfe00000002", text=True)
    with pytest.raises(RemoteProtocolError):
        framed.next_message()


def test_announced_stream_believes_sizes(framed):
    """From `to_stream()` on, a frame boundary means nothing."""
    framed.to_stream()
    sent = messages(framed, b"r0001004echo00000005", b"he", b"llor0002004echo00000000")
    assert sent == [Request(b"0001", "echo", b"hello"), Request(b"0002", "echo", b"")]


def test_announced_stream_reads_text_as_bytes(framed):
    """The text of an announced stream is its bytes, with the sizes that they declare."""
    framed.to_stream()
    assert messages(framed, "n006群发0000", "0006大家") == [Notification("群发", "大家".encode())]


# --- sizes -------------------------------------------------------------------------------------------------


def test_declared_size_is_not_allocated(stream):
    """A header that declares 1 MiB costs no more than its own bytes."""
    stream.feed(b"r0001004echo00100000")
    tracemalloc.start()
    assert stream.next_message() is None
    stream.feed(b"x" * 100)
    assert stream.next_message() is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4096


@pytest.mark.parametrize("before", [b"", b"r0001004echo00000fff"], ids=["beginning", "middle"])
@pytest.mark.parametrize("size", [0x500, 0x501])
def test_chunk_that_was_read_is_not_kept(stream, before, size):
    """It may be large, and the next one may never come; what is unfinished of a payload is counted."""
    chunk = bytes(0x500) if before else b"r0001004echo%08x" % size + bytes(0x500)
    count = sys.getrefcount(chunk)
    stream.feed(before)
    assert stream.next_message() is None
    stream.feed(chunk)
    while stream.next_message() is not None:
        """Until all is read."""
    assert sys.getrefcount(chunk) == count
    assert stream.unfinished == (0x500 if before or size > 0x500 else 0)


def test_largest_payload():
    """A payload of exactly the limit is read."""
    decoder = Decoder(10, framed=False)
    assert messages(decoder, b"R00010000000a0123456789") == [Result(b"0001", b"0123456789")]


def test_payload_over_limit_is_told_at_once_and_skipped():
    """A payload over the limit is known by its header, and its bytes go by without being kept."""
    decoder = Decoder(10, framed=False)
    assert messages(decoder, b"r0001004echo0000000b") == [Oversized(ord("r"), b"0001", 11, False)]
    assert messages(decoder, b"01234", b"56789aR000100000000") == [Result(b"0001", b"")]


def test_payload_over_limit_joined():
    """The same when header and payload come in one WebSocket message."""
    decoder = Decoder(10, framed=True)
    sent = messages(decoder, b"r0001004echo0000000b0123456789aR000100000000")
    assert sent == [Oversized(ord("r"), b"0001", 11, False), Result(b"0001", b"")]


def test_real_size_counts_on_a_websocket():
    """A declared size over the limit with a payload within it is what a stock browser makes of emoji."""
    decoder = Decoder(10, framed=True)
    assert messages(decoder, b"R00010000000c", "😀😀") == [Result(b"0001", "😀😀".encode())]


def test_real_size_over_limit_on_a_websocket():
    """A declared size within the limit does not let a larger payload in."""
    decoder = Decoder(10, framed=True)
    sent = messages(decoder, "r0001004echo0000000a", b"0123456789a", b"R000100000000")
    assert sent == [Oversized(ord("r"), b"0001", 11, True), Result(b"0001", b"")]


@pytest.mark.parametrize("is_framed", [True, False])
@pytest.mark.parametrize("size", [b"00000029", b"ffffffff"])
def test_payload_far_over_limit(size, is_framed):
    """More than four times the limit is not skipped: the connection ends."""
    decoder = Decoder(10, framed=is_framed)
    with pytest.raises(RemoteProtocolError) as caught:
        messages(decoder, b"r0001004echo" + size)
    assert caught.value.code == 2


# --- what we may send --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        Request(b"001", "echo", b""),
        Request(b"0001", "", b""),
        Notification("", b""),
        Notification("é" * 128, b""),
        RetryResult(b"0001", -1, b""),
        RetryResult(b"0001", 2**32, b""),
        Heartbeat(2**16, 0),
        Heartbeat(0, 2**32),
        Fault(4),
    ],
)
def test_field_that_does_not_fit(message):
    """What the wire cannot hold is our own mistake."""
    with pytest.raises(LocalProtocolError):
        encode(message)


def test_longest_name():
    """255 bytes of name go out and come in."""
    sent = Notification("n" * 255, b"")
    assert messages(Decoder(10, framed=False), encode(sent)[0]) == [sent]


def test_name_over_the_limit(stream):
    """256 bytes of name are a protocol error, told by its three digits."""
    with pytest.raises(RemoteProtocolError):
        messages(stream, b"n100")
