"""
Each operation, from a socket: alice and bob are members, mallory is not.

What may be refused is refused by `chat.actions.access`, whose rules are held in test_access.py; here, that each
operation asks it, finds rooms through the person, and tells the others.
"""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chat.actions.limits import RATES
from chat.models import Room, Sanction, User
from chat.queries.rates import Rate
from chat.services import accounts as people
from chat.services import memberships, moderation, rooms
from chat.services.posts import NewPost, store_posts
from chat.services.site import change_settings, end_session
from rpc import RequestFailed
from tests.chat.conftest import session_of
from tests.chat.doors.gotalk.room_operations import ROOM_OPERATIONS

WRITING = ROOM_OPERATIONS[1:5]
NOT_SEQS = (-1, 2**63, 2**70)


@pytest.mark.parametrize(("operation", "params"), ROOM_OPERATIONS, ids=[name for name, _ in ROOM_OPERATIONS])
async def test_private_room_does_not_exist_for_an_outsider(chat, cellar, alice, mallory, operation, params):
    """Whatever mallory asks about a private room, there is none; nothing in it changes."""
    owner, outsider = await chat.open(alice), await chat.open(mallory)
    await owner.post("cellar", "between us")
    assert await outsider.refusal(operation, {"room": "cellar", **params}) == "no_such_room"
    assert await outsider.refusal(operation, {"room": "no room at all", **params}) == "no_such_room"
    assert [message["body"] for message in await owner.ask("list-messages", "cellar")] == ["between us"]
    assert not outsider.heard["newmsg"]
    assert "cellar" not in await outsider.hears("rooms")
    assert all("cellar" not in rooms for rooms in outsider.heard["rooms"])


@pytest.mark.parametrize(("operation", "params"), ROOM_OPERATIONS, ids=[name for name, _ in ROOM_OPERATIONS])
async def test_private_room_is_gone_for_a_removed_member(chat, cellar, alice, bob, operation, params):
    """A person who was removed hears nothing more on the socket that they had open."""
    owner, removed = await chat.open(alice), await chat.open(bob)
    await owner.post("cellar", "hello bob")
    await removed.hears("newmsg")
    await chat.elsewhere(memberships.leave_room, cellar.pk, bob.pk)
    await removed.hears("rooms", lambda rooms: "cellar" not in rooms)
    await owner.post("cellar", "bob is gone")
    assert await removed.refusal(operation, {"room": "cellar", **params}) == "no_such_room"
    assert len(removed.heard["newmsg"]) == 1


async def test_private_room_in_sync_is_reset_for_an_outsider(chat, cellar, hall, mallory):
    """`sync` says the same for a room that one may not see and one that there is not."""
    outsider = await chat.open(mallory)
    answer = await outsider.ask("sync", {"rooms": {"cellar": 0, "nowhere": 0, "hall": 0}})
    reset = {"version": 0, "messages": [], "more": False, "reset": True}
    assert answer["rooms"]["cellar"] == answer["rooms"]["nowhere"] == reset
    assert answer["rooms"]["hall"]["reset"] is False


# --- posting -----------------------------------------------------------------------------------------------


async def test_post_reaches_everyone_in_the_room(chat, hall, alice, bob):
    """The receipt and what everyone hears, its author too, are of one message."""
    author, other = await chat.open(alice), await chat.open(bob)
    receipt = await author.post("hall", "hello")
    for page in (author, other):
        heard = await page.hears("newmsg")
        assert heard["room"] == "hall"
        message = heard["message"]
        assert {field: message[field] for field in receipt} == receipt
        assert (message["body"], message["author"], message["author_id"]) == ("hello", "Alice", alice.pk)


async def test_repeated_client_id_answers_the_first_post(chat, hall, alice):
    """A retry after a lost answer makes no second message, whatever its text."""
    author = await chat.open(alice)
    id = "b7f8a1de-3c0e-4d92-9d39-6f7d3e0a2f10"
    first = await author.post("hall", "once", client_id=id)
    assert await author.post("hall", "twice", client_id=id) == first
    assert [message["body"] for message in await author.ask("list-messages", "hall")] == ["once"]


