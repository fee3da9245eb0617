"""The protocol of one connection: bytes in, events and bytes out, time as an argument."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.errors import ConnectionClosed, LocalProtocolError, MessageTooBig, OperationError, RetryLater
from rpc.limits import Limits
from rpc.messages import (
    ErrorResult,
    Heartbeat,
    Notification,
    Request,
    Result,
    RetryResult,
    StreamPart,
    StreamRequest,
    StreamResult,
)
from rpc.protocol.codec import Oversized
from rpc.protocol.extensions import FEATURES
from rpc.protocol.session import Announced, Cancelled, Granted, Session
from tests.rpc.wire import CANCEL, ERRORS, HELLO, JOINED, RETRY, VECTORS, cut

ECHO = b"r0001004echo00000002hi"
HELLO_HEADER, HELLO_PAYLOAD = HELLO[:18], HELLO[18:]


def opened(*hellos: bytes, framed: bool = True, limits: Limits | None = None) -> Session:
    """A session at time 0 whose remote has connected and sent its version and hello, and which has answered."""
    session = Session(limits or Limits(), 0.0, framed=framed)
    announced = take(session, b"01", *hellos)
    assert all(isinstance(event, Announced) for event in announced)
    session.data_to_send()
    return session


def take(session: Session, *chunks: bytes | str, now: float = 0.0) -> list:
    """Let the chunks come in at `now`; returns the events."""
    events = []
    for chunk in chunks:
        if isinstance(chunk, str):
            session.receive_data(chunk.encode(), now, text=True)
        else:
            session.receive_data(chunk, now)
        while (event := session.next_event()) is not None:
            events.append(event)
    return events


# --- version and hello -------------------------------------------------------------------------------------


def test_first_words_of_the_side_that_connects():
    """Version alone, then `$hello`, without waiting for the remote."""
    session = Session(Limits(), 0.0, framed=True, greets=True)
    assert session.data_to_send() == [b"01", HELLO_HEADER, HELLO_PAYLOAD]


def test_first_words_of_the_side_that_is_connected_to():
    """The version, without waiting for the remote either; `$hello` might be the first thing a stock peer hears."""
    assert Session(Limits(), 0.0, framed=True).data_to_send() == [b"01"]


@pytest.mark.parametrize("framed", [True, False])
def test_hello_is_answered(framed):
    """At once, before the answers to what stands behind it, and also where the remote announces nothing we know."""
    session = Session(Limits(), 0.0, framed=framed)
    session.data_to_send()
    session.receive_data(b"01" + b'n006$hello0000000f{"features":[]}' + b"r0001004echo00000000", 0.0)
    assert session.next_event() == Announced(frozenset(), 16)
    assert session.next_event() == Request(b"0001", "echo", b"")
    session.answer(b"0001", b"")
    assert session.data_to_send() == [HELLO_HEADER, HELLO_PAYLOAD, b"R000100000000"]


def test_hello_is_answered_once():
    """A second one, such as the answer to the one that we said first, is not."""
    connected_to = opened(HELLO)
    take(connected_to, HELLO)
    assert connected_to.data_to_send() == []
    connecting = Session(Limits(), 0.0, framed=True, greets=True)
    connecting.data_to_send()
    take(connecting, b"01", HELLO)
    assert connecting.data_to_send() == []
    assert "joined" in connecting.features


@pytest.mark.parametrize("framed", [True, False])
def test_two_of_ours_know_each_other_after_one_round_trip(framed):
    """What the side that connects says at once, and what is said to that, is all that it takes."""
    connecting = Session(Limits(), 0.0, framed=framed, greets=True)
    connected_to = Session(Limits(), 0.0, framed=framed)
    take(connected_to, *connecting.data_to_send())
    take(connecting, *connected_to.data_to_send())
    assert connected_to.features == connecting.features == set(FEATURES)


def test_stock_remote_never_hears_a_reserved_name():
    """Whatever it does, its application's handler for all names gets nothing of ours."""
    session = Session(Limits(), 0.0, framed=False)
    take(session, b"01", b"s0001003sum000000011", b"p000100000001", b"2", ECHO.replace(b"0001", b"0002"))
    session.grant(b"0001", 8, results=False)
    session.give_up(session.request("name", b""))
    session.answer(b"0002", b"hi")
    session.close(4403, "kicked")
    assert b"".join(session.data_to_send()) == b"01r0001004name00000000R000200000002hi"
    assert session.ended.close_code == 4403


