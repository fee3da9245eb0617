"""The push door: opcodes in binary frames, as an app sees them."""

import asyncio
import json
import re
import struct
import sys
from uuid import uuid4

import pytest
from django.db import transaction
from websockets.asyncio.client import connect

from chat.doors.push.consumer import LOGIN_TIMEOUT, MAX_AT_ONCE
from chat.doors.push.opcodes import Opcode
from chat.models import Sanction
from chat.services.accounts import set_active
from chat.services.messages import edit_message, remove_message
from chat.services.moderation import impose
from chat.services.posts import NewPost, store_posts
from chat.services.push import FIRST_FREE, MAX_PAYLOAD_BYTES, push
from chat.services.rooms import change_room, delete_room
from chat.services.site import announce_to_all, change_settings
from chat.services.tokens import revoke
from rpc import OperationError
from tests.deadlines import DEADLINE
from tests.documents import named, read

NOT_SEQS = (-1, 2**63, 2**70)


class App:
    """A client in the test's process: speaks in frames, and takes what it hears by opcode."""

    def __init__(self, client):
        self._client = client
        self._heard = []

    def say(self, opcode, payload=b""):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.say(struct.pack(">I", opcode) + data)

    def say_raw(self, message):
        self._client.say(message)

    async def hears_frame(self):
        # A binary message's bytes come as characters.
        return (await self._client.hears()).encode("latin-1")

    async def hears_raw(self, opcode):
        """The payload of the next frame of an opcode; others wait for their turn."""
        for index, (known, payload) in enumerate(self._heard):
            if known == opcode:
                del self._heard[index]
                return payload
        while True:
            frame = await self.hears_frame()
            found = struct.unpack(">I", frame[:4])[0]
            if found == opcode:
                return frame[4:]
            self._heard.append((found, frame[4:]))

    async def hears(self, opcode):
        return json.loads(await self.hears_raw(opcode))

    async def ask(self, opcode, payload=b""):
        self.say(opcode, payload)
        return await self.hears(opcode)

    async def answer(self, opcode, payload=b""):
        """Ask; returns the code of the refusal, or None when it is done."""
        self.say(opcode, payload)
        while True:
            frame = await self.hears_frame()
            found = struct.unpack(">I", frame[:4])[0]
            if found in (opcode, 199):
                return json.loads(frame[4:])["code"] if found == 199 else None
            self._heard.append((found, frame[4:]))

    async def refusal(self, opcode, payload=b""):
        """Ask for what is refused; returns the code of the refusal."""
        self.say(opcode, payload)
        error = await self.hears(199)
        assert error["opcode"] == opcode
        return error["code"]

    async def hears_nothing_but(self, *opcodes):
        """What has come until a heartbeat comes back."""
        self.say(100)
        await self.hears_raw(100)
        assert [opcode for opcode, _ in self._heard] == list(opcodes)

    async def is_closed(self):
        return await self._client.is_closed()


@pytest.fixture
def app(dial):
    async def app(user=None, **how):
        return App(await dial("/push", user, **how))

    return app


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("chat.doors.push.consumer.LOGIN_TIMEOUT", 0.05)


# --- who it is ---------------------------------------------------------------------------------------------


async def test_cookie_says_who_it_is(chat, app, alice):
    """The page's own session counts."""
    mine = await app(alice)
    assert (await mine.ask(111))["user"] == {
        **{"key": f"u{alice.pk}", "id": alice.pk, "name": "Alice"},
        **{"is_guest": False, "is_bot": False},
    }


async def test_header_says_who_it_is(chat, app, alice, token):
    """A token as a Bearer."""
    _, secret = await chat.elsewhere(token, alice)
    mine = await app(bearer=secret)
    assert (await mine.ask(111))["user"]["name"] == "Alice"


async def test_token_in_the_first_frame(chat, app, alice, token, monkeypatch):
    """For devices that can set no header; what follows at once is the person's already."""
    # Long enough to log in on a machine that has much else to do.
    monkeypatch.setattr("chat.doors.push.consumer.LOGIN_TIMEOUT", 2.0)
    _, secret = await chat.elsewhere(token, alice)
    mine = await app()
    mine.say(101, secret.encode())
    mine.say(111)
    assert (await mine.hears(101))["user"]["name"] == "Alice"
    assert (await mine.hears(111))["user"]["name"] == "Alice"
    assert await (await app()).is_closed() == 4401  # the time to log in is over
    await mine.hears_nothing_but()