@pytest.mark.parametrize(
    ("body", "code"),
    [("", "empty_message"), (" \n\t", "empty_message"), ("\0", "empty_message"), ("x" * 16_001, "too_long")],
    ids=["empty", "spaces", "NUL", "long"],
)
async def test_text_that_is_no_message_is_refused(chat, hall, alice, body, code):
    """Nothing is stored, and the refusal says why."""
    author = await chat.open(alice)
    assert await author.refusal("send-message", {"room": "hall", "message": {"body": body}}) == code
    assert await author.ask("list-messages", "hall") == []


async def test_reply_to_what_never_was(chat, hall, alice):
    """It is refused, with the field; the post before and the post after it are stored."""
    page = await chat.open(alice)
    first = await page.post("hall", "first")
    with pytest.raises(RequestFailed) as refused:
        await page.post("hall", "to nothing", reply_to=first["seq"] + 1)
    assert (refused.value.code, refused.value.field) == ("no_such_message", "message.reply_to")
    await page.post("hall", "last", reply_to=first["seq"])
    told = [(each["body"], each["reply_to"]) for each in await page.ask("list-messages", "hall")]
    assert told == [("first", None), ("last", first["seq"])]


async def test_text_survives_as_it_is(chat, hall, alice):
    """Emoji, Chinese, both line ends and what looks like HTML come back as they were sent."""
    author = await chat.open(alice)
    body = "👩‍👩‍👧 你好\r\n<b>&amp;</b>\u202e\\"
    await author.post("hall", body)
    assert (await author.ask("list-messages", "hall"))[0]["body"] == body


@pytest.mark.parametrize(
    ("change", "code"), [({"archived": True}, "archived"), ({"read_only": True}, "read_only")], ids=lambda c: str(c)
)
async def test_room_that_is_closed_to_posts_refuses_all_that_writes(chat, hall, alice, change, code):
    """Archived or read-only: no post, edit, removal or reaction, from the moment it is announced."""
    author = await chat.open(alice)
    seq = (await author.post("hall", "before"))["seq"]
    await chat.elsewhere(rooms.change_room, hall.pk, **change)
    await author.hears("rooms", lambda rooms: not rooms.get("hall", {"can_post": False})["can_post"])
    for operation, params in WRITING:
        assert await author.refusal(operation, {"room": "hall", **params, "seq": seq}) == code
    assert (await author.ask("list-messages", "hall"))[0]["body"] == "before"


async def test_read_only_room_is_open_to_its_moderators(chat, hall, alice):
    """Announcements have somebody who makes them."""
    await chat.elsewhere(memberships.join_room, hall.pk, alice.pk, role="moderator")
    await chat.elsewhere(rooms.change_room, hall.pk, read_only=True)
    moderator = await chat.open(alice)
    await moderator.post("hall", "announcement")


async def test_slow_mode_makes_one_wait(chat, hall, alice, bob):
    """The refusal is a retry, with the time to wait; others are not held up."""
    await chat.elsewhere(rooms.change_room, hall.pk, slow_mode_seconds=60)
    author, other = await chat.open(alice), await chat.open(bob)
    await author.post("hall", "first")
    assert await author.refusal("send-message", {"room": "hall", "message": {"body": "second"}}) == "slow_mode"
    await other.post("hall", "mine")


async def test_posts_without_pause_are_slowed_down(chat, hall, alice, settings, monkeypatch):
    """All sockets of one person share one rate limit."""
    settings.RATE_LIMITS = True
    monkeypatch.setattr("chat.actions.limits.RATES", {**RATES, "post": Rate(30, 1)})
    pages = [await chat.open(alice), await chat.open(alice)]
    for number in range(30):
        await pages[number % 2].post("hall", f"{number}")
    for page in pages:
        assert await page.refusal("send-message", {"room": "hall", "message": {"body": "more"}}) == "too_fast"


# --- changing messages ---------------------------------------------------------------------------------------


async def test_own_message_is_edited_for_everyone(chat, hall, alice, bob):
    """An edit takes a new version of the room and keeps the message's place."""
    author, other = await chat.open(alice), await chat.open(bob)
    receipt = await author.post("hall", "helo")
    edited = await author.ask("edit-message", {"room": "hall", "seq": receipt["seq"], "body": " hello "})
    assert (edited["body"], edited["seq"], edited["version"]) == ("hello", receipt["seq"], receipt["version"] + 1)
    assert edited["edited_at"] is not None
    assert await other.hears("changed") == {"room": "hall", "version": edited["version"], "messages": [edited]}