def test_version_alone():
    """The version of a stock peer comes alone, and is answered with nothing."""
    session = opened()
    assert take(session, ECHO) == [Request(b"0001", "echo", b"hi")]
    assert session.ended is None


@pytest.mark.parametrize(("framed", "size"), [(False, 1), (False, 3), (False, 100), (True, 100)])
def test_version_joined_with_more(size, framed):
    """The version may come in pieces, and with messages right behind it."""
    session = Session(Limits(), 0.0, framed=framed)
    assert take(session, *cut(b"01" + ECHO, size)) == [Request(b"0001", "echo", b"hi")]


@pytest.mark.parametrize("version", VECTORS["bad_versions"])
def test_bad_version(version):
    """Another version than ours ends the connection with 1, at once."""
    session = Session(Limits(), 0.0, framed=True)
    session.data_to_send()
    take(session, version)
    assert session.data_to_send() == [b"f00000001"]
    assert session.ended.close_code == 4001


@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize("said", [[], [b"0"], ["0"], [b"", b"0"]], ids=["nothing", "binary", "text", "in pieces"])
def test_no_version(said, framed):
    """Nothing within the time, or half of it and then silence, ends the connection with 3."""
    session = Session(Limits(), 0.0, framed=framed)
    session.data_to_send()
    take(session, *said)
    session.handle_timer(4.9, 0)
    assert session.ended is None
    session.handle_timer(5.0, 0)
    assert session.data_to_send() == [b"f00000003"]
    assert session.ended.close_code == 4003


def test_features_we_know():
    """Of what the remote announces, only what we know counts."""
    payload = b'{"agent":"x","features":["retry","flying"]}'
    session = opened(b"n006$hello%08x" % len(payload) + payload)
    assert session.features == {"retry"}


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"null", b'{"features":1}', b'{"features":[1]}', b'{"features"', b'"\xff"', b"[" * 5000],
)
def test_hello_of_the_wrong_kind(payload):
    """A `$hello` that cannot be read announces nothing, and does no harm."""
    session = opened(b"n006$hello%08x" % len(payload) + payload)
    assert session.features == frozenset()
    assert session.ignored == 1
    assert take(session, ECHO) == [Request(b"0001", "echo", b"hi")]


def test_second_hello():
    """What was announced holds as long as the connection."""
    session = opened(JOINED)
    assert take(session, RETRY) == []
    assert session.features == {"joined"}


def test_unknown_reserved_notification():
    """Names that begin with $ are not the application's."""
    session = opened()
    assert take(session, b"n005$next00000000") == []
    assert session.ignored == 1


def test_joined_switches_behind_hello():
    """What follows `$hello` in the same WebSocket message is read as a byte stream already."""
    session = opened()
    assert take(session, JOINED + b"r0001004echo00000004", b"zwei" + b"r0002004echo0", b"0000004zw", b"ei") == [
        Announced(frozenset({"joined"}), 16),
        Request(b"0001", "echo", b"zwei"),
        Request(b"0002", "echo", b"zwei"),
    ]


# --- requests of the remote --------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [b"0001", b"\x00\x00\x00\x01", b"\xff\xfe\x00\x0a"])
def test_answer(id):
    """An answer carries the id as it came, and its payload as a second chunk."""
    session = opened()
    take(session, b"r" + id + b"004echo00000000")
    session.answer(id, b"result")
    assert session.data_to_send() == [b"R" + id + b"00000006", b"result"]


def test_empty_answer_has_no_second_chunk():
    """A stock browser would read an empty WebSocket message as a header."""
    session = opened()
    take(session, ECHO)
    session.answer(b"0001", b"")
    assert session.data_to_send() == [b"R000100000000"]


@pytest.mark.parametrize("size", [1023, 1024, 2**20])
def test_size_of_an_answer(size):
    """The eight digits are right beyond the sizes that are prepared."""
    session = opened()
    take(session, ECHO)
    session.answer(b"0001", bytes(size))
    assert session.data_to_send()[0] == b"R0001%08x" % size


def test_answer_over_limit():
    """An answer over the limit is our mistake, and leaves the request to be answered otherwise."""
    session = opened()
    take(session, ECHO)
    with pytest.raises(MessageTooBig):
        session.answer(b"0001", bytes(2**20 + 1))
    session.refuse(b"0001", OperationError("sorry"))
    assert session.data_to_send() == [b"E000100000005", b"sorry"]


