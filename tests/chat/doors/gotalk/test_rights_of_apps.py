"""Operations of a further app are called for nobody who may not call them, over WebSocket and over TCP."""

import asyncio
import json
from contextlib import closing, suppress
from itertools import count
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed

from chat.doors.gotalk.caller import check_for
from chat.models import Sanction
from chat.services import moderation
from rpc import CloseCode, Peer, RequestFailed, connect, default_handlers
from tests.server import Server

DEADLINE = 20.0
RIGHTS = ["member", "scope", "permission", "function"]
"""Those of tests.chat.doors.gotalk.vault.operations, which needs the site."""
KINDS = ["ask", "pour", "tell"]
words = map("word {}".format, count())

SITE = """
import json
from django.contrib.auth.models import Permission
from chat.models import Sanction, SiteSettings, Token, User
from chat.services import moderation
from chat.services.tokens import make_token

def secret(name, *scopes):
    user, _ = User.objects.get_or_create(username=name, defaults={"name": name})
    return make_token(Token(user=user, name="robot", scopes=["rpc", *scopes]))

secrets = {
    "banned": secret("banned", "read", "post"),
    "mallory": secret("mallory", "read", "post"),
    "without the scope": secret("mallory", "read"),
    "keeper": secret("keeper", "read", "post"),
}
permission = Permission.objects.get(content_type__app_label="chat", codename="change_room")
User.objects.get(username="keeper").user_permissions.add(permission)
moderation.impose(User.objects.get(username="banned").pk, Sanction.Kind.BAN, room_id=None, by=None)
SiteSettings.objects.update(guests_allowed=%s)
print(json.dumps(secrets))
"""


class Site:
    """A real site with the app, and the secrets of its people's tokens."""

    def __init__(self, server, *, guests):
        self.server = server
        self.secrets = json.loads(server.manage("shell", "-v0", "-c", SITE % guests))
        self.addresses = {"ws": f"{server.websocket_url}/gotalk/", "tcp": server.gotalk_url}


@pytest.fixture(scope="module", params=[True, False], ids=["open", "closed"])
def guests(request):
    return request.param


@pytest.fixture(scope="module")
def site(guests, tmp_path_factory):
    environment = {"DJANGO_SETTINGS_MODULE": "tests.chat.doors.gotalk.vault.settings"}
    environment["GOTALK_LISTEN"] = "tcp://127.0.0.1:0"
    server = Server(tmp_path_factory.mktemp("site") / "data", environment=environment)
    with server:
        yield Site(server, guests=guests)


async def attempts(client, right):
    """Call each kind of what a right protects; returns the refusals, and what was called nevertheless."""
    word, refusals = next(words), []
    client.notify(f"tell-{right}", word)
    client.notify("end", word)
    try:
        await client.request(f"ask-{right}", word)
    except RequestFailed as refused:
        refusals.append(refused.code)
    try:
        async with client.stream(f"pour-{right}") as stream:
            await stream.send(word)
            await stream.end()
            assert [part async for part in stream] == [word]
    except RequestFailed as refused:
        refusals.append(refused.code)
    return refusals, sorted(await client.request("called", word))


async def told(client):
    """The rights whose operations `$ops` tells, each in all of its kinds."""
    answer = await client.request("$ops")
    names = {*answer["operations"], *answer["notifications"]}
    rights = [right for right in RIGHTS if f"ask-{right}" in names]
    every = {f"{kind}-{right}" for kind in KINDS for right in rights}
    assert {name for name in names if name.partition("-")[0] in KINDS} == every
    return rights


WHO = {
    # Who: on an open site, the rights that they have and the code of the refusal; the same on a closed one.
    None: (["member", "scope"], "not_allowed", [], "log_in"),
    "without the scope": (["member", "function"], "not_allowed", ["member", "function"], "not_allowed"),
    "mallory": (["member", "scope", "function"], "not_allowed", ["member", "scope", "function"], "not_allowed"),
    "keeper": (RIGHTS, "not_allowed", RIGHTS, "not_allowed"),
}


@pytest.mark.parametrize("door", ["ws", "tcp"])
@pytest.mark.parametrize("who", WHO, ids=str)
def test_rights(site, guests, door, who):
    """Guests, strangers, a token without the scope and a person without the permission are refused, and told so."""
    rights, code = WHO[who][:2] if guests else WHO[who][2:]

    async def scenario():
        secret = site.secrets[who] if who is not None else None
        async with asyncio.timeout(DEADLINE), await connect(site.addresses[door], token=secret) as client:
            assert await told(client) == rights
            for right in RIGHTS:
                refusals, called = await attempts(client, right)
                if right in rights:
                    assert (refusals, called) == ([], [f"ask-{right}", f"pour-{right}", f"tell-{right}"])
                else:
                    assert (refusals, called) == ([code, code], [])

    asyncio.run(scenario())