@pytest.mark.parametrize(("operation", "params"), [("edit-message", {"body": "mine"}), ("delete-message", {})])
async def test_message_of_another_is_not_mallorys_to_change(chat, hall, alice, mallory, operation, params):
    """Who may read and post may not change what others wrote; a moderator may."""
    author, outsider = await chat.open(alice), await chat.open(mallory)
    seq = (await author.post("hall", "as I said"))["seq"]
    assert await outsider.refusal(operation, {"room": "hall", "seq": seq, **params}) == "not_allowed"
    await chat.elsewhere(memberships.join_room, hall.pk, mallory.pk, role="moderator")
    await outsider.hears("rooms", lambda rooms: rooms["hall"]["role"] == "moderator")
    await outsider.ask(operation, {"room": "hall", "seq": seq, **params})


async def test_removed_message_leaves_a_tombstone(chat, hall, alice, bob):
    """Its place stays, its text and reactions go; it cannot be changed any more."""
    author, other = await chat.open(alice), await chat.open(bob)
    seq = (await author.post("hall", "oops"))["seq"]
    await other.ask("react", {"room": "hall", "seq": seq, "emoji": "🙈"})
    await author.ask("delete-message", {"room": "hall", "seq": seq})
    changed = await other.hears("changed", lambda value: value["messages"][0]["deleted"])
    assert (changed["messages"][0]["body"], changed["messages"][0]["reactions"]) == ("", {})
    for operation, params in (
        ("edit-message", {"body": "back"}),
        ("delete-message", {}),
        ("react", {"emoji": "👍"}),
    ):
        assert await author.refusal(operation, {"room": "hall", "seq": seq, **params}) == "no_such_message"


async def test_reaction_is_put_on_and_taken_off(chat, hall, alice, bob):
    """Twice is as once, and changes no version."""
    author, other = await chat.open(alice), await chat.open(bob)
    seq = (await author.post("hall", "I like cats"))["seq"]
    on = {"room": "hall", "seq": seq, "emoji": "❤️"}
    first = await other.ask("react", on)
    assert first["reactions"] == {"❤️": [bob.pk]}
    assert await other.ask("react", on) == first
    assert (await other.ask("react", {**on, "on": False}))["reactions"] == {}
    assert await other.refusal("react", {**on, "emoji": "words"}) == "bad_emoji"


async def test_message_that_is_not_there_cannot_be_changed(chat, hall, alice):
    """A seq that a room change took, or that is yet to come, is no message."""
    page = await chat.open(alice)
    seq = (await page.post("hall", "one"))["seq"]
    for missing in (0, seq + 1, 2**62):
        params = {"room": "hall", "seq": missing, "body": "x"}
        assert await page.refusal("edit-message", params) == "no_such_message"


# --- reading -----------------------------------------------------------------------------------------------


async def test_sync_brings_what_was_missed_in_pages(chat, hall, alice):
    """`more` asks again from the returned version, until it brings one to the room's own."""
    page = await chat.open(alice)
    for number in range(203):
        receipt = await page.post("hall", f"{number}")
    first = (await page.ask("sync", {"rooms": {"hall": 0}}))["rooms"]["hall"]
    assert (len(first["messages"]), first["more"]) == (200, True)
    rest = (await page.ask("sync", {"rooms": {"hall": first["version"]}}))["rooms"]["hall"]
    assert (rest["version"], rest["more"]) == (receipt["version"], False)
    assert [int(each["body"]) for each in first["messages"] + rest["messages"]] == list(range(203))


