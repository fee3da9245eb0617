"""Pages of a room's past, and what changed in it since a version."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.models import Room, User
from chat.queries import history
from chat.queries.sizes import MAX_LIST_BYTES, json_size
from chat.services import messages, rooms
from chat.services.posts import NewPost, store_posts


@pytest.fixture
def author(db):
    return User.objects.create_user("author")


@pytest.fixture
def room(db, author):
    """Ten posts, with a change of the room after the fifth: seqs 1 to 5 and 7 to 11."""
    made = Room.objects.create(name="room")
    store_posts([post(made, author, f"{number}") for number in range(1, 6)])
    rooms.change_room(made.pk, topic="between")
    store_posts([post(made, author, f"{number}") for number in range(6, 11)])
    return made


def post(room, author, body):
    return NewPost(room.pk, room.name, author.pk, author.name, False, False, body, uuid4(), "web")


def seqs(page):
    return [message.seq for message in page]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]),
        ({"limit": 3}, [9, 10, 11]),
        ({"before_seq": 9, "limit": 3}, [5, 7, 8]),
        ({"before_seq": 1}, []),
        ({"after_seq": 5, "limit": 2}, [7, 8]),
        ({"after_seq": 11}, []),
        ({"around_seq": 5, "limit": 4}, [3, 4, 5, 7]),
        ({"around_seq": 6, "limit": 4}, [4, 5, 7, 8]),
        ({"around_seq": 1, "limit": 4}, [1, 2]),
    ],
    ids=str,
)
def test_page_is_the_newest_or_next_to_a_seq(room, asked, expected):
    """Oldest first, whichever way it was asked; gaps between seqs are no messages."""
    assert seqs(history.page(room.pk, **asked)) == expected


def test_page_of_another_room_is_another_room(room, author):
    """Nothing leaks between rooms."""
    other = Room.objects.create(name="other")
    store_posts([post(other, author, "there")])
    assert [message.body for message in history.page(other.pk)] == ["there"]
    assert len(history.page(room.pk)) == 10


def test_page_costs_the_same_queries_whatever_its_length(room, author):
    """No query for each message, author or reaction."""
    for message in history.page(room.pk):
        messages.react(room.pk, message.seq, "👍", by=author.pk, on=True)

    def queries(limit):
        with CaptureQueriesContext(connection) as captured:
            history.page(room.pk, limit=limit)
        return len(captured)

    assert queries(10) == queries(1) == 2


def test_page_is_read_by_index(room, author):
    """Flat in the length of the history: no scan, no sort."""
    with CaptureQueriesContext(connection) as captured:
        history.page(room.pk, before_seq=9, limit=3)
        history.changes_since(room.pk, 3)
    queries = [query["sql"] for query in captured.captured_queries if "chat_message" in query["sql"]]
    assert queries
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query}")
            plan = " ".join(str(row) for row in cursor.fetchall())
            assert "SEARCH chat_message" in plan
            assert "SCAN chat_message" not in plan
            assert "TEMP B-TREE" not in plan or "chat_reaction" in plan


def test_changes_come_in_their_order_with_the_version_they_bring_one_to(room, author):
    """An edit moves a message behind; a change of the room itself brings a version without a message."""
    messages.edit_message(room.pk, 2, "two", by=author.pk)
    version, changed, more = history.changes_since(room.pk, 10)
    assert (version, [(each.seq, each.body) for each in changed], more) == (12, [(11, "10"), (2, "two")], False)
    rooms.change_room(room.pk, topic="again")
    assert history.changes_since(room.pk, 12) == (13, [], False)
    assert history.changes_since(room.pk, 13) == (13, [], False)


def test_changes_in_pages_lose_none_and_repeat_none(room, author):
    """Asked again from the returned version until there is no more."""
    for seq in (1, 2, 3):
        messages.remove_message(room.pk, seq, by=author.pk)
    known, found, more = 0, [], True
    while more:
        known, changed, more = history.changes_since(room.pk, known, 3)
        found += seqs(changed)
    assert found == [4, 5, 7, 8, 9, 10, 11, 1, 2, 3]
    assert known == Room.objects.get(pk=room.pk).version


def test_version_from_the_future_brings_the_room_s_own(room):
    """A client of a database that was restored from a backup is told where the room stands."""
    assert history.changes_since(room.pk, 99) == (11, [], False)


WIDE = "\x01" * 16_000
"""Six bytes a character in JSON."""


@pytest.fixture
def wide_room(db, author):
    """Fifty posts whose JSON is as large as it can be: seqs 1 to 50."""
    made = Room.objects.create(name="wide")
    store_posts([post(made, author, WIDE) for _ in range(50)])
    return made


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, None, 50),
        ({"before_seq": 40}, None, 39),
        ({"after_seq": 10}, 11, None),
        ({"around_seq": 25}, None, None),
    ],
    ids=str,
)
def test_page_is_bounded_by_what_its_json_takes(wide_room, asked, first, last):
    """As many as fit, next to what was asked for: an answer is never too large to be sent."""
    page = history.page(wide_room.pk, **asked)
    assert 1 <= len(page) < 50
    assert json_size(page) <= MAX_LIST_BYTES
    assert first is None or seqs(page)[0] == first
    assert last is None or seqs(page)[-1] == last
    assert seqs(page) == list(range(seqs(page)[0], seqs(page)[-1] + 1))
    assert "around_seq" not in asked or {24, 25} <= set(seqs(page))


def test_changes_are_bounded_by_what_their_json_takes(wide_room):
    """Whoever asks again from where they are comes to the end, and misses nothing."""
    version, seen, more = 0, [], True
    while more:
        version, changed, more = history.changes_since(wide_room.pk, version)
        assert json_size(changed) <= MAX_LIST_BYTES
        seen += seqs(changed)
    assert seen == list(range(1, 51))
    assert version == 50


def test_message_that_alone_is_too_large_is_answered_all_the_same(wide_room):
    """Else nobody would ever come past it."""
    version, changed, more = history.changes_since(wide_room.pk, 0, max_bytes=1)
    assert (version, len(changed), more) == (1, 1, True)
