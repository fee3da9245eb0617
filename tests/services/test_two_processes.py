"""Two processes over one PostgreSQL and one Redis are one site."""

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect

from tests.deadlines import DEADLINE
from tests.gotalk_client import Client, Failed
from tests.server import visitor_cookie

pytestmark = pytest.mark.services


def has(name, matches=lambda value: True):
    return lambda seen: any(kind == name and matches(value) for kind, value in seen)


async def ready(*clients):
    for client in clients:
        await client.wait_for(has("username"))


def test_what_happens_in_one_process_is_seen_through_the_other(two_servers):
    """Posts, edits, rooms and presence cross between processes."""
    one, other = two_servers

    async def scenario():
        async with Client(one.websocket_url) as alice, Client(other.websocket_url) as bob:
            await ready(alice, bob)
            await bob.request("list-members", "animals")
            receipt = await alice.request("send-message", {"room": "animals", "message": {"body": "across"}})
            await bob.wait_for(has("newmsg", lambda value: value["message"]["id"] == receipt["id"]))
            edit = {"room": "animals", "seq": receipt["seq"], "body": "across, corrected"}
            await alice.request("edit-message", edit)
            await bob.wait_for(has("changed", lambda value: value["messages"][0]["body"] == edit["body"]))
            await alice.request("create-room", "made by alice")
            await bob.wait_for(has("rooms", lambda rooms: "made by alice" in rooms))
            author = (await alice.request("whoami"))["key"]
            await bob.wait_for(has("presence", lambda value: author in {each["key"] for each in value["joined"]}))
        async with Client(other.websocket_url) as bob:
            await ready(bob)
            async with Client(one.websocket_url) as carol:
                await ready(carol)
                key = (await carol.request("whoami"))["key"]
                await bob.request("list-members", "animals")
                await bob.wait_for(has("presence", lambda value: key in {each["key"] for each in value["joined"]}))
            await bob.wait_for(has("presence", lambda value: key in value["left"]))

    asyncio.run(scenario())


def test_same_post_through_both_processes_at_once_is_one(two_servers):
    """The same client id of the same author is one message, wherever and however often it comes in."""
    one, other = two_servers
    cookie = visitor_cookie(one)

    async def scenario():
        async with Client(one.websocket_url, cookie=cookie) as here:
            await ready(here)
            await here.request("send-message", {"room": "jokes", "message": {"body": "now I have an account"}})
            async with Client(other.websocket_url, cookie=cookie) as there:
                await ready(there)
                for number in range(20):
                    message = {"body": f"once {number}", "client_id": str(uuid4())}
                    post = {"room": "jokes", "message": message}
                    first, second = await asyncio.gather(
                        here.request("send-message", post), there.request("send-message", post)
                    )
                    assert first == second
                stored = await here.request("list-messages", "jokes")
        return [message["body"] for message in stored if message["body"].startswith("once")]

    assert asyncio.run(scenario()) == [f"once {number}" for number in range(20)]


def test_posts_through_both_processes_have_one_order(two_servers):
    """Versions are taken in the database: nothing is doubled, missing or seen in another order."""
    one, other = two_servers

    async def scenario():
        async with Client(one.websocket_url) as alice, Client(other.websocket_url) as bob:
            await ready(alice, bob)
            posts = [
                client.request("send-message", {"room": "golang", "message": {"body": f"{name} {number}"}})
                for number in range(50)
                for client, name in ((alice, "alice"), (bob, "bob"))
            ]
            await asyncio.gather(*posts)
            seen = []
            for client in (alice, bob):
                known, messages = 0, []
                more = True
                while more:
                    page = (await client.request("sync", {"rooms": {"golang": known}}))["rooms"]["golang"]
                    known, more = page["version"], page["more"]
                    messages += page["messages"]
                seen.append([message["id"] for message in messages])
                assert [message["number"] for message in messages] == list(range(1, 102))
            assert seen[0] == seen[1]

    asyncio.run(scenario())


def test_redis_that_restarts_loses_nothing(two_servers, redis):
    """While it is away posts are stored and answered; who asks by version afterwards has them all."""
    one, other = two_servers

    async def scenario():
        async with Client(one.websocket_url) as alice, Client(other.websocket_url) as bob:
            await ready(alice, bob)
            known = (await bob.request("sync", {"rooms": {"animals": 0}}))["rooms"]["animals"]["version"]
            await asyncio.to_thread(redis.stop)
            away = await alice.request("send-message", {"room": "animals", "message": {"body": "while away"}})
            await asyncio.to_thread(redis.start)
            missed = (await bob.request("sync", {"rooms": {"animals": known}}))["rooms"]["animals"]["messages"]
            assert [message["id"] for message in missed] == [away["id"]]
            # Told by itself as well: after the gap everyone gets the list of rooms with its versions.
            await bob.wait_for(has("rooms", lambda rooms: rooms["animals"]["version"] >= away["version"]))
            back = await alice.request("send-message", {"room": "animals", "message": {"body": "back"}})
            await bob.wait_for(has("newmsg", lambda value: value["message"]["id"] == back["id"]))

    asyncio.run(scenario())


