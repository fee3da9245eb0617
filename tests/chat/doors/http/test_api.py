"""The chat over plain HTTP: what a program with a token posts and reads, and how it is told no."""

import asyncio
import json

import pytest
from django.test import AsyncClient

from chat.actions.limits import RATES
from chat.models import Membership, Message, Room, Sanction, Token, User
from chat.queries.rates import Rate
from chat.realtime import runtime
from chat.services.rooms import delete_room
from chat.services.tokens import make_token, revoke

CLIENT_ID = "6a1f9a3e-51a4-4c38-9d1e-0b7f6c4fa3d7"


class Program:
    """Calls the API with a token, over the site's whole stack of middleware."""

    def __init__(self, secret=None):
        self._headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
        self._http = AsyncClient()

    async def call(self, method, path, data=b"", *, content_type="application/json", headers=None):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.response = await self._http.generic(
            method, path, body, content_type=content_type, headers={**self._headers, **(headers or {})}
        )
        assert self.response["Content-Type"] == "application/json"
        assert self.response["Cache-Control"] == "no-store"
        return self.response.status_code, json.loads(self.response.content or b"null")

    async def post(self, room, body, **more):
        return await self.call("POST", f"/api/rooms/{room}/messages", {"body": body, **more})

    async def get(self, room, query=""):
        return await self.call("GET", f"/api/rooms/{room}/messages{query}")

    async def refusal(self, method, path, data=b"", **how):
        """Status and code of a refusal, which says it in words too."""
        status, told = await self.call(method, path, data, **how)
        assert told["error"]
        return status, told["code"]


@pytest.fixture
def program(chat):
    """Makes a token of a person, who is staff if it may push, and a program that uses it."""

    async def make(user, *scopes):
        if "push" in scopes:
            await chat.elsewhere(User.objects.filter(pk=user.pk).update, is_staff=True)
        token = Token(user=user, name="robot", scopes=list(scopes or ("read", "post")))
        return Program(await chat.elsewhere(make_token, token))

    return make


# --- posting -----------------------------------------------------------------------------------------------


async def test_post(chat, program, alice, hall):
    """It is answered with the stored message, and everyone who is there hears it."""
    page = await chat.open()
    status, message = await (await program(alice)).post("hall", " over HTTP ", client_id=CLIENT_ID)
    assert status == 201
    assert (message["author"], message["body"], message["via"], message["seq"]) == ("Alice", "over HTTP", "http", 1)
    assert message["client_id"] == CLIENT_ID
    heard = await page.hears("newmsg")
    assert heard == {"room": "hall", "message": message}
    stored = await chat.elsewhere(Message.objects.get)
    assert (stored.body, stored.pk) == ("over HTTP", message["id"])


async def test_repeat(chat, program, alice, hall):
    """The same `client_id` again answers the first message."""
    robot = await program(alice)
    _, first = await robot.post("hall", "once", client_id=CLIENT_ID)
    assert await robot.post("hall", "twice", client_id=CLIENT_ID) == (201, first)


async def test_reply(chat, program, alice, hall):
    """`reply_to` is the seq of another message."""
    robot = await program(alice)
    await robot.post("hall", "why?")
    assert (await robot.post("hall", "because", reply_to=1))[1]["reply_to"] == 1


async def test_room_with_a_name_like_a_path(chat, program, alice):
    """Slashes, spaces and question marks are letters of a name."""
    await chat.elsewhere(Room.objects.create, name="a b/c?")
    await chat.runtime.refresh.reload()
    assert (await (await program(alice)).post("a%20b/c%3F", "hi"))[0] == 201


async def test_order_with_sockets(chat, program, alice, bob, hall):
    """Posts through both doors at once stand in one order, the same for all."""
    page, robot = await chat.open(bob), await program(alice)
    await asyncio.gather(
        *(page.post("hall", f"page {number}") for number in range(10)),
        *(robot.post("hall", f"robot {number}") for number in range(10)),
    )
    _, told = await robot.get("hall")
    assert [message["seq"] for message in told["messages"]] == list(range(1, 21))
    for message in told["messages"]:
        assert (await page.hears("newmsg"))["message"] == message


async def test_program_is_not_shown_as_here(chat, program, alice, hall):
    """Nothing listens: it comes, posts and is gone."""
    robot = await program(alice)
    await robot.post("hall", "hi")
    page = await chat.open()
    me = (await page.ask("whoami"))["name"]

    async def online():
        return [each["name"] for each in (await page.ask("list-members", "hall"))["members"] if each["online"]]

    while me not in await online():
        """Comings are gathered: Alice's would be seen no later than this one."""
    assert await online() == [me]


# --- reading -----------------------------------------------------------------------------------------------


async def five_messages(program, alice):
    robot = await program(alice)
    for number in range(1, 6):
        await robot.post("hall", str(number))
    return robot


