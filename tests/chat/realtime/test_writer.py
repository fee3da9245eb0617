"""Group commit: many posts, one transaction; each is stored once or not at all, and its sender knows which."""

import asyncio
import threading
from contextlib import asynccontextmanager
from math import ceil, log2
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection

from chat.models import Message, Room
from chat.realtime import writer as writer_module
from chat.realtime.writer import Writer, WriterBusy
from chat.services import posts as posts_module
from chat.services.messages import remove_message
from chat.services.posts import NewPost, store_posts
from rpc import OperationError
from tests.deadlines import DEADLINE


@asynccontextmanager
async def writing(committed=lambda stored: None):
    """A writer that runs, stopped at the end."""
    writer = Writer(committed)
    writer.start()
    try:
        yield writer
    finally:
        await writer.stop(DEADLINE)


@asynccontextmanager
async def held(writer):
    """Keep the writer busy within the block, so that what is asked there comes to it together."""
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold():
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(DEADLINE)

    holding = asyncio.create_task(writer.run(hold))
    await begun.wait()
    try:
        yield
        # What was started in the block reaches the writer's queue.
        await asyncio.sleep(0)
    finally:
        go_on.set()
        await holding


@pytest.fixture
def post(hall, alice):
    """Makes posts of alice to the hall."""

    def make(body="hello", **changes):
        known = dict(room_id=hall.pk, room="hall", author_id=alice.pk, author="Alice", is_guest=False, is_bot=False)
        return NewPost(**{**known, "body": body, "client_id": uuid4(), "via": "web", **changes})

    return make


@pytest.fixture
def transactions(monkeypatch):
    """How many posts each transaction was to store."""
    sizes = []

    def store(posts):
        sizes.append(len(posts))
        return store_posts(posts)

    monkeypatch.setattr(writer_module, "store_posts", store)
    return sizes


def together(writer, *posts):
    return [asyncio.create_task(writer.post(each)) for each in posts]


async def rows():
    return await asyncio.to_thread(lambda: list(Message.objects.order_by("seq")))


async def test_posts_that_wait_share_one_transaction(post):
    """They are stored in the order in which they came, with numbers without a gap."""
    batches = []
    async with writing(batches.append) as writer:
        first = await writer.post(post("0"))
        async with held(writer):
            tasks = together(writer, *(post(f"{number}") for number in range(1, 6)))
        stored = [first, *await asyncio.gather(*tasks)]
    assert [len(batch) for batch in batches] == [1, 5]
    assert [each.message.number for each in stored] == [1, 2, 3, 4, 5, 6]
    assert [each.message.seq for each in stored] == [1, 2, 3, 4, 5, 6]
    assert [row.body for row in await rows()] == ["0", "1", "2", "3", "4", "5"]


async def test_same_client_id_in_one_batch_is_one_post(post):
    """The first one counts; each sender gets it as the answer."""
    batches = []
    async with writing(batches.append) as writer:
        id = uuid4()
        async with held(writer):
            tasks = together(writer, post("first", client_id=id), post("other"), post("second", client_id=id))
        first, other, second = await asyncio.gather(*tasks)
    assert first.message == second.message
    assert (first.created, second.created) == (True, False)
    assert [each.message.body for each in batches[0]] == ["first", "other"]
    assert [row.body for row in await rows()] == ["first", "other"]
    assert other.message.number == 2


async def test_same_client_id_in_two_batches_is_one_post(post):
    """A retry after the answer was lost is answered by the first, and announced to nobody."""
    batches = []
    async with writing(batches.append) as writer:
        id = uuid4()
        first = await writer.post(post("first", client_id=id))
        second = await writer.post(post("second", client_id=id))
    assert first.message == second.message
    assert not second.created
    assert [len(batch) for batch in batches] == [1, 0]


async def test_same_client_id_after_a_restart_is_one_post(post):
    """The database remembers, not the process."""
    id = uuid4()
    async with writing() as before:
        first = await before.post(post("first", client_id=id))
    async with writing() as after:
        second = await after.post(post("first", client_id=id))
    assert first.message == second.message
    assert len(await rows()) == 1


async def test_same_client_id_of_two_authors_are_two_posts(post, bob):
    """Mallory cannot take alice's message away by guessing its id."""
    id = uuid4()
    async with writing() as writer:
        async with held(writer):
            tasks = together(writer, post("mine", client_id=id), post("theirs", client_id=id, author_id=bob.pk))
        stored = await asyncio.gather(*tasks)
    assert [(each.created, each.message.body) for each in stored] == [(True, "mine"), (True, "theirs")]


