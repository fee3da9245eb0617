"""Who may do what at the text door, and what becomes of those who no longer may."""

import asyncio
import re

import pytest

from chat.doors.text.consumer import LOBBY
from chat.models import Room, Sanction
from chat.queries import history
from chat.queries.tokens import POST, READ
from chat.realtime import runtime
from chat.services import accounts as people
from chat.services import memberships, messages, moderation, rooms, site
from chat.services.events import Gap
from chat.services.tokens import revoke
from tests.deadlines import DEADLINE


async def test_lobby_is_made_when_it_is_not_there(chat, dial):
    """`/ws` is a room on every site, and in the list of those only who come to it."""
    line = await dial("/ws")
    await line.is_in()
    lobby = await chat.elsewhere(Room.objects.get, name=LOBBY)
    assert (lobby.kind, lobby.auto_join, lobby.created_by_id) == ("public", False, None)
    page = await chat.open()
    assert LOBBY not in page.heard["rooms"][-1]


async def test_lobby_that_is_private_is_not_made_twice(chat, dial, alice):
    """An admin may close it."""
    await chat.elsewhere(Room.objects.create, name=LOBBY, kind="private")
    line = await dial("/ws")
    assert await line.is_closed() == 4404


async def test_who_is_accepted_hears_the_room(chat, dial, alice, hall):
    """The very next line already; who cannot enter is accepted too, to learn why."""
    line = await (await dial("/ws/hall")).is_in()
    await (await chat.open(alice)).post("hall", "the next line")
    assert await line.hears() == "the next line"
    assert await (await (await dial("/ws/nowhere")).is_in()).is_closed() == 4404


async def test_message_goes_to_all_doors_and_comes_from_all(chat, dial, alice, hall):
    """One room, one order."""
    page, line = await chat.open(alice), await dial("/ws/hall?names=1", alice)
    await line.is_in()
    line.say("  from the\nhub ")
    heard = await page.hears("newmsg", lambda value: value["message"]["body"] == "from the hub")
    assert (heard["message"]["author"], heard["message"]["via"]) == ("Alice", "text")
    assert await line.hears() == "Alice: from the hub"
    await page.post("hall", "from the\npage")
    assert await line.hears() == "Alice: from the page"


async def test_session_token_and_guest(chat, dial, alice, hall, token, visitor_session):
    """The author comes from the cookie, or from the token; otherwise the author is a guest."""
    _, secret = await chat.elsewhere(token, alice, (READ, POST))
    ways = [({"user": alice}, "Alice"), ({"bearer": secret}, "Alice"), ({"session": visitor_session}, "Vera")]
    for how, name in ways:
        line = await dial("/ws/hall?names=1", **how)
        line.say("mine")
        assert await line.hears() == f"{name}: mine"


async def test_guest_takes_the_name_of_the_address(chat, dial, hall):
    """`?name=Bob`; the next Bob gets a number and is told so."""
    one = await dial("/ws/hall?names=1&name=Bob")
    one.say("hi")
    assert await one.hears() == "Bob: hi"
    other = await dial("/ws/hall?name=Bob&names=1")
    told = await other.hears()
    assert told.startswith("! this name is taken: you are Bob ")
    other.say("hi")
    assert await other.hears() == told.removeprefix("! this name is taken: you are ") + ": hi"


async def test_name_that_cannot_be_one(chat, dial, hall):
    """The guest keeps the one that they were given."""
    line = await dial("/ws/hall?name=%20")
    assert (await line.hears()).startswith("! empty name: you are ")
    await line.is_in()


async def test_account_keeps_its_name(chat, dial, alice, hall):
    """`?name=` is for guests."""
    line = await dial("/ws/hall?name=Bob&names=1", alice)
    assert await line.hears() == "! you are logged in as Alice"
    line.say("hi")
    assert await line.hears() == "Alice: hi"


@pytest.mark.parametrize("who", ["visitor", "mallory"])
async def test_room_that_one_may_not_see_does_not_exist(chat, dial, cellar, mallory, who):
    """The same close for a private room and for none."""
    user = mallory if who == "mallory" else None
    for path in ("/ws/cellar", "/ws/nowhere"):
        line = await dial(path, user)
        assert await line.hears() == "! no such room"
        assert await line.is_closed() == 4404
        assert line.closed == (4404, "no such room")