async def test_sync_brings_edits_and_removals_of_old_messages(chat, hall, alice):
    """Changes since a version, in the order of the changes, each message once as it is now."""
    page = await chat.open(alice)
    seqs = [(await page.post("hall", body))["seq"] for body in ("one", "two", "three")]
    known = (await page.ask("sync", {"rooms": {"hall": 0}}))["rooms"]["hall"]["version"]
    await page.ask("edit-message", {"room": "hall", "seq": seqs[1], "body": "2"})
    await page.ask("delete-message", {"room": "hall", "seq": seqs[0]})
    await page.ask("edit-message", {"room": "hall", "seq": seqs[1], "body": "zwei"})
    missed = (await page.ask("sync", {"rooms": {"hall": known}}))["rooms"]["hall"]
    assert [(each["seq"], each["body"]) for each in missed["messages"]] == [(seqs[0], ""), (seqs[1], "zwei")]
    assert missed["version"] == known + 3


async def test_sync_at_the_newest_version_brings_nothing(chat, hall, alice):
    """Asking too often is harmless."""
    page = await chat.open(alice)
    version = (await page.post("hall", "one"))["version"]
    answer = await page.ask("sync", {"rooms": {"hall": version}})
    assert answer["rooms"]["hall"] == {"version": version, "messages": [], "more": False, "reset": False}


async def test_sync_of_many_rooms_fills_one_page(chat, hall, alice):
    """An answer has at most 200 messages, whatever the number of rooms; the others say `more`."""
    page = await chat.open(alice)
    await page.ask("create-room", "second")
    for number in range(200):
        await page.post("hall", f"{number}")
    await page.post("second", "after")
    answer = (await page.ask("sync", {"rooms": {"hall": 0, "second": 0}}))["rooms"]
    assert len(answer["hall"]["messages"]) == 200
    assert answer["second"] == {"version": 0, "messages": [], "more": True, "reset": False}


async def test_visitor_without_an_account_reads_and_counts(chat, hall, alice):
    """Nothing of a guest without an account is in the database."""
    author, visitor = await chat.open(alice), await chat.open()
    await author.post("hall", "welcome")
    await visitor.hears("newmsg")
    entry = (await visitor.ask("info"))["rooms"][0]
    assert (entry["read_seq"], entry["read_posts"], entry["unread"]) == (None, None, None)


async def test_place_read_to_never_moves_back(chat, hall, alice, bob):
    """A late answer of another tab unsees nothing."""
    author, reader = await chat.open(alice), await chat.open(bob)
    seqs = [(await author.post("hall", f"{number}"))["seq"] for number in range(3)]
    assert await reader.ask("mark-read", {"room": "hall", "seq": seqs[1]}) == {
        "read_seq": seqs[1],
        "read_posts": 2,
        "unread": 1,
    }
    assert (await reader.ask("mark-read", {"room": "hall", "seq": seqs[0]}))["read_seq"] == seqs[1]
    assert (await reader.ask("mark-read", {"room": "hall", "seq": 2**62}))["unread"] == 0


async def test_place_read_to_is_seen_in_the_other_tab(chat, hall, alice, bob):
    """What was read here is not unread there."""
    author = await chat.open(alice)
    here, there = await chat.open(bob), await chat.open(bob)
    seq = (await author.post("hall", "read me"))["seq"]
    await here.hears("newmsg")
    await here.ask("mark-read", {"room": "hall", "seq": seq})
    await there.hears("rooms", lambda rooms: rooms["hall"]["read_seq"] == seq and rooms["hall"]["unread"] == 0)


# --- rooms -------------------------------------------------------------------------------------------------


async def test_new_room_appears_for_everyone(chat, alice, bob):
    """Its maker owns it; a public one is in everyone's list, and its posts are heard."""
    maker, other = await chat.open(alice), await chat.open(bob)
    room = await maker.ask("create-room", {"name": " Tea  house ", "topic": "tea"})
    assert (room["name"], room["topic"], room["role"]) == ("Tea house", "tea", "owner")
    await other.hears("rooms", lambda rooms: "Tea house" in rooms)
    await maker.post("Tea house", "first")
    assert (await other.hears("newmsg"))["message"]["body"] == "first"


async def test_new_private_room_is_its_makers_alone(chat, hall, alice, mallory):
    """Nobody else learns that it is there."""
    maker, outsider = await chat.open(alice), await chat.open(mallory)
    den = await maker.ask("create-room", {"name": "den", "kind": "private"})
    await maker.post(den["name"], "alone")
    await maker.post("hall", "now all")
    assert (await outsider.hears("newmsg"))["message"]["body"] == "now all"
    assert await outsider.refusal("list-messages", den["name"]) == "no_such_room"


