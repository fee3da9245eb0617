"""What is changed elsewhere, by the admin or another process, is seen on open sockets at once."""

import asyncio
import threading

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.utils import timezone

from chat.models import Message, Room, Sanction, Token, User
from chat.queries.guests import GUEST_USER
from chat.queries.identity import open_session
from chat.queries.tokens import SCOPES
from chat.realtime import read_markers, refresh, runtime
from chat.realtime.clients import Wire
from chat.realtime.writer import WriterBusy
from chat.services import accounts as people
from chat.services import memberships, messages, rooms, site
from chat.services.events import Gap, PersonChanged
from chat.services.tokens import make_token
from rpc import Refused
from tests.deadlines import DEADLINE


async def test_new_room_of_the_admin_appears_and_is_heard(chat, alice):
    """Made in another thread, as the admin makes it."""
    page = await chat.open(alice)
    await chat.elsewhere(rooms.create_room, "news", by=None, topic="what is new")
    await page.hears("rooms", lambda rooms: rooms.get("news", {}).get("topic") == "what is new")
    await page.post("news", "first")
    assert (await page.hears("newmsg"))["room"] == "news"


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"topic": "cats only"}, {"topic": "cats only"}),
        ({"read_only": True}, {"read_only": True, "can_post": False}),
        ({"kind": "private"}, None),
        ({"archived": True}, {"archived": True, "can_post": False}),
    ],
    ids=lambda value: str(value),
)
async def test_changed_room_is_seen_by_a_visitor(chat, hall, change, shown):
    """Topic and switches follow; a room that is private now is gone from the list, an archived one stays."""
    page = await chat.open()
    await chat.elsewhere(rooms.change_room, hall.pk, **change)
    if shown is None:
        await page.hears("rooms", lambda rooms: "hall" not in rooms)
    else:
        await page.hears("rooms", lambda rooms: shown.items() <= rooms["hall"].items())


async def test_archived_room_is_read_by_who_never_joined_it(chat, hall, alice, visitor_session):
    """On the open page and after a reconnect, by accounts, visitors, and visitors who get an account meanwhile."""
    other = await chat.elsewhere(rooms.create_room, "other", by=None)
    page, visitor = await chat.open(alice), await chat.open(session=visitor_session)
    await visitor.hears("rooms", lambda rooms: "other" in rooms)
    await page.post("hall", "worth keeping")
    await chat.elsewhere(rooms.change_room, hall.pk, archived=True)
    for each in (page, visitor):
        await each.hears("rooms", lambda rooms: rooms["hall"]["archived"])
        assert [message["body"] for message in await each.ask("list-messages", "hall")] == ["worth keeping"]
        assert await each.refusal("send-message", {"room": "hall", "message": {"body": "more"}}) == "archived"
    await visitor.post("other", "gets an account by this")
    assert (await visitor.ask("whoami"))["id"] is not None
    await visitor.ask("set-name", "Veronica")
    await visitor.hears("username", lambda name: name == "Veronica")
    await chat.elsewhere(rooms.change_room, other.pk, topic="the next list")
    await visitor.hears("rooms", lambda rooms: rooms["other"]["topic"] and rooms["hall"]["archived"])
    for again in (await chat.open(alice), await chat.open(session=visitor_session), await chat.open()):
        assert again.heard["rooms"][-1]["hall"]["archived"]
    for each in (page, visitor):
        assert all("hall" in rooms for rooms in each.heard["rooms"])


async def test_room_that_the_admin_deletes(chat, hall, alice):
    """It leaves every list at once, `sync` answers reset, and its name is free."""
    page, other = await chat.open(alice), await chat.open()
    await page.post("hall", "before")
    await chat.elsewhere(rooms.delete_room, hall.pk)
    for each in (page, other):
        await each.hears("rooms", lambda rooms: "hall" not in rooms)
    assert (await page.ask("sync", {"rooms": {"hall": 1}}))["rooms"]["hall"]["reset"]
    assert await page.refusal("list-messages", "hall") == "no_such_room"
    assert (await page.ask("create-room", "hall"))["id"] != hall.pk
    assert await page.ask("list-messages", "hall") == []