def test_answer_in_text_to_a_text_header():
    """A text header asks for text; what is not UTF-8 is binary all the same."""
    session = opened()
    take(session, "r0001004echo00000000", "r0002004echo00000000")
    session.answer(b"0001", "群发".encode())
    session.answer(b"0002", b"\xff")
    assert session.data_to_send() == ["R000100000006", "群发", "R000200000001", b"\xff"]


def test_empty_answer_in_text():
    """Text or not, an empty payload is no message."""
    session = opened()
    take(session, "r0001004echo00000000")
    session.answer(b"0001", b"")
    assert session.data_to_send() == ["R000100000000"]


def test_no_text_to_a_joined_remote():
    """A byte stream has no text messages."""
    session = opened(JOINED)
    take(session, "r0001004echo00000000")
    session.answer(b"0001", b"hi")
    assert session.data_to_send() == [b"R000100000002", b"hi"]


def test_error_in_text_to_a_text_header():
    """Errors follow the header too."""
    session = opened()
    take(session, "r0001004echo00000000")
    session.refuse(b"0001", OperationError("no such room"))
    assert session.data_to_send() == ["E00010000000c", "no such room"]


def test_answer_to_nothing():
    """An answer to a request that is not in flight is dropped."""
    session = opened()
    session.answer(b"0001", b"late")
    session.refuse(b"0001", OperationError("late"))
    assert not session.has_data_to_send


def test_duplicate_id():
    """The second request of an id in flight fails; the first is answered."""
    session = opened()
    assert len(take(session, ECHO, ECHO)) == 1
    session.answer(b"0001", b"hi")
    assert session.data_to_send() == [b"E000100000011", b"this id is in use", b"R000100000002", b"hi"]


def test_id_used_again():
    """An id is free once it was answered."""
    session = opened()
    take(session, ECHO)
    session.answer(b"0001", b"")
    assert take(session, ECHO) == [Request(b"0001", "echo", b"hi")]


def in_flight(session: Session, number: int) -> list:
    return take(session, *(b"r%04d004echo00000000" % index for index in range(number)))


def test_too_many_in_flight_stock():
    """A stock browser peer is told in words to try again; the others stay in flight."""
    session = opened(limits=Limits(max_requests_in_flight=2))
    assert len(in_flight(session, 3)) == 2
    assert session.data_to_send() == [b"E00020000002f", b"too many requests in flight, retry after 250 ms"]
    session.answer(b"0000", b"")
    assert session.data_to_send() == [b"R000000000000"]


def test_too_many_in_flight_retry():
    """An end that announced `retry` gets a retry result, and each another wait."""
    session = opened(RETRY, limits=Limits(max_requests_in_flight=1))
    in_flight(session, 3)
    first, text, second, _ = session.data_to_send()
    assert text == b"too many requests in flight"
    assert first[:5] == b"e0001"
    waits = [int(header[5:13], 16) for header in (first, second)]
    assert waits[0] != waits[1]
    assert all(250 <= wait <= 313 for wait in waits)


def test_too_many_in_flight_on_a_byte_stream():
    """Stock peers on a byte stream understand a retry result."""
    session = opened(framed=False, limits=Limits(max_requests_in_flight=1))
    in_flight(session, 2)
    assert session.data_to_send()[0][:5] == b"e0001"


def test_error_for_a_remote_that_reads_structure():
    """An end that announced `errors` gets JSON: text, code, field."""
    session = opened(ERRORS)
    take(session, ECHO)
    session.refuse(b"0001", OperationError("no such room", "no_such_room", "room"))
    assert session.data_to_send()[1] == b'{"error":"no such room","code":"no_such_room","field":"room"}'


def test_retry_for_a_remote_that_reads_structure():
    """Without `retry` the wait stands in the error's JSON."""
    session = opened(ERRORS)
    take(session, ECHO)
    session.refuse(b"0001", RetryLater(1500, "you are posting too fast", "too_fast"))
    header, payload = session.data_to_send()
    assert header[:5] == b"E0001"
    assert payload == b'{"error":"you are posting too fast","code":"too_fast","retry_after_ms":1500}'


