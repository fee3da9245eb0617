"""The text door's wires: what goes onto a line, and which lines share a frame."""

import json

import pytest

from chat.doors.query import number_of, query_of
from chat.doors.text.consumer import asked_for
from chat.doors.text.wire import JSON, MAX_JOINED_CHARS, NAMED, PLAIN, Lines, one_line
from chat.queries.structs import Message
from chat.services.events import Changed, Gap, Notice, Posted, Typing
from rpc import Refused


def message(body="hello", seq=7, **more):
    fields = {"id": 9, "room_id": 1, "version": seq, "number": 1, "author": "Alice", "author_id": 3}
    fields |= {"is_guest": False, "is_bot": False, "at": "2026-01-02T03:04:05.678Z", "client_id": "c", "via": "web"}
    return Message(**{**fields, "seq": seq, "body": body, **more})


def frames(wire, *events):
    lines = wire.events(list(events))
    return None if lines is None else list(lines.chunks)


def posted(*messages):
    return Posted(1, "hall", list(messages))


def test_plain_line_is_the_bare_message():
    """Nothing is put before it: the classic clients show what they get."""
    assert frames(PLAIN, posted(message())) == ["hello"]
    assert PLAIN.events([posted(message())]).split_frames == b"\x81\x05hello"


def test_line_with_a_name():
    """`?names=1`: the author, a colon, the text."""
    assert frames(NAMED, posted(message())) == ["Alice: hello"]


def test_line_as_json():
    """`?format=json`: these five fields, in this order, and the text as it is."""
    line = '{"author":"Alice","body":"two\\nlines","seq":7,"at":"2026-01-02T03:04:05.678Z","id":9}'
    assert frames(JSON, posted(message("two\nlines"))) == [line]


@pytest.mark.parametrize("wire", [PLAIN, NAMED])
def test_message_of_several_lines_is_one_line(wire):
    """A newline ends a message here, so those of another door's message become spaces."""
    assert frames(wire, posted(message("one\ntwo\r\nthree\rfour")))[0].endswith("one two three four")


def test_lines_that_wait_share_a_frame():
    """As the classic hub does: joined by newlines, without one at the end."""
    assert frames(PLAIN, posted(message("a", 1), message("b", 2)), posted(message("c", 3))) == ["a\nb\nc"]


def test_many_lines_come_in_frames_that_any_client_takes():
    """None is much larger than a message may be."""
    bodies = ["x" * 16_000] * 5 + ["y"] * 3
    found = frames(PLAIN, posted(*[message(body, seq) for seq, body in enumerate(bodies, 1)]))
    assert "\n".join(found).split("\n") == bodies
    assert max(map(len, found)) <= MAX_JOINED_CHARS


@pytest.mark.parametrize("wire", [PLAIN, NAMED])
def test_plain_text_does_not_show_changes(wire):
    """A line that was printed stays."""
    changed = [message(edited_at="2026-01-02T03:04:06.000Z"), message("", deleted=True)]
    assert frames(wire, Changed(1, "hall", 8, changed), Notice("info", "tea is ready")) is None


def test_json_shows_an_edit_a_removal_and_a_notice():
    """Each as an object of its own; a reaction is no change of the text."""
    edit = message("better", edited_at="2026-01-02T03:04:06.000Z")
    changed = Changed(1, "hall", 8, [edit, message("", 8, deleted=True), message(reactions={"👍": [1]})])
    found = frames(JSON, changed, Notice("info", "tea is ready"))[0].split("\n")
    assert [json.loads(line) for line in found] == [
        {"edited": {"author": "Alice", "body": "better", "seq": 7, "at": "2026-01-02T03:04:05.678Z", "id": 9}},
        {"deleted": {"seq": 8, "id": 9}},
        {"notice": {"level": "info", "text": "tea is ready"}},
    ]


def test_what_is_for_other_doors_makes_no_line():
    """Typing, presence and the like."""
    assert frames(PLAIN, Typing(1, "hall", ["Alice"])) is None


def test_gap_reaches_the_socket_without_a_line():
    """It reads on from the database."""
    lines = PLAIN.events([Gap()])
    assert lines.gap
    assert not lines.chunks


def test_error_line():
    """For one client only; in JSON an object follows the mark."""
    assert PLAIN.error("you are\nmuted", "muted") == "! you are muted"
    assert JSON.error("you are muted", "muted") == '! {"error":"you are muted","code":"muted"}'


def test_lines_that_were_shown_are_left_out():
    """What came from the database does not come again."""
    lines = Lines([(1, "a"), (2, "b"), (3, "c")], ["other"])
    assert lines.after(0) is lines
    assert lines.after(2).chunks == ("c\nother",)
    assert Lines([(1, "a")]).after(1).chunks == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [("  hi  ", "hi"), ("a\nb", "a b"), ("a\r\nb\n", "a b"), ("\n \r", ""), ("\u2028x", "x"), ("a\tb", "a\tb")],
)
def test_text_in_is_trimmed_and_one_line(text, line):
    """As the classic hub does before it passes a message on."""
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("query", "wire"),
    [
        (b"", PLAIN),
        (b"names=0", PLAIN),
        (b"names=1", NAMED),
        (b"format=json", JSON),
        (b"names=1&format=json", JSON),
    ],
)
def test_wire_that_the_address_asks_for(query, wire):
    """JSON names its authors anyway."""
    assert asked_for(query_of({"query_string": query})).wire is wire


def test_name_and_place_that_the_address_asks_for():
    """Percent-decoded, like everything in an address."""
    asked = asked_for(query_of({"query_string": b"name=%E5%B0%8F+%E6%98%8E&since=12&other=x"}))
    assert (asked.name, asked.since) == ("小 明", 12)


@pytest.mark.parametrize(
    "query",
    [
        *("names=yes", "format=xml", "since=-1", "since=1.5", "since=", "since=x", "since=٣"),
        *("since=" + "9" * 5000, "name=%ff", "&".join(["a=b"] * 200)),
    ],
)
def test_address_that_means_nothing(query):
    """It is refused with words, not taken for something else."""
    with pytest.raises(Refused) as refused:
        asked_for(query_of({"query_string": query.encode()}))
    assert refused.value.close_code == 4400


@pytest.mark.parametrize("text", ["0", "301", "2.5", "-1", "", "1e2"])
def test_number_outside_its_range(text):
    """The words name the range."""
    with pytest.raises(Refused, match="heartbeat must be a whole number from 1 to 300"):
        number_of({"heartbeat": text}, "heartbeat", 1, 300)