async def test_room_that_is_gone_from_the_database(chat, hall, cellar, alice):
    """The first that posts there finds out: the room is in no list any more, others go on."""
    page, other = await chat.open(alice), await chat.open()
    await page.post("hall", "before")
    await chat.elsewhere(hall.delete)
    assert (await page.ask("sync", {"rooms": {"hall": 0}}))["rooms"]["hall"]["reset"]
    message = {"room": "hall", "message": {"body": "after"}}
    assert await page.refusal("send-message", message) == "no_such_room"
    for each in (page, other):
        await each.hears("rooms", lambda rooms: "hall" not in rooms)
    assert (await page.ask("sync", {"rooms": {"hall": 0}}))["rooms"]["hall"]["reset"]
    assert await page.refusal("send-message", message) == "no_such_room"
    await page.post("cellar", "elsewhere")


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        *(("set-topic", {"topic": "x"}), ("join-room", {}), ("leave-room", {}), ("kick", {"id": 0})),
        *(("edit-message", {"seq": 1, "body": "x"}), ("mark-read", {"seq": 1})),
    ],
)
async def test_what_else_is_asked_of_a_room_that_is_gone(chat, hall, alice, bob, operation, params, caplog):
    """It is refused in words, not as a fault of ours."""
    await chat.elsewhere(memberships.join_room, hall.pk, alice.pk, role="owner")
    page = await chat.open(alice)
    await page.post("hall", "before")
    if "id" in params:
        params = {"id": bob.pk}
    await chat.elsewhere(hall.delete)
    if operation == "mark-read":
        await page.ask(operation, {"room": "hall", **params})
    else:
        assert await page.refusal(operation, {"room": "hall", **params}) in ("no_such_room", "no_such_message")
    await chat.runtime.read_markers.stop()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_room_that_is_gone_is_found_by_reading_again(chat, hall, alice):
    """Also where nobody posts: whoever entered it is told."""

    class Door:
        door, scope, wire = "push", {}, Wire()

        def __init__(self):
            self.lost = []

        def send(self, payload):
            """Nothing is of interest."""

        def lost_room(self, name):
            self.lost.append(name)

        def close(self, code, text):
            """The test ends it."""

    door = Door()
    client = await chat.runtime.connections.connect(door, entered={hall.pk})
    await chat.elsewhere(hall.delete)
    await chat.runtime.refresh.reload()
    await chat.runtime.connections.disconnect(client)
    assert door.lost == ["hall"]


async def test_read_marker_of_a_room_that_is_gone_takes_no_other_with_it(chat, hall, cellar, alice):
    """Markers are stored in batches."""
    page = await chat.open(alice)
    for room in ("hall", "cellar"):
        await page.post(room, "hello")
        await page.ask("mark-read", {"room": room, "seq": 1})
    await chat.elsewhere(hall.delete)
    await chat.runtime.read_markers.stop()
    assert (await chat.elsewhere(cellar.memberships.get, user=alice)).read_seq == 1


async def test_read_marker_is_kept_while_the_database_is_busy(chat, hall, alice, monkeypatch):
    """It is stored when the database takes it, and does not move back what moved on meanwhile."""
    page = await chat.open(alice)
    markers = chat.runtime.read_markers
    # Saved by the test alone.
    await markers.stop()
    for body in ("1", "2"):
        await page.post("hall", body)
    saving, go_on, saved = asyncio.Event(), threading.Event(), []
    loop = asyncio.get_running_loop()

    def fail_first(markers):
        saved.append(list(markers.values()))
        if len(saved) == 1:
            loop.call_soon_threadsafe(saving.set)
            assert go_on.wait(DEADLINE)
            raise OperationalError("database is locked")

    monkeypatch.setattr(read_markers, "save_read_markers", fail_first)
    await page.ask("mark-read", {"room": "hall", "seq": 1})
    first = asyncio.create_task(markers._save())
    await saving.wait()
    await page.ask("mark-read", {"room": "hall", "seq": 2})
    go_on.set()
    with pytest.raises(WriterBusy):
        await first
    await markers._save()
    assert saved == [[(1, 1)], [(2, 2)]]