def test_retry_in_plain_words():
    """A stock browser peer shows the text, so it must say it all."""
    session = opened()
    take(session, ECHO)
    session.refuse(b"0001", RetryLater(1500, "you are posting too fast"))
    assert session.data_to_send()[1] == b"you are posting too fast, retry after 1500 ms"


@pytest.mark.parametrize(("asked", "least", "most"), [(0, 250, 313), (2000, 2000, 2500), (10**7, 10_000, 10_000)])
def test_wait_on_the_wire(asked, least, most):
    """No hot loops and no waits of weeks, whatever a handler asks for; never earlier than it asks for."""
    session = opened(RETRY)
    take(session, ECHO)
    session.refuse(b"0001", RetryLater(asked, "later"))
    header, _ = session.data_to_send()
    assert least <= int(header[5:13], 16) <= most


@pytest.mark.parametrize("framed", [True, False])
def test_payload_too_large(framed):
    """A payload over the limit fails its request only; the bytes are skipped."""
    session = opened(framed=framed, limits=Limits(max_payload_bytes=40))
    assert take(session, b"r0001004echo00000029" + bytes(41) + ECHO.replace(b"0001", b"0002")) == [
        Request(b"0002", "echo", b"hi")
    ]
    assert session.data_to_send() == [b"E000100000025", b"payload too large: 41 bytes, limit 40"]


@pytest.mark.parametrize("header", [b"n004echo00000029", b"p000100000029"])
def test_payload_too_large_of_what_is_not_answered(header):
    """A notification or part over the limit is counted and skipped."""
    session = opened(limits=Limits(max_payload_bytes=40))
    assert take(session, header + bytes(41), ECHO) == [Request(b"0001", "echo", b"hi")]
    assert session.ignored == 1
    assert not session.has_data_to_send


def test_payload_far_too_large():
    """Beyond four times the limit the connection ends."""
    session = opened(limits=Limits(max_payload_bytes=10))
    take(session, b"r0001004echo00000029")
    assert session.data_to_send() == [b"f00000002"]
    assert session.ended.close_code == 4002


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: vector["name"])
def test_invalid_message(vector):
    """What was read before invalid bytes is answered; then they end the connection with 2. Nothing after counts."""
    session = opened()
    assert take(session, ECHO + bytes.fromhex(vector["hex"]), ECHO) == [Request(b"0001", "echo", b"hi")]
    assert session.data_to_send() == []
    session.answer(b"0001", b"hi")
    assert session.data_to_send() == [b"R000100000002", b"hi", b"f00000002"]
    assert session.ended.close_code == 4002


def test_invalid_message_behind_a_request_that_takes_long():
    """An invalid message ends the connection five seconds after it came, whatever still runs."""
    session = opened()
    take(session, ECHO + b"z", now=1.0)
    session.handle_timer(5.9, 0)
    assert session.data_to_send() == []
    assert session.next_deadline() == 6.0
    session.handle_timer(6.0, 0)
    session.answer(b"0001", b"hi")
    assert session.data_to_send() == [b"f00000002"]
    assert session.ended.close_code == 4002


def test_notification():
    """A notification is the application's."""
    assert take(opened(), b"n006typing00000002{}") == [Notification("typing", b"{}")]


def test_heartbeat():
    """A heartbeat is told, and not answered."""
    session = opened()
    assert take(session, b"hffff0000000a") == [Heartbeat(0xFFFF, 10)]
    assert not session.has_data_to_send


@pytest.mark.parametrize(("code", "close_code"), [(b"00000000", 4000), (b"00000003", 4003), (b"ffffffff", 4003)])
def test_protocol_error_of_the_other_end(code, close_code):
    """The remote's `f` is not answered: the connection is closed with a known code."""
    session = opened()
    assert take(session, b"f" + code + ECHO) == []
    assert not session.has_data_to_send
    assert session.ended.close_code == close_code


# --- cancelling --------------------------------------------------------------------------------------------


def cancel(id: str) -> bytes:
    payload = b'{"id":"%b"}' % id.encode()
    return b"n007$cancel%08x" % len(payload) + payload


def test_cancel():
    """`$cancel` names a request in flight by the hex of its id."""
    session = opened()
    request, cancelled = take(session, ECHO, cancel("30303031"))
    assert request == Request(b"0001", "echo", b"hi")
    assert (type(cancelled), cancelled.id, cancelled.reason.code) == (Cancelled, b"0001", "cancelled")