def test_push_reaches_a_person_in_every_process(two_servers):
    """So do a command's push and a contact request, whichever process the sockets are in."""
    one, other = two_servers
    script = (
        "from chat.models import *; from chat.services.tokens import make_token;"
        "print(*[make_token(Token(user=User.objects.create_user(name), name='t', scopes=['read', 'post']))"
        " for name in ('ann', 'ben')])"
    )
    ann, ben = one.manage("shell", "-c", script).splitlines()[-1].split()

    def push_door(server, secret):
        return connect(f"{server.websocket_url}/push", additional_headers={"Authorization": f"Bearer {secret}"})

    async def scenario():
        async with push_door(one, ann) as hers, push_door(one, ben) as here, push_door(other, ben) as there:
            for socket in (hers, here, there):
                await socket.send(b"\x00\x00\x00\x64")
                await socket.recv()
            await hers.send(b"\x00\x00\x00\x6eben")
            for socket in (here, there):
                assert (await socket.recv()).startswith(b"\x00\x00\x00\x75")
            while await asyncio.to_thread(other.manage, "push", "ben", "1000", "1") != "sent to 2\n":
                """The list of connections follows within a second."""
            for socket in (here, there):
                assert await socket.recv() == b"\x00\x00\x03\xe81"

    asyncio.run(asyncio.wait_for(scenario(), 60))


PEOPLE = ("banned", "muted", "switched_off", "logged_out", "revoked", "renamed")
MAKE_PEOPLE = f"""
from django.test import Client as Browser
from chat.models import *
from chat.services.tokens import make_token
for name in {PEOPLE}:
    user = User.objects.create_user(name)
    browser = Browser()
    browser.force_login(user)
    token = make_token(Token(user=user, name="t", scopes=["read", "post", "rpc"]))
    print("person", name, browser.session.session_key, token)
"""
DECIDE = """
from django.contrib.sessions.models import Session
from chat.models import *
from chat.services import accounts, moderation, tokens
from chat.services.announcing import publish_through
# As a process whose word is lost.
publish_through(lambda event: False)
key = {user.username: user.pk for user in User.objects.all()}
moderation.impose(key["banned"], "ban", room_id=None, by=None)
moderation.impose(key["muted"], "mute", room_id=None, by=None)
accounts.set_active(key["switched_off"], False)
Session.objects.filter(pk="%s").delete()
tokens.revoke(Token.objects.get(user=key["revoked"]))
accounts.rename(key["renamed"], "Renamed")
"""


def test_decisions_of_a_gap_hold_in_every_process(two_servers, redis):
    """
    While Redis is away people are banned, muted, switched off, logged out, and a token is revoked: once it is back,
    all of that holds on the sockets that stayed open.
    """
    one, other = two_servers
    lines = [line.split() for line in one.manage("shell", "-c", MAKE_PEOPLE).splitlines()]
    people = {line[1]: line[2:] for line in lines if line[:1] == ["person"]}

    async def scenario():
        async with AsyncExitStack() as stack:
            clients = {}
            for name, (session, token) in people.items():
                how = {"bearer": token} if name == "revoked" else {"cookie": f"hubtalk={session}"}
                clients[name] = await stack.enter_async_context(Client(other.websocket_url, **how))
            await ready(*clients.values())
            await asyncio.to_thread(redis.stop)
            await asyncio.to_thread(one.manage, "shell", "-c", DECIDE % people["logged_out"][0])
            await asyncio.to_thread(redis.start)
            for name, code in (("banned", 4403), ("switched_off", 4403), ("logged_out", 4401), ("revoked", 4401)):
                async with asyncio.timeout(DEADLINE):
                    await clients[name].socket.wait_closed()
                assert clients[name].socket.close_code == code, name
            await clients["renamed"].wait_for(has("username", lambda name: name == "Renamed"))
            with pytest.raises(Failed) as refused:
                await clients["muted"].request("send-message", {"room": "animals", "message": {"body": "on"}})
            assert refused.value.code == "muted"

    asyncio.run(scenario())


BAN = """
from chat.models import *
from chat.services import moderation
moderation.impose(%d, "ban", room_id=None, by=None)
"""
LIFT = """
from chat.models import *
from chat.services import moderation
moderation.lift(Sanction.objects.get())
"""


def test_ban_of_a_guest_holds_for_their_address_in_every_process(two_proxied_servers):
    """Who is there through the other one is closed, who comes back is refused, until it is lifted."""
    one, other = two_proxied_servers
    hello = {"room": "animals", "message": {"body": "hello"}}

    async def scenario():
        here, same, there = "2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7"
        url = other.websocket_url
        async with (
            Client(one.websocket_url, address=here) as guest,
            Client(url, address=same) as neighbour,
            Client(url, address=there) as stranger,
        ):
            await ready(guest, neighbour, stranger)
            await guest.request("send-message", hello)
            key = (await guest.request("whoami"))["id"]
            await asyncio.to_thread(one.manage, "shell", "-c", BAN % key)
            for client, code in ((guest, 4403), (neighbour, 4401)):
                async with asyncio.timeout(DEADLINE):
                    await client.socket.wait_closed()
                assert client.socket.close_code == code
            async with Client(url, address=same) as back:
                with pytest.raises(Failed) as refused:
                    await back.request("send-message", hello)
                assert refused.value.code == "log_in"
            await stranger.request("send-message", hello)
            await asyncio.to_thread(one.manage, "shell", "-c", LIFT)
            while True:
                async with asyncio.timeout(DEADLINE), Client(url, address=same) as back:
                    try:
                        await back.request("send-message", hello)
                    except Failed as failed:
                        assert failed.code == "log_in"
                    else:
                        return

    asyncio.run(scenario())