async def test_renamed_room_keeps_its_messages_and_its_hearers(chat, hall, alice):
    """The old name is free; posts go by the new one."""
    page = await chat.open(alice)
    await page.post("hall", "before")
    await chat.elsewhere(rooms.change_room, hall.pk, name="lobby")
    await page.hears("rooms", lambda rooms: "lobby" in rooms and "hall" not in rooms)
    await page.post("lobby", "after")
    await page.hears("newmsg", lambda value: value["room"] == "lobby")
    assert [each["body"] for each in await page.ask("list-messages", "lobby")] == ["before", "after"]
    assert await page.refusal("list-messages", "hall") == "no_such_room"


async def test_change_of_a_room_takes_a_version(chat, hall, alice):
    """So that who was away learns that there was something, and no open page sees a gap."""
    page = await chat.open(alice)
    version = (await page.post("hall", "one"))["version"]
    await chat.elsewhere(rooms.change_room, hall.pk, topic="new")
    assert await page.hears("changed") == {"room": "hall", "version": version + 1, "messages": []}
    assert (await page.post("hall", "two"))["version"] == version + 2


async def test_message_that_the_admin_removes_vanishes(chat, hall, alice):
    """The text is gone from every open page; it stays as a revision."""
    page = await chat.open(alice)
    seq = (await page.post("hall", "something rude"))["seq"]
    await chat.elsewhere(messages.remove_message, hall.pk, seq, by=None, reason="rude")
    changed = await page.hears("changed")
    assert (changed["messages"][0]["deleted"], changed["messages"][0]["body"]) == (True, "")
    kept = await chat.elsewhere(lambda: Message.objects.get().revisions.get().body)
    assert kept == "something rude"


async def test_person_who_is_taken_into_a_private_room_hears_it(chat, cellar, alice, mallory):
    """Without a reload: the room appears, and the next post arrives."""
    owner, page = await chat.open(alice), await chat.open(mallory)
    await chat.elsewhere(memberships.join_room, cellar.pk, mallory.pk)
    await page.hears("rooms", lambda rooms: "cellar" in rooms)
    await owner.post("cellar", "welcome")
    assert (await page.hears("newmsg"))["message"]["body"] == "welcome"


async def test_person_whom_the_admin_renames_is_told(chat, hall, alice, bob):
    """They and the others hear of it; new posts bear the new name."""
    page, other = await chat.open(alice), await chat.open(bob)
    await chat.counts(alice)
    await other.ask("list-members", "hall")
    await chat.elsewhere(people.rename, alice.pk, "Alicia")
    await page.hears("username", lambda name: name == "Alicia")
    await other.hears("presence", lambda value: "Alicia" in {each["name"] for each in value["joined"]})
    await page.post("hall", "hello")
    assert (await other.hears("newmsg"))["message"]["author"] == "Alicia"


async def test_word_to_everyone_is_heard_by_everyone(chat, alice):
    """A notice, which is not stored."""
    pages = [await chat.open(alice), await chat.open()]
    await chat.elsewhere(site.announce_to_all, "back up at noon", "warning")
    for page in pages:
        notice = await page.hears("notice")
        assert (notice["level"], notice["text"]) == ("warning", "back up at noon")


async def test_change_that_was_undone_is_not_announced(chat, hall, alice):
    """Announced after commit, and only then."""
    page = await chat.open(alice)

    def change_and_fail():
        rooms.change_room(hall.pk, topic="never")
        raise ValueError

    with pytest.raises(ValueError):
        await chat.runtime.writer.run(change_and_fail)
    await chat.elsewhere(site.announce_to_all, "now")
    await page.hears("notice")
    assert not page.heard["changed"]
    assert (await page.hears("rooms"))["hall"]["topic"] == ""
    assert all(rooms["hall"]["topic"] == "" for rooms in page.heard["rooms"])