@pytest.mark.parametrize("id", ["30303032", "3030303", "xyz", "", "é", "30303031" * 1000])
def test_cancel_of_nothing(id):
    """`$cancel` of what is not in flight is ignored."""
    session = opened()
    take(session, ECHO)
    assert take(session, cancel(id)) == []
    assert session.ignored == 1


# --- streams -----------------------------------------------------------------------------------------------


def test_parts_of_a_request():
    """Each part is told, the empty one as the end; what comes behind means nothing."""
    session = opened(framed=False)
    assert take(session, b"s0001003sum0000000211p00010000000231p000100000000p0001000000013") == [
        StreamRequest(b"0001", "sum", b"11"),
        StreamPart(b"0001", b"31"),
        StreamPart(b"0001", b""),
    ]
    assert session.ignored == 1


def test_answer_in_parts():
    """The empty part is the end, and takes the request out of flight; nothing is sent behind it."""
    session = opened(framed=False)
    take(session, b"s0001003sum000000011")
    session.answer_part(b"0001", b"1")
    session.answer_part(b"0001", b"")
    session.answer_part(b"0001", b"2")
    assert session.data_to_send() == [b"S000100000001", b"1", b"S000100000000"]
    assert session.in_flight == 0


def test_part_of_an_answer_over_limit():
    """It is not sent, and the request is still to be answered."""
    session = opened(limits=Limits(max_payload_bytes=10))
    take(session, ECHO)
    with pytest.raises(MessageTooBig):
        session.answer_part(b"0001", bytes(11))
    assert session.in_flight == 1


def test_parts_of_a_request_of_ours():
    """Nothing is sent behind its end, or when it is answered."""
    session = opened(framed=False)
    assert (session.stream("sum", b""), session.stream("sum", b"1")) == (b"0001", b"0002")
    session.part(b"0001", b"1")
    session.part(b"0001", b"")
    session.part(b"0001", b"2")
    take(session, b"R000200000001x")
    session.part(b"0002", b"2")
    sent = b"".join(session.data_to_send())
    assert sent == b"s0001003sum00000000s0002003sum000000011p0001000000011p000100000000"


def test_connection_is_closed_amid_streams():
    """Nothing more is sent on either side."""
    session = opened(framed=False)
    take(session, ECHO)
    session.stream("sum", b"")
    session.data_to_send()
    session.lost(1006, "")
    session.answer_part(b"0001", b"1")
    session.part(b"0001", b"1")
    session.grant(b"0001", 1, results=True)
    session.close(4000, "too late")
    assert not session.has_data_to_send


def test_reason_of_a_close():
    """Over a byte stream it is told to a remote that said `$hello`, and read."""
    session = opened(HELLO, framed=False)
    session.close(4403, "kicked")
    told = b'n006$close0000001d{"code":4403,"text":"kicked"}'
    assert b"".join(session.data_to_send()) == told
    other = opened(framed=False)
    assert take(other, told) == []
    assert (other.ended.close_code, other.ended.text) == (4403, "kicked")
    assert not other.has_data_to_send


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"01" + HELLO, HELLO + b'n006$close0000001d{"code":4403,"text":"kicked"}'),
        (b"01" + HELLO + ECHO, HELLO + b'n006$close0000001d{"code":4403,"text":"kicked"}'),
        (b"01", b""),
        (b"01" + ECHO, b""),
        (b"02", b"f00000001"),
    ],
    ids=["hello", "hello and a request", "version", "a request", "another version"],
)
def test_close_before_the_remote_was_heard(said, told):
    """A byte stream ends with the remote's first words, which tell whether it is one of ours; none is answered."""
    session = Session(Limits(), 0.0, framed=False)
    session.data_to_send()
    session.close(4403, "kicked")
    session.close(4401, "log in")
    assert session.ended is None
    assert take(session, said[:1], said[1:]) == []
    assert b"".join(session.data_to_send()) == told
    assert session.ended.close_code == (4001 if said == b"02" else 4403)


def test_close_before_a_remote_that_says_nothing():
    """It has the time of the handshake."""
    session = Session(Limits(), 0.0, framed=False)
    session.data_to_send()
    session.close(4403, "kicked")
    session.handle_timer(5.0, 0)
    assert session.data_to_send() == [b"f00000003"]