@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [({"room_id": 0, "reply_to": 1}, "no_such_room", None), ({"reply_to": 7}, "no_such_message", "reply_to")],
    ids=["a room that is gone", "a reply to nothing"],
)
async def test_post_that_is_refused_costs_the_others_nothing(post, transactions, bad, code, field):
    """What can be foreseen is foreseen: the batch stays one transaction, the others keep their order."""
    async with writing() as writer:
        async with held(writer):
            tasks = together(writer, post("one"), post("bad", **bad), post("two"))
        one, refused, two = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(refused, OperationError)
    assert (refused.code, refused.field) == (code, field)
    assert [(each.message.body, each.message.number) for each in (one, two)] == [("one", 1), ("two", 2)]
    assert [row.seq for row in await rows()] == [1, 2]
    assert transactions == [3]


async def test_post_that_is_the_only_one_and_refused_takes_no_version(post, hall):
    """Nor does it leave anything else."""
    async with writing() as writer:
        with pytest.raises(OperationError, match="no such message"):
            await writer.post(post(reply_to=1))
    await asyncio.to_thread(hall.refresh_from_db)
    assert (hall.version, hall.posts, await rows()) == (0, 0, [])


async def test_reply_to_a_message_that_was_removed(post):
    """Its tombstone is in the room still."""
    async with writing() as writer:
        first = await writer.post(post("first"))
        await writer.run(remove_message, first.message.room_id, first.message.seq, by=None)
        reply = await writer.post(post("reply", reply_to=first.message.seq))
    assert reply.message.reply_to == first.message.seq


async def test_reply_to_a_message_of_another_room(post):
    """The seqs of each room are its own."""
    other = await asyncio.to_thread(Room.objects.create, name="other")
    async with writing() as writer:
        await writer.post(post("there", room_id=other.pk))
        with pytest.raises(OperationError, match="no such message"):
            await writer.post(post("here", reply_to=1))


async def test_replies_are_looked_for_only_where_there_are_some(post):
    """A batch without replies costs no query more."""
    sent = []

    def count(execute, sql, params, many, context):
        sent.append(sql)
        return execute(sql, params, many, context)

    def watch():
        connection.execute_wrappers.append(count)

    async with writing() as writer:
        await writer.run(watch)
        await writer.post(post("first"))
        without = len(sent)
        sent.clear()
        await writer.post(post("reply", reply_to=1))
    assert len(sent) == without + 1


@pytest.mark.parametrize("bad_at", [0, 7, 20])
async def test_post_that_fails_unforeseen_is_found_by_halving(post, transactions, bad_at):
    """Twenty good ones and a bad one cost about twice the logarithm, and the good ones keep their order."""
    posts = [post(f"{number}") for number in range(21)]
    posts[bad_at] = post("bad", author_id=0)
    batches = []
    async with writing(batches.append) as writer:
        async with held(writer):
            tasks = together(writer, *posts)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(bad_at), IntegrityError)
    stored = [f"{number}" for number in range(21) if number != bad_at]
    assert [each.message.body for each in outcomes] == [row.body for row in await rows()] == stored
    assert [each.message.number for each in outcomes] == list(range(1, 21))
    assert [each.message.body for batch in batches for each in batch] == stored
    assert len(transactions) <= 2 * ceil(log2(21)) + 2


async def test_same_client_id_of_another_process_at_the_same_time(post, monkeypatch):
    """It was stored between our look and our insert: the next look finds it."""
    id, look, looks = uuid4(), posts_module._already_stored, []
    theirs = post("theirs", client_id=id)

    def look_before_them(posts):
        looks.append(len(posts))
        return {} if len(looks) == 1 else look(posts)

    async with writing() as writer:
        await writer.post(theirs)
        monkeypatch.setattr(posts_module, "_already_stored", look_before_them)
        ours = await writer.post(post("ours", client_id=id))
    assert (ours.message.body, ours.created, looks) == ("theirs", False, [1, 1])


async def test_posts_to_two_rooms_in_one_batch_are_counted_apart(post):
    """Each room has its own versions."""
    other = await asyncio.to_thread(Room.objects.create, name="other")
    async with writing() as writer:
        async with held(writer):
            tasks = together(writer, post("a"), post("b", room_id=other.pk), post("c"), post("d", room_id=other.pk))
        stored = await asyncio.gather(*tasks)
    assert [each.message.number for each in stored] == [1, 1, 2, 2]


async def test_call_keeps_its_place_among_posts(post):
    """What was asked before is done before: an edit finds the post it edits."""
    async with writing() as writer:
        async with held(writer):
            before = asyncio.create_task(writer.post(post("before")))
            await asyncio.sleep(0)
            count = asyncio.create_task(writer.run(Message.objects.count))
            await asyncio.sleep(0)
            after = asyncio.create_task(writer.post(post("after")))
        assert await count == 1
        await asyncio.gather(before, after)