async def test_member_of_a_private_room(chat, dial, cellar, bob):
    """They may enter it here too."""
    line = await dial("/ws/cellar", bob)
    await line.is_in()


async def test_site_without_guests(chat, dial, hall, alice):
    """A guest is told to log in."""
    await chat.elsewhere(site.change_settings, guests_allowed=False)
    line = await dial("/ws/hall")
    assert await line.is_closed() == 4401
    await (await dial("/ws/hall", alice)).is_in()


@pytest.mark.parametrize(("scopes", "code"), [((POST,), 4403), (None, 4401)])
async def test_token_that_is_of_no_use_here(chat, dial, alice, hall, token, scopes, code):
    """One that may not read, and one that nobody knows."""
    secret = (await chat.elsewhere(token, alice, scopes))[1] if scopes else "nonsense"
    assert await (await dial("/ws/hall", bearer=secret)).is_closed() == code


async def test_token_that_may_only_read(chat, dial, alice, hall, token):
    """It listens; what it says is refused."""
    _, secret = await chat.elsewhere(token, alice, (READ,))
    line = await dial("/ws/hall", bearer=secret)
    line.say("hello")
    assert await line.hears() == "! this token lacks the scope post"
    await (await chat.open(alice)).post("hall", "news")
    assert await line.hears() == "news"


async def test_mute_takes_effect_on_an_open_socket(chat, dial, alice, bob, hall):
    """The line goes on hearing; each word of its own gets an error, told to it alone."""
    one, other = await dial("/ws/hall", alice), await dial("/ws/hall", bob)
    await one.is_in()
    await other.is_in()
    await chat.elsewhere(mute_in, hall, alice)
    await until(lambda: one_of(chat, alice).sanction(Sanction.Kind.MUTE, facts(chat, hall)))
    assert await one.hears() == "! you are muted in hall: too loud"
    one.say("hear me")
    assert await one.hears() == "! you are muted: too loud"
    other.say("calm")
    assert await other.hears() == "calm"


@pytest.mark.parametrize(
    ("cause", "code"), [("kick", 4403), ("room ban", 4403), ("ban", 4403), ("log out", 4401), ("switch off", 4403)]
)
async def test_who_is_sent_away_is_told(chat, dial, alice, bob, hall, cause, code):
    """Within a second, with words as a line and as the close's reason; the others stay."""
    await chat.elsewhere(memberships.join_room, hall.pk, alice.pk)
    line, other = await dial("/ws/hall", alice), await dial("/ws/hall", bob)
    await line.is_in()
    await other.is_in()
    causes = {
        "kick": lambda: memberships.kick(hall.pk, alice.pk, by=bob.pk),
        "room ban": lambda: moderation.impose(alice.pk, Sanction.Kind.BAN, room_id=hall.pk, by=bob.pk),
        "ban": lambda: moderation.impose(alice.pk, Sanction.Kind.BAN, room_id=None, by=bob.pk),
        "log out": lambda: people.end_sessions(alice.pk),
        "switch off": lambda: people.set_active(alice.pk, False),
    }
    await chat.elsewhere(causes[cause])
    assert await line.is_closed() == code
    assert line.closed[1]
    other.say("still here")
    assert await other.hears() == "still here"


async def test_revoked_token_closes_its_socket(chat, dial, alice, hall, token):
    """Whoever has it is out at once."""
    made, secret = await chat.elsewhere(token, alice)
    line = await dial("/ws/hall", bearer=secret)
    await line.is_in()
    await chat.elsewhere(revoke, made)
    assert await line.is_closed() == 4401


async def test_room_is_renamed_under_those_who_are_in_it(chat, dial, alice, hall):
    """They go on as before."""
    line = await dial("/ws/hall", alice)
    await line.is_in()
    await chat.elsewhere(rooms.change_room, hall.pk, name="great hall")
    await until(lambda: chat.runtime.directory.room_named("great hall"))
    line.say("echo")
    assert await line.hears() == "echo"