def test_close_by_the_side_that_connects():
    """It waits for nothing: before the server's `$hello` there is nobody to tell why."""
    session = Session(Limits(), 0.0, framed=False, greets=True)
    session.data_to_send()
    session.close(1000, "")
    assert session.ended.close_code == 1000
    assert session.data_to_send() == []


def test_reason_of_a_close_over_websocket():
    """It is no business of a notification there."""
    session = opened()
    assert take(session, b'n006$close0000001d{"code":4403,"text":"kicked"}') == []
    assert session.ended is None


def test_draining():
    """New requests are deferred, those in flight are answered."""
    session = opened(framed=False)
    take(session, ECHO)
    session.drain()
    assert take(session, b"r0002004echo00000000") == []
    session.answer(b"0001", b"hi")
    sent = b"".join(session.data_to_send())
    assert re.fullmatch(rb"e00020000[0-9a-f]{4}0000000arestartingR000100000002hi", sent)


# --- requests of ours --------------------------------------------------------------------------------------


def test_request():
    """A request of ours has an id of text, and its answer is an event."""
    session = opened()
    assert session.request("greet", b'{"name":"Bob"}') == b"0001"
    assert session.data_to_send() == [b"r0001005greet0000000e", b'{"name":"Bob"}']
    assert take(session, b"R000100000002{}") == [Result(b"0001", b"{}")]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b"E000100000002no", ErrorResult(b"0001", b"no")),
        (b"e0001000003e800000002no", RetryResult(b"0001", 1000, b"no")),
        (b"S000100000000", StreamResult(b"0001", b"")),
        (b"R00010000000b0123456789a", Oversized(ord("R"), b"0001", 11, False)),
    ],
)
def test_answers(data, event):
    """Each way to answer a request of ours is told once; what comes after means nothing."""
    session = opened(limits=Limits(max_payload_bytes=10))
    session.request("greet", b"")
    assert take(session, data, data) == [event]
    assert session.ignored == 1


def test_request_over_limit():
    """A request that does not fit is not sent, and not waited for."""
    session = opened(limits=Limits(max_payload_bytes=10))
    with pytest.raises(MessageTooBig):
        session.request("greet", bytes(11))
    with pytest.raises(LocalProtocolError):
        session.request("", b"")
    assert not session.has_data_to_send
    assert take(session, b"R000100000000") == []


def test_ids_do_not_repeat_while_in_use():
    """Ids come round after 36^4; one that still waits is left out."""
    session = opened()
    session.request("slow", b"")
    session._last_id = 36**4 - 1
    assert [session.request("quick", b"") for _ in range(2)] == [b"0000", b"0002"]


def test_give_up():
    """A request that we gave up is cancelled where that is understood, and its answer means nothing."""
    session = opened(CANCEL)
    session.give_up(session.request("greet", b""))
    assert session.data_to_send()[1:] == [b"n007$cancel00000011", b'{"id":"30303031"}']
    assert take(session, b"R000100000000") == []
    assert session.ignored == 1


def test_give_up_silently():
    """A stock peer is not told, and neither is one that is gone."""
    session = opened()
    session.give_up(session.request("greet", b""))
    assert len(session.data_to_send()) == 1
    session = opened(CANCEL)
    id = session.request("greet", b"")
    session.close(4000, "")
    session.give_up(id)
    assert len(session.data_to_send()) == 1


def test_notify():
    """A notification of ours."""
    session = opened()
    session.notify("typing", b"{}")
    assert session.data_to_send() == [b"n006typing00000002", b"{}"]


# --- rates -------------------------------------------------------------------------------------------------

SLOW = Limits(messages_per_second=10, messages_burst=2, bytes_per_second=10**6, bytes_burst=10**6)


def test_too_many_messages():
    """Beyond the burst a request is deferred until a message is allowed again."""
    session = opened(limits=SLOW)
    assert len(in_flight(session, 3)) == 2
    assert session.data_to_send() == [b"E00020000001c", b"too fast, retry after 201 ms"]


def test_rate_comes_back():
    """What the time allows is there again, but not more than the burst."""
    session = opened(limits=SLOW)
    assert len(in_flight(session, 2)) == 2
    for id in (b"0000", b"0001"):
        session.answer(id, b"")
    assert take(session, ECHO, now=0.05) == []
    assert take(session, ECHO, now=0.35) == [Request(b"0001", "echo", b"hi")]