async def test_before_login(chat, app):
    """Only heartbeat and login mean something."""
    peer = await app()
    assert await peer.ask(100, b"anything") == {}
    for opcode in (110, 111, 112, 113, 114, 115):
        assert await peer.refusal(opcode) == "log_in"


async def test_nothing_said_in_time(chat, app, quick):
    """Who does not log in is closed."""
    peer = await app()
    assert await peer.is_closed() == 4401


async def test_cookie_of_a_session_that_is_no_more(chat, app, quick):
    """It is as none."""
    peer = await app(session="x" * 32)
    assert await peer.refusal(111) == "log_in"
    assert await peer.is_closed() == 4401


async def test_visitor_of_the_page(chat, app, visitor_session):
    """Where guests are allowed, the session counts; otherwise the peer is unauthenticated."""
    guest = await app(session=visitor_session)
    assert (await guest.ask(111))["user"]["name"] == "Vera"
    await chat.elsewhere(change_settings, guests_allowed=False)
    assert await guest.is_closed() == 4401
    peer = await app(session=visitor_session)
    assert await peer.refusal(111) == "log_in"


@pytest.mark.parametrize("secret", [b"nonsense", b"", b"\xff"])
async def test_bad_token(chat, app, secret, quick):
    """It is told, and the time goes on."""
    peer = await app()
    assert await peer.refusal(101, secret) == ("bad_message" if secret == b"\xff" else "log_in")
    assert await peer.is_closed() == 4401


async def test_bad_header(chat, app):
    """Whoever shows a token that counts no longer becomes nobody else."""
    assert await (await app(bearer="nonsense")).is_closed() == 4401


async def test_revoked_token(chat, app, alice, token):
    """Its sockets close."""
    made, secret = await chat.elsewhere(token, alice)
    mine, other = await app(bearer=secret), await app()
    other.say(101, secret.encode())
    await other.hears(101)
    await mine.ask(111)
    await chat.elsewhere(revoke, made)
    assert await mine.is_closed() == await other.is_closed() == 4401


async def test_banned_and_switched_off(chat, app, alice, bob):
    """Their sockets close, at once."""
    mine, theirs = await app(alice), await app(bob)
    await mine.ask(111)
    await theirs.ask(111)
    await chat.elsewhere(impose, alice.pk, Sanction.Kind.BAN, room_id=None, by=None)
    await chat.elsewhere(set_active, bob.pk, False)
    assert await mine.is_closed() == await theirs.is_closed() == 4403


async def test_another_token_later(chat, app, alice, mallory, cellar, token):
    """From then on it is another person, who leaves the rooms that are not for them."""
    _, secret = await chat.elsewhere(token, mallory)
    mine = await app(alice)
    await mine.ask(113, b"cellar")
    assert (await mine.ask(101, secret.encode()))["user"]["name"] == "Mallory"
    assert await mine.hears(114) == {"room": "cellar"}
    assert await mine.refusal(115, {"room": "cellar", "body": "hi"}) == "no_such_room"


# --- frames ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\0\0"])
async def test_too_short(chat, app, alice, data):
    """A frame without a whole opcode is told, and the connection goes on."""
    mine = await app(alice)
    mine.say_raw(data)
    error = await mine.hears(199)
    assert (error["opcode"], error["code"]) == (None, "bad_message")
    assert await mine.ask(100) == {}


@pytest.mark.parametrize("opcode", [0, 99, 102, 116, 117, 118, 199, 1000, 0xFFFFFFFF])
async def test_unknown_opcode(chat, app, alice, opcode):
    """So is an opcode that a client has no use for."""
    mine = await app(alice)
    assert await mine.refusal(opcode, b"x") == "unknown_opcode"
    assert await mine.ask(100) == {}


async def test_text_frame(chat, app, alice):
    """It is no frame of this door."""
    mine = await app(alice)
    mine.say_raw("110")
    assert await mine.is_closed() == 4400