async def test_maker_of_a_room_learns_nothing_of_a_private_one(chat, alice, mallory):
    """The answers are those of a site where there is none, for the name, its title and what looks like either."""
    maker, outsider = await chat.open(alice), await chat.open(mallory)
    den = await maker.ask("create-room", {"name": "den", "kind": "private"})
    assert (den["title"], den["name"][:5]) == ("den", "den ~")
    there_is_none = den["name"][:-5] + "".join("a" if letter != "a" else "b" for letter in den["name"][-5:])
    for name in (den["name"], there_is_none, den["name"].replace("den", "d\u0435n")):
        assert await outsider.refusal("create-room", name) == "bad_name"
        assert await outsider.refusal("list-messages", name) == "no_such_room"
    mine = await outsider.ask("create-room", {"name": "den", "kind": "private"})
    assert (mine["title"], mine["role"]) == ("den", "owner")
    public = await outsider.ask("create-room", "den")
    assert (public["name"], public["role"]) == ("den", "owner")
    assert len({den["id"], mine["id"], public["id"]}) == 3


async def test_private_room_keeps_a_mark_when_it_is_renamed(chat, alice):
    """Else the next one who tries that name would learn of it."""
    maker = await chat.open(alice)
    den = await maker.ask("create-room", {"name": "den", "kind": "private"})
    await chat.elsewhere(rooms.change_room, den["id"], name="lair")
    renamed = await maker.hears("rooms", lambda rooms: any(room["title"] == "lair" for room in rooms.values()))
    assert [name[:6] for name in renamed if name.startswith("lair")] == ["lair ~"]


async def test_private_room_of_a_long_title_is_refused(chat, alice):
    """The mark has its place within the longest name."""
    maker = await chat.open(alice)
    assert await maker.refusal("create-room", {"name": "x" * 34, "kind": "private"}) == "bad_name"
    assert (await maker.ask("create-room", {"name": "x" * 33, "kind": "private"}))["title"] == "x" * 33


async def test_name_alone_of_a_room_that_exists_answers_that_room(chat, hall, alice, bob):
    """As stock pages send it: two who make the same room talk in one, in any letter case and spacing."""
    maker = await chat.open(alice)
    assert (await maker.ask("create-room", " HALL "))["id"] == hall.pk
    assert (await maker.ask("create-room", "hall"))["role"] is None


async def test_new_room_needs_a_name_of_its_own(chat, hall, alice):
    """Who describes a room wants a new one, and learns that the name is taken."""
    maker = await chat.open(alice)
    assert await maker.refusal("create-room", {"name": " HALL ", "topic": "mine"}) == "name_taken"
    assert await maker.refusal("create-room", {"name": "hall"}) == "name_taken"


@pytest.mark.parametrize("name", ["", " ", "\u202e", "x" * 100], ids=["empty", "space", "invisible", "long"])
async def test_name_that_is_no_name_makes_no_room(chat, alice, name):
    """Refused by a code of names, never stored."""
    maker = await chat.open(alice)
    assert await maker.refusal("create-room", name) in ("empty_name", "bad_name", "too_long")


async def test_only_staff_make_rooms_where_the_site_says_so(chat, alice):
    """The admin's switch counts for open sockets too."""
    maker = await chat.open(alice)
    await maker.hears("rooms")
    await chat.elsewhere(change_settings, rooms_by_everyone=False)
    await maker.hears("rooms")
    assert await maker.refusal("create-room", "after") == "not_allowed"


async def test_topic_is_for_moderators(chat, hall, alice, mallory):
    """Staff own every room; mallory does not."""
    await chat.elsewhere(User.objects.filter(pk=alice.pk).update, is_staff=True)
    staff, outsider = await chat.open(alice), await chat.open(mallory)
    assert await outsider.refusal("set-topic", {"room": "hall", "topic": "mine"}) == "not_allowed"
    assert (await staff.ask("set-topic", {"room": "hall", "topic": " welcome "}))["topic"] == "welcome"
    await outsider.hears("rooms", lambda rooms: rooms["hall"]["topic"] == "welcome")