def test_notifications_are_taken_while_in_debt():
    """A notification cannot be deferred, so it counts as debt."""
    session = opened(limits=SLOW)
    assert len(take(session, *[b"n001a00000000"] * 4)) == 4
    assert session.ended is None


def test_far_too_many_messages():
    """A debt larger than the burst ends the connection."""
    session = opened(limits=SLOW)
    assert len(take(session, *[b"n001a00000000"] * 9)) == 4
    assert session.ended.close_code == 4429


def test_too_many_bytes():
    """Bytes have their own rate; the chunk counts too."""
    session = opened(limits=Limits(bytes_per_second=100, bytes_burst=2000))
    assert len(take(session, ECHO)) == 1
    assert take(session, b"r0002004echo000003e8" + bytes(1000)) == []
    assert session.data_to_send() == [b"E00020000001d", b"too fast, retry after 5811 ms"]
    take(session, bytes(1000))
    assert session.ended.close_code == 4429


@pytest.mark.parametrize("framed", [False, True])
def test_answers_that_were_asked_for_count_against_no_rate(framed):
    """Whoever asks thousands of times in a row is not slowed down or closed by what is answered."""
    session = opened(framed=framed)
    for _ in range(20_000):
        id = session.request("echo", b"hi")
        session.data_to_send()
        answer = (b"R" + id + b"00000002", b"hi") if framed else (b"R" + id + b"00000002hi",)
        assert take(session, *answer) == [Result(id, b"hi")]
    assert session.ended is None
    assert session.pause(0.0) == 0


def test_credit_for_parts_of_ours_counts_as_parts_do():
    """A stream may be as long as it likes; credit for nothing counts like any notification."""
    limits = Limits(messages_per_second=10, messages_burst=5, bytes_per_second=None)
    session = opened(HELLO, framed=False, limits=limits)
    id = session.stream("upper", b"a")
    more = b'n005$more00000025{"id":"%b","of":"p","credit":8}' % id.hex().encode()
    assert take(session, *[more] * 100) == [Granted(id, False, 8)] * 100
    session.part(id, b"")
    take(session, *[more] * 12)
    assert session.ended.close_code == 4429


def test_large_answers_that_were_asked_for_count_against_no_rate():
    """Nor by their size: 100 MiB at one moment."""
    session = opened()
    for _ in range(100):
        id = session.request("big", b"")
        session.data_to_send()
        take(session, b"R" + id + b"00100000", bytes(2**20))
        assert session.pause(0.0) == 0
    assert session.ended is None


def test_answers_that_nobody_asked_for_are_a_flood():
    """They count like anything else that a remote sends unasked."""
    session = opened(limits=SLOW)
    assert take(session, *[b"R000100000000"] * 9) == []
    assert session.ended.close_code == 4429


def test_payload_in_tiny_pieces():
    """Chunks of a byte are not what the rate of bytes is meant for."""
    session = opened(framed=False)
    take(session, b"r0001004echo00100000", *[b"x"] * 8000)
    assert session.ended is None
    take(session, *[b"x"] * 10_000)
    assert session.ended.close_code == 4429


def test_no_rates():
    """A rate of None is no limit."""
    limits = Limits(messages_per_second=None, messages_burst=1, bytes_per_second=None, bytes_burst=1)
    session = opened(limits=limits)
    assert len(take(session, *[b"n001a00000000"] * 5000)) == 5000


# --- time --------------------------------------------------------------------------------------------------


def test_heartbeat_of_ours():
    """Every ten seconds a heartbeat: the load is the share of requests in flight, the time is of 32 bits."""
    session = opened(limits=Limits(max_requests_in_flight=2))
    take(session, ECHO)
    assert session.next_deadline() == 10.0
    session.handle_timer(9.9, 0)
    assert not session.has_data_to_send
    session.handle_timer(10.0, 1423433370)
    assert session.data_to_send() == [b"h7fff54d7de9a"]
    assert session.next_deadline() == 20.0
    session.handle_timer(20.5, 2**32 + 1)
    assert session.data_to_send() == [b"h7fff00000001"]


BEAT = b"h000054d7de9a"


def beats(session: Session, start: float, end: float) -> list[float]:
    """When it sends heartbeats, if its timer is looked at each second."""
    heard = []
    for now in range(int(start), int(end)):
        session.handle_timer(now, 0)
        heard += [now] * session.data_to_send().count(b"h000000000000")
    return heard