@pytest.mark.parametrize("who", ["alice", "a guest"])
async def test_over_large_frame(chat, app, alice, who):
    """At the limit it is a frame as any other; beyond, the connection ends."""
    mine = await app(alice if who == "alice" else None)
    assert await mine.ask(100, b"x" * MAX_PAYLOAD_BYTES) == {}
    mine.say(100, b"x" * (MAX_PAYLOAD_BYTES + 1))
    assert await mine.is_closed() == 1009


@pytest.mark.parametrize(
    ("opcode", "payload", "code"),
    [
        *((110, b"\xff", "bad_message"), (111, b"\xff", "bad_message"), (113, b"\xff", "bad_message")),
        *((113, b"{", "bad_params"), (113, b'{"room": "hall", "since": -1}', "bad_params")),
        *((113, b'{"since": 1}', "bad_params"), (114, b"\xff", "bad_message"), (115, b"", "bad_params")),
        *((115, b'{"room": "hall", "body": "x", "reply_to": %d}' % seq, "bad_params") for seq in NOT_SEQS),
        *((113, b'{"room": "hall", "since": %d}' % seq, "bad_params") for seq in NOT_SEQS),
        *((115, b'{"room": "hall", "body": "x", "reply_to": 1}', "no_such_message"),),
        *((115, b"hello", "bad_params"), (115, b'{"room": "hall"}', "bad_params")),
        *((115, b'{"room": "hall", "body": "x", "client_id": "no"}', "bad_params"),),
        *((115, b'{"room": "hall", "body": " "}', "empty_message"), (115, b"[" * 60000, "bad_params")),
        *((115, b'{"room": "none", "body": "x"}', "no_such_room"), (115, b"\xff", "bad_params")),
        *((113, b"none", "no_such_room"), (113, b"", "no_such_room"), (114, b"none", "no_such_room")),
        *((110, b"nobody", "no_such_person"), (110, b"", "empty_name"), (110, b"Alice", "not_allowed")),
        *((111, b"nobody", "no_such_person"),),
    ],
)
async def test_bad_request(chat, app, alice, hall, opcode, payload, code):
    """It is answered with a code and its opcode, and the connection goes on."""
    mine = await app(alice)
    assert await mine.refusal(opcode, payload) == code
    assert await mine.ask(100) == {}


async def test_error_of_ours_is_not_shown(chat, app, alice, monkeypatch, caplog):
    """It is logged; the client hears that there is one."""

    async def broken(*_):
        raise RuntimeError("a secret")

    monkeypatch.setattr("chat.actions.people.info", broken)
    mine = await app(alice)
    mine.say(111)
    refusal = await mine.hears(199)
    log_id = re.fullmatch(r"internal error \((\w{8})\)", refusal["error"])[1]
    assert (refusal["opcode"], refusal["code"]) == (111, "internal")
    assert log_id in caplog.text
    assert "a secret" in caplog.text


# --- friends and information -------------------------------------------------------------------------------


async def test_friends(chat, app, alice, bob):
    """A request is answered with its state, and heard at every door of the other; asking back accepts."""
    mine, theirs, page = await app(alice), await app(bob), await chat.open(bob)
    await theirs.ask(111)
    contact = {"id": bob.pk, "key": f"u{bob.pk}", "name": "Bob"}
    assert await mine.ask(110, b"bob") == {
        "state": "requested",
        "contact": {**contact, "state": "requested"},
    }
    asker = {"id": alice.pk, "key": f"u{alice.pk}", "name": "Alice"}
    assert await theirs.hears(117) == {**asker, "state": "asked"}
    assert await page.hears("contact") == {**asker, "state": "asked"}
    assert await mine.hears(117) == {**contact, "state": "requested"}
    assert (await theirs.ask(110, b"Alice"))["state"] == "friends"
    assert (await mine.hears(117))["state"] == "friends"
    assert (await mine.ask(111))["contacts"] == [{**contact, "state": "friends"}]


async def test_info_of_another(chat, app, alice, bob, mallory, cellar):
    """What the two share, and no more."""
    mine, hers = await app(alice), await app(mallory)
    assert [room["name"] for room in (await mine.ask(111, b"Bob"))["rooms"]] == ["cellar"]
    about = await hers.ask(111, b"Bob")
    assert (about["user"]["name"], about["rooms"], about["contacts"]) == ("Bob", [], [])