async def test_gap_of_the_layer_brings_everyone_the_list_again(chat, hall, alice):
    """What was lost shows as a version that is higher than the page's own: it asks for the rest."""
    page = await chat.open(alice)
    await chat.elsewhere(Room.objects.filter(pk=hall.pk).update, version=5, topic="changed unheard")
    chat.runtime.hub._take([Gap()])
    await page.hears("rooms", lambda rooms: rooms["hall"]["version"] == 5)
    assert page.heard["rooms"][-1]["hall"]["topic"] == "changed unheard"


def _switch_off(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def _ban(user):
    Sanction.objects.create(user=user, kind=Sanction.Kind.BAN)


def _end_sessions(user):
    Session.objects.all().delete()


@pytest.mark.parametrize(
    ("change", "code"),
    [(_switch_off, 4403), (_ban, 4403), (_end_sessions, 4401)],
    ids=["switched off", "banned", "logged out"],
)
async def test_gap_closes_whoever_may_be_connected_no_longer(chat, hall, alice, bob, change, code):
    """Nobody said so while the layer was away: everyone is compared with the database."""
    page, visitor = await chat.open(alice), await chat.open()
    await chat.elsewhere(change, alice)
    chat.runtime.hub._take([Gap()])
    assert await page.is_closed() == code
    assert (await visitor.ask("whoami"))["id"] is None


async def test_gap_closes_sockets_of_a_token_that_was_revoked(chat, alice):
    """Those of other tokens stay."""
    mine, other = Token(user=alice, name="mine", scopes=SCOPES), Token(user=alice, name="other", scopes=SCOPES)
    secrets = [await chat.elsewhere(make_token, token) for token in (mine, other)]
    page, stays = [await chat.open(bearer=secret) for secret in secrets]
    await chat.elsewhere(Token.objects.filter(pk=mine.pk).update, revoked_at=timezone.now())
    chat.runtime.hub._take([Gap()])
    assert await page.is_closed() == 4401
    assert (await stays.ask("whoami"))["id"] == alice.pk


async def test_gap_takes_in_what_a_person_may_no_longer_do(chat, hall, cellar, alice, bob):
    """A mute and a lost membership hold on the open socket, and those who look on see who is here."""
    page, watcher = await chat.open(bob), await chat.open(alice)
    await chat.counts(bob)
    await watcher.ask("list-members", "cellar")
    await chat.elsewhere(Sanction.objects.create, user=bob, kind=Sanction.Kind.MUTE)
    await chat.elsewhere(cellar.memberships.filter(user=bob).update, left=True)
    chat.runtime.hub._take([Gap()])
    await page.hears("rooms", lambda rooms: "cellar" not in rooms)
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "still here"}}) == "muted"
    await watcher.hears("presence", lambda change: change["left"] == [f"u{bob.pk}"])


async def test_gap_in_which_a_guest_got_an_account(chat, hall, visitor_session):
    """They posted through another process: the socket is their account's now."""
    page = await chat.open(session=visitor_session)
    key = await chat.elsewhere(_account_unheard, visitor_session)
    chat.runtime.hub._take([Gap()])
    await page.hears("username", "Vera".__eq__)
    assert (await page.ask("whoami"))["id"] == key


def _account_unheard(session_key):
    user = User.objects.create_user("guest-of-elsewhere", name="Vera", is_guest=True)
    session = open_session(session_key)
    session[GUEST_USER] = user.pk
    session.save()
    return user.pk


async def test_what_could_not_be_read_is_read_again(chat, hall, alice, monkeypatch, caplog):
    """A ban that came while the database was out of reach is not forgotten."""
    monkeypatch.setattr(refresh, "RETRY_SECONDS", 0.01)
    page = await chat.open(alice)
    await chat.elsewhere(_ban, alice)

    def out_of_reach(user_id):
        raise OperationalError("the database is out of reach")

    monkeypatch.setattr(refresh, "identity_of_key", out_of_reach)
    chat.runtime.hub._take([PersonChanged(alice.pk)])
    assert await page.is_closed() == 4403
    assert "could not follow PersonChanged" in caplog.text