async def test_room_that_one_left_is_silent_until_one_joins_again(chat, hall, alice, bob):
    """Also a public room that everyone hears at first."""
    author, leaver = await chat.open(alice), await chat.open(bob)
    await leaver.ask("leave-room", "hall")
    await leaver.hears("rooms", lambda rooms: "hall" not in rooms)
    await author.post("hall", "unheard")
    assert (await leaver.ask("join-room", "hall"))["name"] == "hall"
    await author.post("hall", "heard")
    assert (await leaver.hears("newmsg"))["message"]["body"] == "heard"


async def test_who_leaves_a_private_room_does_not_find_it_again(chat, cellar, bob):
    """The door closes behind."""
    leaver = await chat.open(bob)
    await leaver.ask("leave-room", "cellar")
    await leaver.hears("rooms", lambda rooms: "cellar" not in rooms)
    assert await leaver.refusal("join-room", "cellar") == "no_such_room"


# --- oneself -----------------------------------------------------------------------------------------------


async def test_whoami_of_a_member(chat, alice):
    """What the page needs to know."""
    me = await (await chat.open(alice)).ask("whoami")
    assert {
        field: me[field] for field in ("id", "name", "is_guest", "logged_in", "is_staff", "can_create_rooms")
    } == {
        "id": alice.pk,
        "name": "Alice",
        "is_guest": False,
        "logged_in": True,
        "is_staff": False,
        "can_create_rooms": True,
    }


async def test_visitor_without_a_session_may_post(chat, hall):
    """A program without a cookie is somebody with a random name, for as long as it is connected."""
    visitor = await chat.open()
    me = await visitor.ask("whoami")
    assert (me["id"], me["is_guest"], me["logged_in"]) == (None, True, False)
    await visitor.post("hall", "hello")
    assert (await visitor.hears("newmsg"))["message"]["author"] == me["name"]


async def test_visitor_becomes_a_user_once_for_both_sockets_of_a_session(chat, hall, visitor_session):
    """Two tabs that post at the same time are one person with one account."""
    tabs = [await chat.open(session=visitor_session) for _ in range(2)]
    await asyncio.gather(*(tab.post("hall", "hello") for tab in tabs))
    authors = {message["author_id"] for message in await tabs[0].ask("list-messages", "hall")}
    assert len(authors) == 1
    assert {(await tab.ask("whoami"))["id"] for tab in tabs} == authors
    assert await chat.elsewhere(User.objects.count) == 1


async def test_renamed_visitor_posts_by_the_new_name(chat, hall, visitor_session):
    """In every tab of the session, before and after the first post."""
    tabs = [await chat.open(session=visitor_session) for _ in range(2)]
    assert await tabs[0].ask("set-name", " Wera ") == {"name": "Wera"}
    await tabs[1].hears("username", lambda name: name == "Wera")
    await tabs[1].post("hall", "hello")
    assert await tabs[0].ask("set-name", {"name": "Viera"}) == {"name": "Viera"}
    await tabs[1].hears("username", lambda name: name == "Viera")
    await tabs[1].post("hall", "again")
    authors = [message["author"] for message in await tabs[0].ask("list-messages", "hall")]
    assert authors == ["Wera", "Viera"]


async def test_visitor_without_a_session_is_renamed_for_the_connection(chat, hall):
    """There is nothing else that could keep the name."""
    page = await chat.open()
    await page.ask("set-name", "Nobody")
    await page.hears("username", lambda name: name == "Nobody")
    await page.post("hall", "hello")
    assert (await page.hears("newmsg"))["message"]["author"] == "Nobody"


@pytest.mark.parametrize("name", ["Alice", "ALICE", " alice "])
async def test_name_of_another_is_taken(chat, alice, mallory, visitor_session, name):
    """Nobody speaks as alice, in whatever letters."""
    for page in (await chat.open(mallory), await chat.open(session=visitor_session), await chat.open()):
        assert await page.refusal("set-name", name) == "name_taken"


async def test_empty_name_is_refused(chat, alice):
    """A name has at least one letter that shows."""
    page = await chat.open(alice)
    assert await page.refusal("set-name", " ") == "empty_name"