async def test_list_of_rooms(chat, app, alice, mallory, hall, cellar):
    """One's own list."""
    mine, hers = await app(alice), await app(mallory)
    assert [room["name"] for room in await mine.ask(112)] == ["cellar", "hall"]
    assert [room["name"] for room in await hers.ask(112)] == ["hall"]


# --- rooms -------------------------------------------------------------------------------------------------


async def test_entered_room_is_heard(chat, app, alice, bob, hall, cellar):
    """And no other."""
    mine, page = await app(alice), await chat.open(bob)
    assert await mine.ask(113, b"HALL") == {"room": "hall", "version": 0, "missed": [], "more": False}
    await page.post("cellar", "not this")
    sent = await page.post("hall", "but this")
    heard = await mine.hears(116)
    assert (heard["room"], heard["message"]["body"], heard["message"]["seq"]) == ("hall", "but this", sent["seq"])
    await mine.hears_nothing_but()


async def test_own_message(chat, app, alice, hall):
    """It is answered once it is stored, and heard as any other; again with its client id it is the same one."""
    mine = await app(alice)
    await mine.ask(113, b"hall")
    post = {"room": "hall", "body": "hi", "client_id": "0e3d4c0e-4b4f-4f6e-9a35-3f3b1d0f2c11"}
    sent = await mine.ask(115, post)
    assert sent == {**sent, "seq": 1, "version": 1, "client_id": post["client_id"]}
    message = (await mine.hears(116))["message"]
    assert (message["id"], message["author"], message["via"]) == (sent["id"], "Alice", "push")
    assert await mine.ask(115, post) == sent
    await mine.hears_nothing_but()


async def test_changes_come_as_the_message_as_it_stands_now(chat, app, alice, hall):
    """Edited or removed: the same seq, a newer version."""
    mine, page = await app(alice), await chat.open(alice)
    await mine.ask(113, b"hall")
    await page.post("hall", "frist")
    await mine.hears(116)
    await chat.elsewhere(edit_message, hall.pk, 1, "first", by=alice.pk)
    edited = (await mine.hears(116))["message"]
    assert (edited["seq"], edited["version"], edited["body"]) == (1, 2, "first")
    assert edited["edited_at"] is not None
    await chat.elsewhere(remove_message, hall.pk, 1, by=alice.pk)
    removed = (await mine.hears(116))["message"]
    assert (removed["seq"], removed["version"], removed["body"], removed["deleted"]) == (1, 3, "", True)


async def test_room_that_was_left(chat, app, alice, hall):
    """Nothing comes of it any more; its person stays who they are."""
    mine, page = await app(alice), await chat.open(alice)
    await mine.ask(113, b"hall")
    assert await mine.ask(114, b"hall") == {"room": "hall"}
    await page.post("hall", "unheard")
    await page.hears("newmsg")
    await mine.hears_nothing_but()
    assert [room["name"] for room in await mine.ask(112)] == ["hall"]


async def test_mallory_hears_and_says_nothing(chat, app, alice, mallory, cellar):
    """A private room does not exist for who is no member."""
    hers, mine = await app(mallory), await app(alice)
    for opcode, payload in ((113, b"cellar"), (114, b"cellar"), (115, {"room": "cellar", "body": "hi"})):
        assert await hers.refusal(opcode, payload) == "no_such_room"
    await mine.ask(113, b"cellar")
    await mine.ask(115, {"room": "cellar", "body": "secret"})
    await mine.hears(116)
    await hers.hears_nothing_but()


async def test_room_that_closes(chat, app, alice, bob, cellar):
    """Who is put out is told so, and hears no more."""
    theirs, mine = await app(bob), await app(alice)
    await theirs.ask(113, b"cellar")
    await chat.elsewhere(impose, bob.pk, Sanction.Kind.BAN, room_id=cellar.pk, by=alice.pk)
    assert (await theirs.hears(119))["act"] == "ban"
    assert await theirs.hears(114) == {"room": "cellar"}
    await mine.ask(115, {"room": "cellar", "body": "they are gone"})
    await theirs.hears_nothing_but()