async def test_change_that_nobody_announced_is_found_by_reading_again(chat, hall, alice, monkeypatch):
    """A management command without Redis has no way to say so."""
    page = await chat.open(alice)
    await page.hears("rooms")
    await chat.elsewhere(Room.objects.filter(pk=hall.pk).update, topic="from the shell")
    await chat.runtime.refresh.reload()
    chat.runtime.connections.tell_rooms(chat.runtime.connections.clients)
    assert (await page.hears("rooms"))["hall"]["topic"] == "from the shell"


async def test_many_changes_are_told_in_few_lists(chat, hall, alice, monkeypatch):
    """Gathered: a hundred changes of one room cost one reading, not a hundred lists."""
    monkeypatch.setattr(refresh, "GATHER_SECONDS", 0.2)
    page = await chat.open(alice)
    for number in range(100):
        await chat.elsewhere(rooms.change_room, hall.pk, topic=f"{number}")
    await page.hears("rooms", lambda rooms: rooms["hall"]["topic"] == "99")
    assert len(page.heard["rooms"]) < 50


async def test_connection_that_ends_leaves_nothing_behind(chat, hall, alice):
    """No client, no person, no subscription, no row."""
    stays = await chat.open()
    await stays.ask("list-members", "hall")
    page = await chat.open(alice)
    await page.ask("list-members", "hall")
    await stays.hears("presence", lambda value: f"u{alice.pk}" in {each["key"] for each in value["joined"]})
    await page.close()
    await stays.hears("presence", lambda value: f"u{alice.pk}" in value["left"])
    runtime = chat.runtime
    assert len(runtime.connections.clients) == len(runtime.directory.people) == 1
    assert len(runtime.watchers._room_of) == 1
    senders = [send for wires in runtime.hub._subscribers.values() for some in wires.values() for send in some]
    assert set(senders) == {client.link.send for client in runtime.connections.clients}


async def test_connections_that_come_and_go_at_once_leave_nothing_behind(chat, hall, alice):
    """Also those that end while they are opening."""
    pages = [await chat.dial(alice) for _ in range(20)]
    await asyncio.gather(*(page.close() for page in pages))
    assert chat.runtime.connections.clients == set()
    assert chat.runtime.directory.people == {}
    assert chat.runtime.hub._subscribers == {}


async def test_drain_tells_everyone_and_answers_what_was_accepted(chat, hall, alice):
    """The last posts are acknowledged and stored; a later connection is rejected, until there is a new start."""
    page = await chat.open(alice)
    await page.post("hall", "first")
    posts = [asyncio.create_task(page.post("hall", f"{number}")) for number in range(10)]
    # Answered in order: the requests before it have reached the writer.
    await page.ask("echo")
    draining = asyncio.create_task(runtime.drain())
    assert (await page.hears("notice"))["level"] == "restart"
    with pytest.raises(Refused):
        await runtime.start()
    answers = await asyncio.gather(*posts, return_exceptions=True)
    await draining
    acknowledged = {answer["id"] for answer in answers if isinstance(answer, dict)}
    stored = await chat.elsewhere(lambda: set(Message.objects.values_list("pk", flat=True)))
    assert acknowledged <= stored
    assert len(acknowledged) == 10


async def test_two_who_ask_first_share_one_runtime(chat):
    """Started once, whoever comes first."""
    assert await asyncio.gather(runtime.start(), runtime.start()) == [
        chat.runtime,
        chat.runtime,
    ]


async def test_busy_writer_is_told_as_retry(chat, hall, alice, monkeypatch):
    """Overload is a word to come back, not a failure."""
    page = await chat.open(alice)
    monkeypatch.setattr("chat.realtime.writer.MAX_WAITING", 0)
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "x"}}) == "busy"
    assert await page.refusal("create-room", "x") == "busy"


async def test_account_that_is_deleted_from_under_a_socket_fails_its_requests_only(chat, hall, mallory):
    """The database says no; the connection and the others go on."""
    page, other = await chat.open(mallory), await chat.open()
    await chat.elsewhere(User.objects.filter(pk=mallory.pk).delete)
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "ghost"}}) == "internal"
    await other.post("hall", "still here")