async def test_room_that_the_admin_deletes(chat, dial, alice, hall):
    """Whoever is in it is put out with a line that says so, and does not come in again."""
    line = await (await dial("/ws/hall", alice)).is_in()
    await chat.elsewhere(rooms.delete_room, hall.pk)
    assert await line.hears() == "! you may no longer be in this room"
    assert await line.is_closed() == 4403
    assert await (await dial("/ws/hall", alice)).is_closed() == 4404


async def test_room_that_is_gone_from_the_database(chat, dial, alice, hall):
    """Whoever posts is told so, and all who are in it are put out; nobody comes in again."""
    mine, other = await dial("/ws/hall", alice), await dial("/ws/hall")
    await mine.is_in()
    await other.is_in()
    await chat.elsewhere(hall.delete)
    mine.say("anybody here?")
    assert await mine.hears() == "! no such room"
    assert await other.hears() == "! you may no longer be in this room"
    assert (await mine.is_closed(), await other.is_closed()) == (4403, 4403)
    assert await (await dial("/ws/hall", alice)).is_closed() == 4404


async def test_json_line_carries_an_answer_and_an_id(chat, dial, alice, hall):
    """What a line of text cannot say: several lines, what it answers, and its own id against a repeat."""
    line = await dial("/ws/hall?format=json", alice)
    line.say('{"body": "one\\ntwo", "client_id": "6f1b1b9e-7a52-4f43-9d3c-111111111111"}')
    assert '"body":"one\\ntwo"' in await line.hears()
    line.say('{"body": "again", "client_id": "6f1b1b9e-7a52-4f43-9d3c-111111111111"}')
    line.say('{"body": "answer", "reply_to": 1, "author": "Mallory"}')
    assert '"author":"Alice","body":"answer"' in await line.hears()
    stored = [each.reply_to for each in await chat.elsewhere(list, hall.messages.order_by("seq"))]
    assert len(stored) == 2


async def test_json_shows_edits_and_removals(chat, dial, alice, hall):
    """Those who print plain lines do not hear of them."""
    as_json, plain = await dial("/ws/hall?format=json", alice), await dial("/ws/hall", alice)
    await as_json.is_in()
    await plain.is_in()
    as_json.say('{"body": "good"}')
    assert await plain.hears() == "good"
    await chat.elsewhere(messages.edit_message, hall.pk, 1, "better", by=alice.pk)
    while not (line := await as_json.hears()).startswith('{"edited"'):
        pass
    assert '"body":"better"' in line
    await chat.elsewhere(messages.remove_message, hall.pk, 1, by=alice.pk)
    assert (await as_json.hears()).startswith('{"deleted":{"seq":1,')
    plain.say("done")
    assert await plain.hears() == "done"


@pytest.mark.parametrize(
    "said",
    [
        *("nonsense", "[]", '{"body": 5}', "{}", '{"body":"a","client_id":"x"}', b"\xff"),
        *(f'{{"body":"a","reply_to":{seq}}}' for seq in (-1, 2**63, 2**70)),
    ],
)
async def test_what_is_no_json_gets_an_error_line(chat, dial, hall, said):
    """The socket goes on."""
    line = await dial("/ws/hall?format=json")
    line.say(said)
    assert '"code":"bad_message"' in (await line.hears())
    await line.is_in()


async def test_reply_to_what_never_was_gets_an_error_line(chat, dial, hall):
    """The socket goes on."""
    line = await dial("/ws/hall?format=json")
    line.say('{"body": "to nothing", "reply_to": 1}')
    assert '"code":"no_such_message"' in (await line.hears())
    await line.is_in()


async def test_binary_frame_is_text_if_it_is_utf8(chat, dial, hall):
    """As to the classic hub, which does not look at the kind of a frame; other bytes get an error."""
    line = await dial("/ws/hall")
    line.say("你好".encode())
    assert await line.hears() == "你好"
    line.say(b"\xff\xfe")
    assert await line.hears() == "! not valid UTF-8"
    await line.is_in()