async def test_room_that_the_admin_deletes(chat, app, alice, hall):
    """Whoever was in it is told that they are no longer."""
    mine = await app(alice)
    await mine.ask(113, b"hall")
    await chat.elsewhere(delete_room, hall.pk)
    assert await mine.hears(114) == {"room": "hall"}
    assert await mine.refusal(115, {"room": "hall", "body": "x"}) == "no_such_room"


async def test_room_that_is_gone_from_the_database(chat, app, alice, hall):
    """The first post finds out; whoever was in the room is told that they are no longer."""
    mine = await app(alice)
    await mine.ask(113, b"hall")
    await chat.elsewhere(hall.delete)
    for _ in range(2):
        assert await mine.refusal(115, {"room": "hall", "body": "x"}) == "no_such_room"
    assert await mine.hears(114) == {"room": "hall"}
    assert await mine.refusal(113, b"hall") == "no_such_room"


async def test_muted(chat, app, alice, hall):
    """They hear the room, and are told why they may not write."""
    mine = await app(alice)
    await mine.ask(113, b"hall")
    await chat.elsewhere(impose, alice.pk, Sanction.Kind.MUTE, room_id=None, by=None, reason="shouting")
    page = await chat.open(alice)
    await page.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    mine.say(115, {"room": "hall", "body": "HI"})
    assert await mine.hears(199) == {"opcode": 115, "code": "muted", "error": "you are muted: shouting"}


async def test_too_fast(chat, app, alice, hall):
    """It is told when to try again."""
    await chat.elsewhere(change_room, hall.pk, slow_mode_seconds=60)
    mine = await app(alice)
    async with asyncio.timeout(DEADLINE):
        while not chat.runtime.directory.rooms[hall.pk].slow_mode_seconds:
            await asyncio.sleep(0)
    await mine.ask(115, {"room": "hall", "body": "one"})
    mine.say(115, {"room": "hall", "body": "two"})
    error = await mine.hears(199)
    assert error["code"] == "slow_mode"
    assert 0 < error["retry_after_ms"] <= 60_001


@pytest.mark.parametrize(
    ("scopes", "allowed", "refused"),
    [
        (("read",), [111, 112, 113], [110, 115]),
        (("post",), [115], [111, 112, 113]),
        (("push",), [], [110, 111, 112, 113, 115]),
    ],
)
async def test_scopes(chat, app, alice, bob, hall, token, scopes, allowed, refused):
    """A token does what it was made for, and nothing else."""
    payloads = {110: b"Bob", 111: b"", 112: b"", 113: b"hall", 115: {"room": "hall", "body": "hi"}}
    _, secret = await chat.elsewhere(token, alice, scopes)
    mine = await app(bearer=secret)
    for opcode in allowed:
        await mine.ask(opcode, payloads[opcode])
    for opcode in refused:
        assert await mine.refusal(opcode, payloads[opcode]) == "not_allowed"


# --- order -------------------------------------------------------------------------------------------------


async def test_posts_keep_their_order(chat, app, alice, hall):
    """Also where one does not wait for the answers, which come in the same order."""
    mine = await app(alice)
    await mine.ask(113, b"hall")
    for number in range(100):
        mine.say(115, {"room": "hall", "body": f"{number}"} if number != 50 else {"room": "none", "body": "x"})
    seqs = [(await mine.hears(115))["seq"] for _ in range(99)]
    assert seqs == sorted(seqs)
    bodies = [(await mine.hears(116))["message"]["body"] for _ in range(99)]
    assert bodies == [f"{number}" for number in range(100) if number != 50]


async def test_answers_of_one_opcode_keep_the_order_of_the_requests(chat, app, alice, hall):
    """There is no other way to tell what an answer is to; a refusal takes its place among them."""
    mine = await app(alice)
    mine.say(115, {"room": "hall", "body": "one"})
    mine.say(115, {"room": "none", "body": "two"})
    mine.say(115, {"room": "hall", "body": "three"})
    order = []
    while len(order) < 3:
        order.append(struct.unpack(">I", (await mine.hears_frame())[:4])[0])
    assert order == [115, 199, 115]