def test_remote_that_stops_its_heartbeats():
    """Over a byte stream ours stop after half a minute, so that a Go program that shuts down gets out."""
    session = opened(framed=False)
    take(session, BEAT, now=9.0)
    assert beats(session, 10, 99) == [10, 20, 30]
    session.handle_timer(99.0, 0)
    assert session.data_to_send() == [b"f00000003"]


def test_remote_that_goes_on_with_its_heartbeats():
    """Every 20 s, as Go programs and pages do, is enough; and whatever comes counts."""
    session = opened(framed=False)
    take(session, BEAT, now=0.0)
    assert beats(session, 1, 20) == [10]
    take(session, BEAT, now=20.0)
    assert beats(session, 20, 71) == [20, 30, 40, 50]
    take(session, b"n001a00000000", now=71.0)
    assert beats(session, 71, 91) == [80, 90]


@pytest.mark.parametrize(("framed", "said"), [(False, b""), (False, b"n001a00000000"), (True, BEAT)])
def test_remote_whose_silence_says_nothing(framed, said):
    """A stock server never sends heartbeats, and a browser sends them as seldom as it likes: ours go on."""
    session = opened(framed=framed)
    take(session, said)
    assert beats(session, 1, 90) == [10, 20, 30, 40, 50, 60, 70, 80]


def test_silence():
    """A minute and a half without a byte ends the connection with 3."""
    session = opened(limits=Limits(heartbeat_interval=1000))
    take(session, b"h", now=30.0)
    assert session.next_deadline() == 120.0
    session.handle_timer(119.9, 0)
    assert session.ended is None
    session.handle_timer(120.0, 0)
    assert session.data_to_send() == [b"f00000003"]
    assert session.ended.close_code == 4003


def test_reading_that_begins_late():
    """Time before the first bytes were read does not count against the remote."""
    session = Session(Limits(), 0.0, framed=True)
    assert session.next_deadline() == 5.0
    session.reading_from(100.0)
    assert session.next_deadline() == 105.0
    take(session, b"01", now=104.0)
    assert session.next_deadline() == 110.0


# --- the end -----------------------------------------------------------------------------------------------


def test_after_the_end():
    """Nothing is read, kept, answered or sent any more; a second end changes nothing."""
    session = opened()
    take(session, ECHO)
    session.close(4401, "log in")
    assert take(session, *[ECHO] * 3) == []
    session.answer(b"0001", b"hi")
    session.notify("typing", b"")
    session.fail(0, "too late")
    session.handle_timer(1000.0, 0)
    assert not session.has_data_to_send
    assert session.ended.close_code == 4401
    with pytest.raises(ConnectionClosed) as caught:
        session.request("greet", b"")
    assert (caught.value.code, caught.value.text) == (4401, "log in")


def test_refusal_after_the_end():
    """An error has nowhere to go either."""
    session = opened()
    take(session, ECHO)
    session.close(4401, "log in")
    session.refuse(b"0001", OperationError("no"))
    assert not session.has_data_to_send


def test_error_of_a_connection_that_has_not_ended():
    """Without an end there is no code."""
    assert opened().closed_error().code is None


# --- mallory -----------------------------------------------------------------------------------------------

pieces = st.one_of(
    st.sampled_from([bytes.fromhex(vector["hex"]) for vector in VECTORS["valid"]]),
    st.sampled_from([bytes.fromhex(vector["hex"])[:17] for vector in VECTORS["valid"]]),
    st.sampled_from([HELLO, JOINED, RETRY, ERRORS, CANCEL, cancel("30303031"), b"01", b"", ECHO]),
    st.binary(max_size=30),
)


@given(st.booleans(), st.lists(st.tuples(pieces, st.booleans()), max_size=12), st.floats(0, 100))
def test_nothing_that_comes_raises(framed, chunks, later):
    """Whatever comes, in whatever order, is an event, an answer or an end with a documented code."""
    session = Session(Limits(max_payload_bytes=50, max_requests_in_flight=2), 0.0, framed=framed)
    for data, text in chunks:
        session.receive_data(data, 0.0, text=text)
        while (event := session.next_event()) is not None:
            if isinstance(event, Request) and event.payload:
                session.answer(event.id, event.payload)
    session.handle_timer(later, 0)
    assert all(session.data_to_send())
    assert session.ended is None or session.ended.close_code in (4000, 4001, 4002, 4003)