async def test_params_that_do_not_fit_are_refused(chat, hall, alice):
    """Wrong types, missing fields and anything but JSON fail the request, not the connection."""
    page = await chat.open(alice)
    for operation, params in [
        ("send-message", {"room": "hall"}),
        ("send-message", {"room": "hall", "message": {"body": 7}}),
        ("send-message", {"room": "hall", "message": {"body": "x", "client_id": "no uuid"}}),
        ("send-message", b"{"),
        ("list-messages", {"room": "hall", "limit": 201}),
        *(("list-messages", {"room": "hall", "before_seq": seq}) for seq in NOT_SEQS),
        *(("send-message", {"room": "hall", "message": {"body": "x", "reply_to": seq}}) for seq in NOT_SEQS),
        *(("mark-read", {"room": "hall", "seq": seq}) for seq in NOT_SEQS),
        *(("sync", {"rooms": {"hall": seq}}) for seq in NOT_SEQS),
        ("sync", {"rooms": {"hall": "1"}}),
        ("create-room", {"name": "x", "kind": "direct"}),
        ("react", {"room": "hall", "seq": 1, "emoji": ""}),
    ]:
        assert await page.refusal(operation, params) == "bad_params", (operation, params)
    assert await page.ask("greet", {"name": "world"}) == {"greeting": "Hello world"}


# --- sanctions -----------------------------------------------------------------------------------------------


async def test_muted_person_reads_and_does_not_write(chat, hall, alice, mallory):
    """From the moment it is announced until it is lifted, with the reason."""
    author, muted = await chat.open(alice), await chat.open(mallory)
    seq = (await muted.post("hall", "spam"))["seq"]
    sanction = await chat.elsewhere(
        moderation.impose, mallory.pk, Sanction.Kind.MUTE, room_id=None, by=alice.pk, reason="spam"
    )
    await muted.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    for operation, params in WRITING:
        assert await muted.refusal(operation, {"room": "hall", **params, "seq": seq}) == "muted"
    assert await muted.refusal("create-room", "my own") == "not_allowed"
    await author.post("hall", "quiet now")
    await muted.hears("newmsg", lambda value: value["message"]["body"] == "quiet now")
    await chat.elsewhere(moderation.lift, sanction)
    await muted.hears("rooms", lambda rooms: rooms["hall"]["can_post"])
    await muted.post("hall", "sorry")


async def test_mute_that_ends_by_itself(chat, hall, alice, mallory):
    """An open socket may write again, without a word from anyone."""
    muted = await chat.open(mallory)
    until = timezone.now() + timedelta(seconds=0.3)
    impose = (moderation.impose, mallory.pk, Sanction.Kind.MUTE)
    await chat.elsewhere(*impose, room_id=None, by=alice.pk, until=until)
    await muted.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    await muted.hears("rooms", lambda rooms: rooms["hall"]["can_post"])
    await muted.post("hall", "back again")


async def test_ban_in_one_room_closes_that_room(chat, hall, alice, mallory):
    """The others stay open."""
    banned = await chat.open(mallory)
    await banned.ask("create-room", "elsewhere")
    await chat.elsewhere(moderation.impose, mallory.pk, Sanction.Kind.BAN, room_id=hall.pk, by=alice.pk)
    await banned.hears("rooms", lambda rooms: "hall" not in rooms and "elsewhere" in rooms)
    assert await banned.refusal("list-messages", "hall") == "no_such_room"
    await banned.post("elsewhere", "still here")


async def test_banned_person_is_put_out_and_stays_out(chat, hall, alice, mallory):
    """Every socket closes with 4403, and so does the next one; the others stay."""
    witness, pages = await chat.open(alice), [await chat.open(mallory) for _ in range(2)]
    await chat.elsewhere(moderation.impose, mallory.pk, Sanction.Kind.BAN, room_id=None, by=alice.pk, reason="spam")
    assert [await page.is_closed() for page in pages] == [4403, 4403]
    assert pages[0].closed == (4403, "you are banned: spam")
    assert await (await chat.dial(mallory)).is_closed() == 4403
    assert witness.closed is None


async def test_account_that_is_switched_off_is_put_out(chat, alice):
    """4403, which the page does not answer by coming back."""
    page = await chat.open(alice)
    await chat.elsewhere(people.set_active, alice.pk, False)
    assert await page.is_closed() == 4403