async def test_slow_request_holds_no_other(chat, app, alice, hall, monkeypatch):
    """Requests run side by side, up to a bound; a heartbeat comes back meanwhile."""
    begun, go_on = [], asyncio.Event()

    async def slow(client, name):
        begun.append(name)
        await go_on.wait()
        return name

    monkeypatch.setattr("chat.actions.people.info", slow)
    mine = await app(alice)
    mine.say(111, b"slow")
    await mine.ask(112)
    await mine.ask(115, {"room": "hall", "body": "hi"})
    for number in range(20):
        mine.say(111, f"{number}".encode())
    while len(begun) < 16:
        await asyncio.sleep(0)
    assert len(begun) == 16
    go_on.set()
    assert [await mine.hears(111) for _ in range(21)] == ["slow", *(f"{number}" for number in range(20))]


async def test_missed_messages(chat, app, alice, hall):
    """What is new or changed since a version comes first, then what comes."""
    mine, page = await app(alice), await chat.open(alice)
    for number in range(5):
        await page.post("hall", f"{number}")
    await chat.elsewhere(edit_message, hall.pk, 1, "changed", by=alice.pk)
    entered = await mine.ask(113, {"room": "hall", "since": 3})
    assert [message["body"] for message in entered["missed"]] == ["3", "4", "changed"]
    assert (entered["version"], entered["more"]) == (6, False)
    await page.post("hall", "5")
    assert (await mine.hears(116))["message"]["body"] == "5"
    assert (await mine.ask(113, {"room": "hall", "since": 7}))["missed"] == []


async def test_many_missed_messages(chat, app, alice, hall):
    """They come in several answers; the last one says that there are no more."""

    def talk():
        posts = (NewPost(hall.pk, "hall", alice.pk, "Alice", False, False, "x", uuid4(), "web") for _ in range(450))
        with transaction.atomic():
            store_posts(list(posts))

    await chat.elsewhere(talk)
    mine = await app(alice)
    answers = [await mine.ask(113, {"room": "hall", "since": 0})]
    while answers[-1]["more"]:
        answers.append(await mine.hears(113))
    assert [len(answer["missed"]) for answer in answers] == [200, 200, 50]
    versions = [message["version"] for answer in answers for message in answer["missed"]]
    assert versions == list(range(1, 451))


async def test_entering_while_much_is_said(chat, app, alice, bob, hall):
    """No message is missing, none comes twice, and all are in order, whenever one enters."""
    page = await chat.open(bob)

    async def talk():
        for number in range(300):
            await page.post("hall", f"{number}")

    async def join(mine):
        seen, version = [], 0
        while len(seen) < 300:
            # Enters again and again, each time from where it was.
            answer = await mine.ask(113, {"room": "hall", "since": version})
            assert answer["version"] >= version
            seen += [message["version"] for message in answer["missed"]]
            version = answer["version"]
            while answer["more"]:
                answer = await mine.hears(113)
                seen += [message["version"] for message in answer["missed"]]
                version = answer["version"]
            for _ in range(7):
                if len(seen) < 300:
                    version = (await mine.hears(116))["message"]["version"]
                    seen.append(version)
            await mine.ask(114, b"hall")
            for _, payload in mine._heard:
                # On its way before the answer to leaving.
                version = json.loads(payload)["message"]["version"]
                seen.append(version)
            mine._heard.clear()
        return seen

    talking = asyncio.create_task(talk())
    apps = [await app(alice) for _ in range(3)]
    for seen in await asyncio.gather(*map(join, apps)):
        assert seen == list(range(1, 301))
    await talking


async def test_notice(chat, app, alice):
    """A word to everyone."""
    mine = await app(alice)
    await mine.ask(111)
    await chat.elsewhere(announce_to_all, "Soup is ready")
    assert await mine.hears(118) == {"level": "info", "text": "Soup is ready"}


# --- server push -------------------------------------------------------------------------------------------