async def test_call_that_fails_leaves_nothing(post):
    """Its exception reaches the caller, its transaction is undone, the writer goes on."""

    def make_and_fail():
        Room.objects.create(name="half")
        raise ValueError("half-way")

    async with writing() as writer:
        with pytest.raises(ValueError, match="half-way"):
            await writer.run(make_and_fail)
        assert not await writer.run(Room.objects.filter(name="half").exists)
        await writer.post(post())


async def test_commit_comes_before_the_announcement(post):
    """Whoever hears of a post finds it."""
    seen = []

    def committed(stored):
        # Another connection than the writer's: what it sees is committed.
        reader = threading.Thread(target=lambda: seen.append(Message.objects.count()))
        reader.start()
        reader.join(DEADLINE)

    async with writing(committed) as writer:
        await writer.post(post())
    assert seen == [1]


async def test_full_writer_says_busy(post, monkeypatch):
    """More than it can hold is refused at once, and nothing of it is stored; what waits is."""
    monkeypatch.setattr(writer_module, "MAX_WAITING", 2)
    async with writing() as writer:
        async with held(writer):
            waiting = together(writer, post("1"), post("2"))
            await asyncio.sleep(0)
            with pytest.raises(WriterBusy):
                await writer.post(post("3"))
        await asyncio.gather(*waiting)
        await writer.post(post("4"))
    assert [row.body for row in await rows()] == ["1", "2", "4"]


async def test_stopped_writer_says_busy_and_has_finished_what_waited(post):
    """Stopping waits for what was accepted."""
    async with writing() as writer:
        async with held(writer):
            waiting = together(writer, post("1"), post("2"))
            await asyncio.sleep(0)
            stopping = asyncio.create_task(writer.stop(DEADLINE))
            await asyncio.sleep(0)
            with pytest.raises(WriterBusy):
                await writer.post(post("3"))
        await stopping
        assert [each.done() for each in waiting] == [True, True]
    assert [row.body for row in await rows()] == ["1", "2"]


async def test_sender_that_went_away_does_not_stop_the_others(post):
    """A cancelled wait cancels no post."""
    async with writing() as writer:
        async with held(writer):
            gone, stays = together(writer, post("gone"), post("stays"))
            await asyncio.sleep(0)
            gone.cancel()
        assert (await stays).message.number == 2
    assert [row.body for row in await rows()] == ["gone", "stays"]


async def test_connection_that_died_is_tried_once_more(post, monkeypatch):
    """A database that restarted costs no post: posting is idempotent."""
    attempts = []

    def fail_first(posts):
        attempts.append(len(posts))
        if len(attempts) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return store_posts(posts)

    monkeypatch.setattr(writer_module, "store_posts", fail_first)
    async with writing() as writer:
        assert (await writer.post(post())).created
    assert attempts == [1, 1]


async def test_database_that_stays_away_says_busy(post, monkeypatch):
    """The sender may try again; what is not a matter of the moment is not called busy."""

    def fail(posts):
        raise OperationalError("database is locked")

    monkeypatch.setattr(writer_module, "store_posts", fail)
    async with writing() as writer:
        with pytest.raises(WriterBusy):
            await writer.post(post())


async def test_database_that_stays_away_is_not_asked_for_each_post(post, monkeypatch):
    """No post of the batch is to blame: all are told to come back after the second try."""
    attempts = []

    def fail(posts):
        attempts.append(len(posts))
        raise OperationalError("database is locked")

    monkeypatch.setattr(writer_module, "store_posts", fail)
    async with writing() as writer:
        async with held(writer):
            tasks = together(writer, *(post() for _ in range(20)))
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {WriterBusy}
    assert attempts == [20, 20]


async def test_what_waited_too_long_says_busy(post, monkeypatch):
    """Behind a database that takes nothing, all get an answer soon; what comes later is tried."""
    async with writing() as writer:
        async with held(writer):
            monkeypatch.setattr(writer_module, "MAX_WAIT", 0.0)
            late = together(writer, post("1"), post("2"))
            await asyncio.sleep(0)
            monkeypatch.setattr(writer_module, "MAX_WAIT", DEADLINE)
            (in_time,) = together(writer, post("3"))
        assert [type(each) for each in await asyncio.gather(*late, return_exceptions=True)] == [
            WriterBusy,
            WriterBusy,
        ]
        await in_time
    assert [row.body for row in await rows()] == ["3"]