async def test_visitor_is_sent_to_log_in_where_guests_are_not_allowed(chat, monkeypatch):
    """Also the one who is here when the switch is turned."""
    monkeypatch.setattr("chat.doors.gotalk.login.LOGIN_TIMEOUT", 0.01)
    page = await chat.open()
    await chat.elsewhere(change_settings, guests_allowed=False)
    assert await page.is_closed() == 4401
    assert await (await chat.dial()).is_closed() == 4401


async def test_password_that_was_changed_ends_the_sockets(chat, alice):
    """Somebody else who had the session is out."""
    page = await chat.open(alice)
    await chat.elsewhere(people.end_sessions, alice.pk)
    assert await page.is_closed() == 4401


async def test_log_out_ends_the_sockets_of_that_session_only(chat, alice):
    """The phone stays when the laptop logs out."""
    session = await chat.elsewhere(session_of, alice)
    laptop, phone = await chat.open(session=session), await chat.open(alice)
    await chat.elsewhere(end_session, session)
    assert await laptop.is_closed() == 4401
    assert (await phone.ask("whoami"))["id"] == alice.pk


# --- typing ------------------------------------------------------------------------------------------------


async def test_typing_is_passed_on_at_most_every_few_seconds(chat, hall, alice, bob):
    """However often it is said; and the post that follows comes behind it."""
    author, other = await chat.open(alice), await chat.open(bob)
    for _ in range(5):
        author.peer.notify("typing", {"room": "hall"})
    await author.ask("echo")
    await author.post("hall", "done")
    await other.hears("newmsg")
    assert other.heard["typing"] == [{"room": "hall", "names": ["Alice"]}]


async def test_typing_of_who_may_not_post_is_not_passed_on(chat, cellar, alice, mallory):
    """Nor that of an outsider in a room they may not see."""
    owner, outsider = await chat.open(alice), await chat.open(mallory)
    outsider.peer.notify("typing", {"room": "cellar"})
    await outsider.ask("echo")
    await owner.post("cellar", "nobody")
    await owner.hears("newmsg")
    assert not owner.heard["typing"]


async def test_rooms_are_listed_by_name(chat, hall, alice):
    """A stock page shows them in the order in which they come, whenever they were made."""
    for name in ("Zoo", "attic", "barn"):
        await chat.elsewhere(Room.objects.create, name=name)
    await chat.runtime.refresh.reload()
    page = await chat.open(alice)
    assert list(await page.hears("rooms")) == ["attic", "barn", "hall", "Zoo"]


# --- answers that would be too large -----------------------------------------------------------------------------


async def test_history_of_the_widest_messages_is_paged_not_refused(chat, hall, alice):
    """What a guest posted must not make a room unreadable: six bytes a character, fifty times."""
    await chat.elsewhere(store_posts, [wide_post(hall, alice) for _ in range(50)])
    page = await chat.open(alice)
    seen = await page.ask("list-messages", {"room": "hall", "limit": 50})
    while seen[0]["seq"] > 1:
        older = await page.ask("list-messages", {"room": "hall", "before_seq": seen[0]["seq"], "limit": 50})
        assert older
        seen = older + seen
    assert [each["seq"] for each in seen] == list(range(1, 51))


async def test_sync_of_several_wide_rooms_fills_one_answer(chat, hall, alice):
    """The rooms share it; each is answered in full in the end."""
    names = ["hall", "north", "south"]
    for name in names:
        room = hall if name == "hall" else await chat.elsewhere(Room.objects.create, name=name)
        await chat.elsewhere(store_posts, [wide_post(room, alice) for _ in range(10)])
    await chat.runtime.refresh.reload()
    page = await chat.open(alice)
    known, seen = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    while known:
        answer = (await page.ask("sync", {"rooms": known}))["rooms"]
        for name, room in answer.items():
            seen[name] += len(room["messages"])
            known[name] = room["version"]
        known = {name: version for name, version in known.items() if answer[name]["more"]}
    assert seen == dict.fromkeys(names, 10)


def wide_post(room, author):
    return NewPost(room.pk, room.name, author.pk, author.name, False, False, "\x01" * 16_000, uuid4(), "web")
