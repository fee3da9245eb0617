"""Programs log in with tokens; a visitor's posts have one author."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from chat.doors.gotalk.login import LOGIN_TIMEOUT
from chat.models import SiteSettings, Token, User
from chat.queries.tokens import SCOPES
from chat.services.tokens import make_token, revoke
from rpc import RequestFailed, RetryLater, default_handlers, describe
from tests.chat.conftest import DEADLINE
from tests.chat.doors.hostile import plain
from tests.documents import read


@pytest.fixture
def token(transactional_db):
    """Makes a token of a person; returns it and its secret."""

    def make(user, scopes=SCOPES, **fields):
        token = Token(user=user, name="robot", scopes=list(scopes), **fields)
        return token, make_token(token)

    return make


def test_header(chat, alice, token):
    """`Authorization: Bearer` says who connects."""

    async def scenario():
        async with chat:
            _, secret = await chat.elsewhere(token, alice)
            page = await chat.open(bearer=secret)
            assert (await page.ask("whoami"))["name"] == "Alice"

    asyncio.run(scenario())


@pytest.mark.parametrize("fault", ["unknown", "revoked", "expired", "without rpc", "switched off"])
def test_token_that_does_not_count(chat, alice, token, fault):
    """It is refused with words; nobody becomes a guest instead."""

    def prepare():
        fields = {"expires_at": timezone.now() - timedelta(seconds=1)} if fault == "expired" else {}
        made, secret = token(alice, ("read", "post") if fault == "without rpc" else SCOPES, **fields)
        if fault == "revoked":
            revoke(made)
        if fault == "switched off":
            User.objects.update(is_active=False)
        return "nonsense" if fault == "unknown" else secret

    async def scenario():
        async with chat:
            secret = await chat.elsewhere(prepare)
            page = await chat.dial(bearer=secret)
            assert await page.is_closed() == (4403 if fault == "without rpc" else 4401)
            guest = await chat.open()
            assert await guest.refusal("login", secret) == "log_in"
            assert (await guest.ask("whoami"))["is_guest"]

    asyncio.run(scenario())


def test_login(chat, alice, hall, token):
    """A guest becomes the token's person, with their rooms, and their name on new posts."""

    async def scenario():
        async with chat:
            _, secret = await chat.elsewhere(token, alice)
            page = await chat.open()
            assert (await page.ask("login", {"token": secret}))["name"] == "Alice"
            await page.hears("username", lambda name: name == "Alice")
            await page.post("hall", "hello")
            assert (await page.hears("newmsg"))["message"]["author"] == "Alice"

    asyncio.run(scenario())


KINDS = pytest.mark.parametrize("kind", ["gotalk", "websocket"])
"""A byte stream and a page: neither has a header for a token."""


@KINDS
def test_login_where_guests_may_not(chat, alice, token, kind):
    """Who has no header for a token may say who they are, and nothing else before."""

    async def scenario():
        await chat.elsewhere(SiteSettings.objects.update, guests_allowed=False)
        async with chat:
            _, secret = await chat.elsewhere(token, alice)
            page = await chat.dial(kind=kind)
            assert await page.refusal("whoami") == "log_in"
            assert (await page.ask("login", secret))["name"] == "Alice"

    asyncio.run(scenario())


def test_stream_that_logs_in_twice_at_once(chat, alice, token):
    """It becomes one client."""

    async def scenario():
        await chat.elsewhere(SiteSettings.objects.update, guests_allowed=False)
        async with chat:
            _, secret = await chat.elsewhere(token, alice)
            page = await chat.dial(kind="gotalk")
            answers = await asyncio.gather(
                page.ask("login", secret), page.ask("login", secret), return_exceptions=True
            )
            assert sorted(type(answer).__name__ for answer in answers) == ["RequestFailed", "dict"]
            assert len(chat.runtime.connections.clients) == 1

    asyncio.run(scenario())