async def counted(chat, user, sockets):
    """Wait until the list of connections has so many of a person, and push to them."""
    async with asyncio.timeout(DEADLINE):
        while await chat.elsewhere(user.connections.count) != sockets:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("payload", "data", "shown"),
    [
        ({"a": ["好"]}, '{"a":["好"]}'.encode(), {"payload": {"a": ["好"]}}),
        (None, b"null", {"payload": None}),
        ("好", "好".encode(), {"payload": "好"}),
        (b"\xff\0", b"\xff\0", {"payload": "/wA=", "encoding": "base64"}),
    ],
)
async def test_server_push(chat, app, dial, alice, bob, hall, payload, data, shown):
    """It reaches every socket of one person at the doors that can show it, and says how many those are."""
    mine, page, text = await app(alice), await chat.open(alice), await dial("/ws/hall", alice)
    theirs = await app(bob)
    await theirs.ask(111)
    await counted(chat, alice, 3)
    assert await chat.elsewhere(push, alice, 1000, payload) == 2
    assert await mine.hears_raw(1000) == data
    assert await page.hears("push") == {"opcode": 1000, **shown}
    await theirs.hears_nothing_but()
    assert text.closed is None


@pytest.mark.parametrize("how", ["person", "key", "name"])
async def test_whom_to_push_to(chat, app, alice, how):
    """A person, their key, or their name in any spelling."""
    mine = await app(alice)
    await counted(chat, alice, 1)
    user = {"person": alice, "key": alice.pk, "name": "ALICE"}[how]
    assert await chat.elsewhere(push, user, 0xFFFFFFFF, "hi") == 1
    assert await mine.hears_raw(0xFFFFFFFF) == b"hi"


async def test_push_to_nobody(chat, alice):
    """Somebody who is not here takes none; somebody who does not exist is an error."""
    assert await chat.elsewhere(push, alice, 1000, "hi") == 0
    for nobody in ("nobody", 10**6):
        with pytest.raises(OperationError) as refused:
            await chat.elsewhere(push, nobody, 1000, "hi")
        assert refused.value.code == "no_such_person"


@pytest.mark.parametrize(
    ("opcode", "payload", "code"),
    [
        *((100, "", "bad_opcode"), (999, "", "bad_opcode"), (-1, "", "bad_opcode"), (2**32, "", "bad_opcode")),
        *((1000, "x" * (MAX_PAYLOAD_BYTES + 1), "too_large"), (1000, "\ud800", "bad_payload")),
    ],
)
def test_bad_push(alice, opcode, payload, code):
    """The door's own opcodes are not for applications, and a payload has a limit."""
    with pytest.raises(OperationError) as refused:
        push(alice, opcode, payload)
    assert refused.value.code == code


async def test_pushes_keep_their_order(chat, app, alice):
    """Those of one thread."""
    mine = await app(alice)
    await mine.ask(111)

    def all_of_them():
        for number in range(50):
            push(alice, 1000, number)

    await chat.elsewhere(all_of_them)
    assert [await mine.hears(1000) for _ in range(50)] == list(range(50))


# --- the real server ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people(site):
    """Tokens of some people of the real site."""
    script = (
        "from chat.models import *; from chat.services.tokens import make_token;"
        "make = lambda n: make_token(Token(user=User.objects.create_user(n), name='t', scopes=['read', 'post']));"
        "print(*[make(n) for n in ('ann', 'ben', '我们都好')])"
    )
    return dict(
        zip(("ann", "ben", "chen"), site.manage("shell", "-c", script).splitlines()[-1].split(), strict=True)
    )


def run(scenario):
    async def within_deadline():
        async with asyncio.timeout(3 * DEADLINE):
            return await scenario()

    return asyncio.run(within_deadline())


def frame(opcode, payload=b""):
    return struct.pack(">I", opcode) + payload


async def answer_of(socket, opcode):
    """The next frame of an opcode."""
    while True:
        data = await socket.recv()
        if data[:4] == frame(opcode):
            return data[4:]


def bearer(secret):
    return {"additional_headers": {"Authorization": f"Bearer {secret}"}}