def everything(word):
    """Literal bytes of every request, stream and notification of the app, as whoever does not wait sends them."""
    payload = json.dumps(word).encode()
    ids = count(0x61626300)
    messages = []
    for right in RIGHTS:
        ask, pour, tell = (f"{kind}-{right}".encode() for kind in KINDS)
        messages.append(b"r%b%03x%b%08x%b" % (next(ids).to_bytes(4), len(ask), ask, len(payload), payload))
        messages.append(b"s%b%03x%b%08x%b" % (next(ids).to_bytes(4), len(pour), pour, len(payload), payload))
        messages.append(b"n%03x%b%08x%b" % (len(tell), tell, len(payload), payload))
    return b"".join(messages)


async def called_for(site, word):
    """What the keeper finds that was called."""
    async with await connect(site.addresses["tcp"], token=site.secrets["keeper"]) as client:
        client.notify("end", word)
        return await client.request("called", word)


def test_banned_person_over_websocket(site):
    """What they send with the handshake is called as little as what they would send after it."""

    async def scenario():
        word = next(words)
        headers = {"Authorization": f"Bearer {site.secrets['banned']}"}
        async with asyncio.timeout(DEADLINE):
            async with connect_websocket(site.addresses["ws"], additional_headers=headers) as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.send(b"01" + everything(word))
                    while True:
                        await socket.recv()
            assert closed.value.rcvd.code == CloseCode.NOT_ALLOWED
            assert await called_for(site, word) == []

    asyncio.run(scenario())


@pytest.mark.parametrize("guests", [False], indirect=True)
def test_banned_person_over_tcp(site):
    """Their login is refused, and what they send with it and behind it is not called."""

    async def scenario():
        word = next(words)
        secret = json.dumps(site.secrets["banned"]).encode()
        host, port = site.addresses["tcp"].removeprefix("tcp://").split(":")
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection(host, int(port))
            with closing(writer):
                login = b"r0001005login%08x%b" % (len(secret), secret)
                writer.write(b"01" + everything(word) + login + everything(word))
                # The refusal of the login comes last, since that waits for the database.
                answers = await reader.readuntil(b"E0001")
                assert answers.count(b"log in first") == 4 * len(RIGHTS)
                writer.write(everything(word))
                await reader.readuntil(b"log in first")
            assert await called_for(site, word) == []

    asyncio.run(scenario())


def test_page_of_a_guest(site, guests):
    """/rpc/ shows what they may call, and nothing where they may not be."""
    with suppress(OSError), urlopen(f"{site.server.url}/rpc/", timeout=DEADLINE) as answer:
        page = answer.read().decode()
    shown = [right for right in RIGHTS if f'id="operation-ask-{right}"' in page]
    assert shown == (["member", "scope"] if guests else [])
    assert ('id="operation-echo"' in page) == guests


async def test_ban_while_something_waits(chat, alice, monkeypatch):
    """What a person sent before they were banned, and what was not called by then, is not called any more."""
    handlers, begun, called = default_handlers.child(), asyncio.Event(), []

    @handlers.notification("slow")
    async def slow(peer: Peer) -> None:
        begun.set()
        while not peer.is_over:
            await asyncio.sleep(0)

    @handlers.notification("next")
    async def then() -> None:
        called.append("next")

    @handlers.closed
    async def closed(peer: Peer) -> None:
        called.append("closed")

    monkeypatch.setattr("tests.chat.conftest.default_handlers", handlers)
    page = await chat.open(alice)
    page.peer.notify("slow")
    page.peer.notify("next")
    await begun.wait()
    await chat.elsewhere(moderation.impose, alice.pk, Sanction.Kind.BAN, room_id=None, by=None)
    assert await page.is_closed() == CloseCode.NOT_ALLOWED
    await page.close()
    assert called == ["closed"]


# --- what one may require ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word", ["", "posting", "POST", "change_room", "chat.", ".change_room", "nowhere.add_x", "a b.c"]
)
def test_word_that_is_none(word):
    """Neither a scope nor a permission of an app that is there: the app does not start."""
    with pytest.raises(ValueError, match="neither a scope"):
        default_handlers.request("x", requires=word)


@pytest.mark.parametrize("word", ["read", "post", "push", "rpc", "chat.change_room", "auth.view_group"])
def test_word_of_the_site(word):
    """Each has one check."""
    assert check_for(word) is check_for(word)


def test_permission_of_an_inline_handler():
    """It is asked of the database, so it cannot be."""
    with pytest.raises(TypeError, match="inline"):
        default_handlers.request("x", inline=True, requires="chat.change_room")(lambda: None)