@pytest.mark.parametrize(
    ("query", "bodies", "more"),
    [
        ("", "12345", False),
        ("?limit=5", "12345", False),
        ("?limit=4", "2345", True),
        ("?before_seq=4", "123", False),
        ("?before_seq=4&limit=2", "23", True),
        ("?before_seq=3&limit=2", "12", False),
        ("?after_seq=2", "345", False),
        ("?after_seq=2&limit=2", "34", True),
        ("?after_seq=3&limit=2", "45", False),
        ("?after_seq=5", "", False),
        ("?before_seq=0", "", False),
        ("?limit=200", "12345", False),
    ],
)
async def test_pages(chat, program, alice, hall, query, bodies, more):
    """Oldest first; `more` says whether to ask on in the same direction."""
    robot = await five_messages(program, alice)
    status, told = await robot.get("hall", query)
    assert status == 200
    assert "".join(message["body"] for message in told["messages"]) == bodies
    assert told["more"] is more


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?limit=x", "?before_seq=-1", f"?after_seq={2**63}"])
async def test_bad_query(chat, program, alice, hall, query):
    """The field at fault is named."""
    status, told = await (await program(alice)).get("hall", query)
    assert (status, told["code"]) == (400, "bad_params")
    assert told["field"] in query


async def test_both_directions(chat, program, alice, hall):
    """A page has one."""
    robot = await program(alice)
    assert (await robot.get("hall", "?before_seq=9&after_seq=1"))[1]["code"] == "bad_params"


async def test_head(chat, program, alice, hall):
    """As GET: what a monitor asks."""
    assert (await (await program(alice)).call("HEAD", "/api/rooms/hall/messages"))[0] == 200


# --- who may -----------------------------------------------------------------------------------------------


async def test_without_a_token(chat, alice, hall):
    """It is said what is missing; a cookie is no token."""
    robot = Program()
    await chat.elsewhere(robot._http.force_login, alice)
    assert await robot.refusal("POST", "/api/rooms/hall/messages", {"body": "hi"}) == (401, "log_in")
    assert robot.response["WWW-Authenticate"].startswith("Bearer")
    assert await chat.elsewhere(Message.objects.count) == 0


@pytest.mark.parametrize("value", ["Bearer ", "Bearer nonsense", "Basic YWxpY2U6eA==", "Bearer a b", "Bearer ä"])
async def test_token_that_is_none(chat, hall, value):
    """Unknown, empty, or not a bearer's."""
    robot = Program()
    path = "/api/rooms/hall/messages"
    assert await robot.refusal("GET", path, headers={"Authorization": value}) == (401, "log_in")
    assert robot.response["WWW-Authenticate"].startswith("Bearer")


async def test_revoked_token(chat, program, alice, hall):
    """From the next request on."""
    robot = await program(alice)
    await robot.post("hall", "hi")
    await chat.elsewhere(lambda: revoke(Token.objects.get()))
    assert await robot.refusal("GET", "/api/rooms/hall/messages") == (401, "log_in")


@pytest.mark.parametrize(("scope", "method", "status"), [("read", "POST", 403), ("post", "GET", 403)])
async def test_scope(chat, program, alice, hall, scope, method, status):
    """A token does what it was made for."""
    robot = await program(alice, scope)
    refused = await robot.refusal(method, "/api/rooms/hall/messages", {"body": "hi"})
    assert refused == (status, "not_allowed")


async def test_room_of_others(chat, program, mallory, cellar):
    """For mallory it does not exist."""
    robot = await program(mallory)
    assert await robot.refusal("POST", "/api/rooms/cellar/messages", {"body": "hi"}) == (404, "no_such_room")
    assert await robot.refusal("GET", "/api/rooms/cellar/messages") == (404, "no_such_room")
    assert await robot.refusal("GET", "/api/rooms/nowhere/messages") == (404, "no_such_room")


async def test_removed_member(chat, program, bob, cellar):
    """They can no longer read anything."""
    robot = await program(bob)
    assert (await robot.get("cellar"))[0] == 200
    await chat.elsewhere(Membership.objects.filter(user=bob).delete)
    assert await robot.refusal("GET", "/api/rooms/cellar/messages") == (404, "no_such_room")


@pytest.mark.parametrize(
    ("kind", "status", "code"), [(Sanction.Kind.MUTE, 403, "muted"), (Sanction.Kind.BAN, 403, "not_allowed")]
)
async def test_sanction(chat, program, alice, hall, kind, status, code):
    """Muted and banned people are stopped here too."""
    robot = await program(alice)
    await chat.elsewhere(Sanction.objects.create, user=alice, kind=kind, reason="spam")
    assert await robot.refusal("POST", "/api/rooms/hall/messages", {"body": "hi"}) == (status, code)