@KINDS
def test_nobody_logs_in_where_guests_may_not(chat, monkeypatch, kind):
    """The connection is closed after a while, which docs/operations.md gives."""
    assert f"has {LOGIN_TIMEOUT:.0f} seconds" in " ".join(read("docs/operations.md").split())
    monkeypatch.setattr("chat.doors.gotalk.login.LOGIN_TIMEOUT", 0.01)

    async def scenario():
        await chat.elsewhere(SiteSettings.objects.update, guests_allowed=False)
        async with chat:
            page = await chat.dial(kind=kind)
            assert await page.is_closed() == 4401

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("scopes", "allowed", "refused"),
    [
        (("rpc", "read"), ["list-messages"], ["send-message", "join-room", "set-name"]),
        (("rpc", "post"), ["send-message", "join-room"], ["list-messages", "info"]),
    ],
)
def test_scopes(chat, alice, hall, token, scopes, allowed, refused):
    """A token does what it was made for, and nothing else; without `read` no message reaches it."""
    params = {"send-message": {"room": "hall", "message": {"body": "hi"}}, "set-name": "Al", "info": None}

    async def scenario():
        async with chat:
            _, secret = await chat.elsewhere(token, alice, scopes)
            page = await chat.open(bearer=secret)
            for operation in allowed:
                await page.ask(operation, params.get(operation, "hall"))
            for operation in refused:
                assert await page.refusal(operation, params.get(operation, "hall")) == "not_allowed"
            await page.ask("echo")
            assert len(page.heard["newmsg"]) == ("read" in scopes and "send-message" in allowed)

    asyncio.run(scenario())


@pytest.mark.parametrize("scopes", [("rpc",), ("rpc", "read"), ("rpc", "post"), ("rpc", "read", "post")])
async def test_operations_require_the_scopes_of_their_actions(chat, alice, hall, token, scopes, monkeypatch):
    """`$ops` tells a token what the actions behind the operations let it do, which other doors call too."""
    _, secret = await chat.elsewhere(token, alice, scopes)
    page = await chat.open(bearer=secret)
    told = (await page.ask("$ops"))["operations"]
    description = describe(default_handlers)
    let = set()
    for name, handler in default_handlers.operations().items():
        monkeypatch.setattr(handler, "checks", ())
        entry = description.operations[name]
        refusals = []
        for payload in plain(entry.params, description.defs, {}):
            try:
                await page.peer.request(name, payload, bytes, retries=0, timeout=DEADLINE)
            except (RequestFailed, RetryLater) as refused:
                refusals.append(refused.text)
        if not any("lacks the scope" in text for text in refusals):
            let.add(name)
    # This one has no action; and the scope with which it logs in was asked for already.
    assert let - {"whoami"} == told.keys() - {"whoami"}
    assert ("whoami" in told) == ("read" in scopes)


def test_revoked(chat, alice, bob, token):
    """Its sockets close, others of the same person do not."""

    async def scenario():
        async with chat:
            made, secret = await chat.elsewhere(token, alice)
            robot = await chat.open(bearer=secret)
            page = await chat.open(alice)
            await chat.elsewhere(revoke, made)
            assert await robot.is_closed() == 4401
            assert (await page.ask("whoami"))["name"] == "Alice"

    asyncio.run(scenario())


def test_expired(chat, alice, token):
    """A socket does not outlive its token."""

    async def scenario():
        async with chat:
            end = timezone.now() + timedelta(seconds=0.3)
            _, secret = await chat.elsewhere(token, alice, expires_at=end)
            robot = await chat.open(bearer=secret)
            assert await robot.is_closed() == 4401

    asyncio.run(scenario())


def test_first_posts_of_a_visitor_at_once(chat, hall):
    """They have one author, also without a session, and keep their order."""

    async def scenario():
        async with chat:
            page = await chat.open()
            await asyncio.gather(*(page.post("hall", str(number)) for number in range(6)))
            messages = await page.ask("list-messages", "hall")
            assert len({message["author_id"] for message in messages}) == 1
            assert [message["body"] for message in messages] == list("012345")
            assert await chat.elsewhere(User.objects.filter(is_guest=True).count) == 1

    asyncio.run(scenario())