@pytest.mark.long
def test_bytes_on_a_real_socket(site, people):
    """A friend is added with eight bytes and a name; what is no frame of the door is told or ends it."""

    async def scenario():
        async with connect(f"{site.websocket_url}/push", **bearer(people["ann"])) as ann:
            await ann.send(b"\x00\x00\x00\x6e" + "我们都好".encode())
            asked = json.loads(await answer_of(ann, 110))
            assert (asked["state"], asked["contact"]["name"]) == ("requested", "我们都好")
            await ann.send(b"\x00\x00\x00")
            assert json.loads(await answer_of(ann, 199))["code"] == "bad_message"
            await ann.send(b"\x00\x00\x00\x01")
            assert json.loads(await answer_of(ann, 199))["code"] == "unknown_opcode"
            await ann.send(b"\x00\x00\x00\x64")
            assert await ann.recv() == b"\x00\x00\x00\x64{}"
            await ann.send("text")
            await ann.wait_closed()
            assert ann.close_code == 4400

    run(scenario)


@pytest.mark.long
def test_two_megabytes_on_a_real_socket(site, people):
    """The connection ends with the code for it."""

    async def scenario():
        async with connect(f"{site.websocket_url}/push", **bearer(people["ann"])) as ann:
            await ann.send(b"\x00\x00\x00\x64" + b"x" * 2_000_000)
            await ann.wait_closed()
            assert ann.close_code == 1009

    run(scenario)


@pytest.mark.long
def test_silence_on_a_real_socket(site):
    """Five seconds, not fewer."""

    async def scenario():
        async with connect(f"{site.websocket_url}/push") as peer:
            began = asyncio.get_running_loop().time()
            await peer.wait_closed()
            assert peer.close_code == 4401
            assert 4.5 < asyncio.get_running_loop().time() - began < 4.5 + DEADLINE

    run(scenario)


@pytest.mark.long
def test_push_of_a_command(site, people):
    """It reaches the sockets of a server in another process, also without Redis."""

    async def scenario():
        async with connect(f"{site.websocket_url}/push", **bearer(people["ben"])) as ben:
            await ben.send(frame(100))
            await ben.recv()
            while (
                said := await asyncio.to_thread(site.manage, "push", "BEN", "1000", '{"a": 1}')
            ) != "sent to 1\n":
                assert said == "sent to 0\n"
            assert await ben.recv() == b'\x00\x00\x03\xe8{"a":1}'

    run(scenario)


@pytest.mark.long
def test_token_as_the_first_frame_on_a_real_socket(site, people):
    """And a message from one to the other."""

    async def scenario():
        url = f"{site.websocket_url}/push"
        async with connect(url) as ann, connect(url) as ben:
            for socket, name in ((ann, "ann"), (ben, "ben")):
                await socket.send(frame(101, people[name].encode()))
                assert json.loads(await answer_of(socket, 101))["user"]["name"] == name
                await socket.send(frame(113, b"animals"))
                await answer_of(socket, 113)
            await ann.send(frame(115, json.dumps({"room": "animals", "body": "cats"}).encode()))
            assert json.loads(await answer_of(ann, 115))["seq"] > 0
            assert json.loads(await answer_of(ben, 116))["message"]["body"] == "cats"

    run(scenario)


# --- docs/doors.md -----------------------------------------------------------------------------------------

SECTION = read("docs/doors.md").split("\n## Push", 1)[1].split("\n## ", 1)[0]


def test_opcodes_are_documented_and_the_reverse():
    """The table lists those of chat/doors/push/opcodes.py."""
    assert [int(number) for number in re.findall(r"^\| (\d+) ", SECTION, re.MULTILINE)] == list(Opcode)


def test_numbers_are_documented():
    """Limits and the first free opcode."""
    assert f"over {MAX_PAYLOAD_BYTES:,} bytes" in SECTION
    assert f"from {FIRST_FREE} on" in SECTION
    assert f"has {LOGIN_TIMEOUT:.0f} seconds" in SECTION
    assert f"up to {MAX_AT_ONCE} requests" in SECTION


@pytest.mark.long
def test_documented_client(site, people, tmp_path):
    """The Python program of the document runs as it stands."""
    program = tmp_path / "push_client.py"
    program.write_text(named(SECTION, "push_client.py").source)
    command = [sys.executable, program, f"{site.websocket_url}/push", people["ann"], "jokes", "knock knock"]

    async def scenario():
        client = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        opcodes = set()
        while opcodes < {101, 113, 115, 116}:
            line = await client.stdout.readline()
            opcodes.add(int(line.split()[0]))
        client.terminate()
        await client.wait()

    run(scenario)