@pytest.mark.parametrize(("field", "code"), [("archived", "archived"), ("read_only", "read_only")])
async def test_closed_room(chat, program, alice, hall, field, code):
    """As at every door."""
    await chat.elsewhere(Room.objects.update, **{field: True})
    await chat.runtime.refresh.reload()
    robot = await program(alice)
    assert await robot.refusal("POST", "/api/rooms/hall/messages", {"body": "hi"}) == (403, code)


async def test_room_that_the_admin_deletes(chat, program, alice, hall):
    """404, to those who read and those who post."""
    robot, page = await program(alice), await chat.open()
    await robot.post("hall", "before")
    await chat.elsewhere(delete_room, hall.pk)
    await page.hears("rooms", lambda rooms: "hall" not in rooms)
    for method, body in (("GET", b""), ("POST", {"body": "x"})):
        assert await robot.refusal(method, "/api/rooms/hall/messages", body) == (404, "no_such_room")


async def test_room_that_is_gone_from_the_database(chat, program, alice, hall):
    """404, from the first post on."""
    robot = await program(alice)
    await chat.elsewhere(hall.delete)
    for _ in range(2):
        answer = await robot.refusal("POST", "/api/rooms/hall/messages", {"body": "x"})
        assert answer == (404, "no_such_room")


async def test_slow_mode(chat, program, alice, hall):
    """Each request is a new visit, and yet the second post waits."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    robot = await program(alice)
    await robot.post("hall", "first")
    status, told = await robot.post("hall", "second")
    assert (status, told["code"], robot.response["Retry-After"]) == (429, "slow_mode", "60")
    assert 59_000 < told["retry_after_ms"] <= 60_001


async def test_pace_is_that_of_the_person(chat, program, alice, hall, settings, monkeypatch):
    """Two doors do not double the rate limit."""
    settings.RATE_LIMITS = True
    monkeypatch.setattr("chat.actions.limits.RATES", {**RATES, "post": Rate(2, 1)})
    page, robot = await chat.open(alice), await program(alice)
    await page.post("hall", "one")
    await robot.post("hall", "two")
    status, told = await robot.post("hall", "three")
    assert (status, told["code"]) == (429, "too_fast")


async def test_server_that_ends(chat, program, alice, hall, monkeypatch):
    """Come back in a moment."""
    robot = await program(alice)
    monkeypatch.setattr(runtime, "_draining", True)
    assert await robot.refusal("GET", "/api/rooms/hall/messages") == (503, "restarting")
    assert robot.response["Retry-After"] == "1"


# --- pushing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["name", "key"])
async def test_push(chat, program, alice, bob, by):
    """All sockets of the person get it, and how many is answered."""
    page = await chat.open(bob)
    await chat.open(bob)
    await chat.counts(bob, connections=2)
    robot = await program(alice, "push")
    user = "bob" if by == "name" else bob.pk
    told = await robot.call("POST", "/api/push", {"user": user, "opcode": 1200, "payload": {"lamp": "on"}})
    assert told == (200, {"sockets": 2})
    assert await page.hears("push") == {"opcode": 1200, "payload": {"lamp": "on"}}


async def test_push_to_who_is_not_here(chat, program, alice, bob):
    """Nobody took it: a push is not kept."""
    robot = await program(alice, "push")
    assert await robot.call("POST", "/api/push", {"user": "bob", "opcode": 1200}) == (200, {"sockets": 0})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user": "nobody", "opcode": 1200}, 404, "no_such_person"),
        ({"user": 2**62, "opcode": 1200}, 404, "no_such_person"),
        ({"user": 2**70, "opcode": 1200}, 400, "bad_params"),
        ({"user": "bob"}, 400, "bad_params"),
        ({"user": "bob", "opcode": "x"}, 400, "bad_params"),
        ({"user": "bob", "opcode": 118}, 400, "bad_opcode"),
        ({"user": "bob", "opcode": -1}, 400, "bad_opcode"),
        ({"user": "bob", "opcode": 2**32}, 400, "bad_opcode"),
        ({"user": "bob", "opcode": 2**70}, 400, "bad_opcode"),
        ({"user": "bob", "opcode": 1.5}, 400, "bad_params"),
    ],
)
async def test_push_that_makes_no_sense(chat, program, alice, bob, body, status, code):
    """The door's own opcodes are not to be had: nobody forges a message of another."""
    assert await (await program(alice, "push")).refusal("POST", "/api/push", body) == (status, code)


async def test_push_by_who_is_not_staff_any_more(chat, program, alice, bob):
    """A token ends with the right of who made it, also one from before."""
    robot = await program(alice, "push")
    assert (await robot.call("POST", "/api/push", {"user": "bob", "opcode": 1200}))[0] == 200
    await chat.elsewhere(User.objects.filter(pk=alice.pk).update, is_staff=False)
    assert await robot.refusal("POST", "/api/push", {"user": "bob", "opcode": 1200}) == (403, "not_allowed")