async def test_lines_missed_come_first(chat, dial, alice, hall):
    """`?since=`: everything after that message, tombstones aside, then what is new."""
    page = await chat.open(alice)
    for number in range(1, 6):
        await page.post("hall", f"line {number}")
    await page.ask("delete-message", {"room": "hall", "seq": 4})
    line = await dial("/ws/hall?since=2")
    assert await line.hears() == "line 3\nline 5"
    await page.post("hall", "line 7")
    assert await line.hears() == "line 7"


async def test_nothing_is_missed_or_shown_twice_between_missed_and_new(chat, dial, alice, hall, monkeypatch):
    """What is posted while the missed lines are read comes once, in its place."""
    page = await chat.open(alice)
    await page.post("hall", "1")
    number = iter(range(2, 1000))
    read_page = history.page

    def page_and_more(*args, **kwargs):
        found = read_page(*args, **kwargs)
        if len(posted) < 5:
            posted.append(asyncio.run_coroutine_threadsafe(page.post("hall", str(next(number))), loop).result(10))
        return found

    posted, loop = [], asyncio.get_running_loop()
    monkeypatch.setattr("chat.queries.history.page", page_and_more)
    line = await dial("/ws/hall?since=0")
    heard = []
    while len(heard) < 6:
        heard += (await line.hears()).split("\n")
    await page.post("hall", "last")
    heard += (await line.hears()).split("\n")
    assert heard == ["1", "2", "3", "4", "5", "6", "last"]


async def test_gap_is_filled_from_the_database(chat, dial, alice, hall, monkeypatch):
    """A process that lost the channel layer shows what was posted meanwhile, once."""
    line, page = await dial("/ws/hall", alice), await chat.open(alice)
    await line.is_in()
    monkeypatch.setattr("chat.realtime.hub.Hub._publish_waiting", lose_what_waits)
    await page.post("hall", "unheard")
    monkeypatch.undo()
    chat.runtime.hub._take([Gap()])
    assert await line.hears() == "unheard"
    line.say("heard")
    assert await line.hears() == "heard"


async def test_posts_of_one_line_keep_their_order(chat, dial, hall):
    """However fast they come."""
    line = await dial("/ws/hall")
    wanted = [f"line {number}" for number in range(50)]
    for each in wanted:
        line.say(each)
    heard = []
    while len(heard) < len(wanted):
        heard += (await line.hears()).split("\n")
    assert heard == wanted


async def test_post_that_fails_within_gets_an_error_line(chat, dial, hall, monkeypatch, caplog):
    """Nobody sees a traceback, and the socket goes on."""
    line = await dial("/ws/hall")
    await line.is_in()

    async def fail(*args, **kwargs):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("chat.doors.text.consumer.post", fail)
    line.say("hello")
    log_id = re.fullmatch(r"! internal error \((\w{8})\)", await line.hears())[1]
    assert log_id in caplog.text


async def test_room_that_takes_no_post_says_so(chat, dial, hall, settings):
    """Read only, slow mode, and the rate limit of one person: a line each."""
    await chat.elsewhere(rooms.change_room, hall.pk, slow_mode_seconds=60)
    line = await dial("/ws/hall")
    await line.is_in()
    line.say("once")
    assert await line.hears() == "once"
    line.say("again")
    assert (await line.hears()).startswith("! slow mode: one post at a time, retry after ")


async def test_process_that_ends_lets_nobody_in(chat, dial, hall, monkeypatch):
    """The same code as for those who are in."""
    monkeypatch.setattr(runtime, "_draining", True)
    line = await dial("/ws/hall")
    assert await line.is_closed() == 4503


def mute_in(room, user):
    moderation.impose(user.pk, Sanction.Kind.MUTE, room_id=room.pk, by=None, reason="too loud")


async def lose_what_waits(hub):
    hub._outgoing.clear()
    hub._outgoing_ready.clear()


def one_of(chat, user):
    return chat.runtime.directory.people[f"u{user.pk}"]


def facts(chat, room):
    return chat.runtime.directory.rooms[room.pk]


async def until(condition):
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0)