async def test_push_without_the_scope(chat, program, alice, bob):
    """To read and post is not to push."""
    robot = await program(alice, "read", "post", "rpc")
    assert await robot.refusal("POST", "/api/push", {"user": "bob", "opcode": 1200}) == (403, "not_allowed")


# --- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b" ", "bad_params", None),
        (b"hello", "bad_params", None),
        (b"{", "bad_params", None),
        (b"[]", "bad_params", None),
        (b"{}", "bad_params", "body"),
        (b"\xff", "bad_params", None),
        (b"[" * 60_000, "bad_params", None),
        (b'{"body": 1}', "bad_params", "body"),
        (b'{"body": "\\ud800"}', "bad_params", None),
        (b'{"body": "x", "client_id": "x"}', "bad_params", "client_id"),
        (b'{"body": "x", "reply_to": -1}', "bad_params", "reply_to"),
        (b'{"body": "x", "reply_to": 9223372036854775808}', "bad_params", "reply_to"),
        (b'{"body": "x", "reply_to": 1180591620717411303424}', "bad_params", "reply_to"),
        (b'{"body": "x", "reply_to": 1}', "no_such_message", "reply_to"),
        (b'{"body": "x", "reply_to": NaN}', "bad_params", None),
        (b'{"body": " \\u0000 "}', "empty_message", "body"),
        (b'{"body": "%s"}' % (b"x" * 16_001), "too_long", "body"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_body_that_makes_no_sense(chat, program, alice, hall, body, code, field):
    """It is said what is wrong, and with which field."""
    status, told = await (await program(alice)).call("POST", "/api/rooms/hall/messages", body)
    assert (status, told["code"], told.get("field")) == (400, code, field)


async def test_too_much(chat, program, alice, hall):
    """Over 64 KiB nothing is read."""
    robot = await program(alice)
    body = b'{"body": "x"}'.ljust(64 * 1024 + 1)
    assert await robot.refusal("POST", "/api/rooms/hall/messages", body) == (413, "too_large")
    assert (await robot.call("POST", "/api/rooms/hall/messages", body[:-1]))[0] == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
async def test_not_json(chat, program, alice, hall, kind):
    """What is not called JSON is not read as JSON."""
    robot = await program(alice)
    path = "/api/rooms/hall/messages"
    assert await robot.refusal("POST", path, b'{"body": "x"}', content_type=kind) == (415, "bad_type")


async def test_json_with_a_charset(chat, program, alice, hall):
    """What many libraries send."""
    robot = await program(alice)
    kind = "application/json; charset=utf-8"
    assert (await robot.call("POST", "/api/rooms/hall/messages", {"body": "x"}, content_type=kind))[0] == 201


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_method(chat, program, alice, hall, method):
    """What is allowed is listed."""
    robot = await program(alice)
    assert await robot.refusal(method, "/api/rooms/hall/messages") == (405, "bad_method")
    assert robot.response["Allow"] == "POST, GET, HEAD"


async def test_other_method_where_nothing_can_be_read(chat, program, alice):
    """There is nothing for HEAD either."""
    robot = await program(alice)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await robot.call(method, "/api/push"))[0] == 405
        assert robot.response["Allow"] == "POST"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api?x=1",
        "/api/",
        "/api/x",
        "/api/x/",
        "/api/push/",
        "/api//push",
        "/api/rooms/hall",
        "/api/rooms/hall/messages/",
        "/api/rooms//messages",
    ],
)
async def test_address_that_is_none(chat, method, path):
    """Programs get no page, whatever they ask for, and no redirect to another address."""
    assert await Program().refusal(method, path) == (404, "no_such_address")


async def test_address_that_is_none_of_the_api():
    """What only begins alike is a page's."""
    response = await AsyncClient().get("/apiary")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/api", "/api/x"])
async def test_host_that_is_not_ours(chat, path):
    """Django's own refusal is JSON too, here."""
    assert await Program().refusal("GET", path, headers={"Host": "evil.example"}) == (400, "bad_request")


async def test_fault_of_ours(chat, program, alice, hall, monkeypatch, caplog):
    """A number that stands in the log, and nothing of the reason."""

    async def fail(*_args, **_kwargs):
        raise RuntimeError("secret of ours")

    robot = await program(alice)
    monkeypatch.setattr("chat.doors.http.api.post", fail)
    status, told = await robot.post("hall", "hi")
    assert (status, told["code"]) == (500, "internal")
    assert told["error"].split()[-1] in caplog.text
    assert "secret of ours" not in json.dumps(told)
