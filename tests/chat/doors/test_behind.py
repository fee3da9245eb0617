"""A client whose line is slower than its rooms: it misses nothing that can be told later, and is not cut off."""

import asyncio
import json
import re
import socket
import struct
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from websockets.asyncio.client import connect

from rpc import Limits
from tests.chat.doors.conftest import room_path
from tests.deadlines import DEADLINE
from tests.gotalk_client import Client
from tests.server import visitor_cookie

BODY = "x" * 15_000
POSTS = 300
"""Far more than the server keeps for one client, and the kernel for one socket."""


@pytest.fixture
def room(site):
    """A public room of the test's own."""

    async def make():
        async with Client(site.websocket_url) as client:
            return await client.request("create-room", f"room {uuid4().hex}")

    return asyncio.run(make())["name"]


@asynccontextmanager
async def busy(site, path, cookie=None):
    """A socket at a door whose client reads only when the test does: little waits in its kernel."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", site.port))
    headers = {"Cookie": cookie, "Origin": site.url} if cookie else {}
    async with connect(
        site.websocket_url + path, sock=narrow, max_queue=1, max_size=None, additional_headers=headers
    ) as reading:
        yield reading


async def hears(socket):
    return await asyncio.wait_for(socket.recv(), DEADLINE)


async def talk(site, room, number=POSTS):
    """Post more than a client that does not read may be owed, all of it while nobody reads."""
    assert number * len(BODY) > 4 * Limits().max_outbox_bytes
    async with Client(site.websocket_url) as author:
        for start in range(0, number, 25):
            posts = [{"room": room, "message": {"body": f"{number} {BODY}"}} for number in range(start, start + 25)]
            await asyncio.gather(*(author.request("send-message", post) for post in posts))


@pytest.mark.parametrize("query", ["", "?since=0"])
def test_text_client_hears_every_line_in_the_end(site, room, query):
    """In order, each once, and then what is new."""

    async def scenario():
        async with busy(site, room_path(room) + query) as line:
            await line.send("hello")
            assert await hears(line) == "hello"
            await talk(site, room)
            await line.send("and then")
            heard = []
            while heard[-1:] != ["and then"]:
                heard += (await hears(line)).split("\n")
        numbers = [int(each.split()[0]) for each in heard[:-1]]
        assert sorted(numbers) == list(range(POSTS))

    asyncio.run(scenario())


def test_push_client_hears_every_message_in_the_end(site, room):
    """Of each room that it entered, in the order of their versions."""

    async def scenario():
        async with busy(site, "/push", visitor_cookie(site)) as app:
            await app.send(struct.pack(">I", 113) + room.encode())
            assert struct.unpack(">I", (await hears(app))[:4]) == (113,)
            await talk(site, room)
            versions = []
            while len(versions) < POSTS:
                frame = await hears(app)
                if frame[:4] == struct.pack(">I", 116):
                    versions.append(json.loads(frame[4:])["message"]["version"])
        assert versions == list(range(versions[0], versions[0] + POSTS))

    asyncio.run(scenario())


def test_gotalk_client_is_told_to_sync(site, room):
    """It gets `missed`, its name and the list of rooms, by whose versions it finds out what to ask for."""

    async def scenario():
        async with busy(site, "/gotalk/") as peer:
            await peer.send(b"01")
            await talk(site, room)
            heard = b""
            while b"n006missed" not in heard:
                heard += as_bytes(await hears(peer))
            shown = [int(number) for number in re.findall(rb'"body":"(\d+) x', heard)]
            assert len(shown) < POSTS
            _, _, after = heard.partition(b"n006missed00000004")
            while not re.search(rb"n005rooms.*\}$", after, re.DOTALL):
                after += as_bytes(await hears(peer))
            assert re.match(rb"nulln008username", after)
            params = json.dumps({"rooms": {room: len(shown)}}).encode()
            await peer.send(b"r0001004sync%08x" % len(params))
            await peer.send(params)
            synced = b""
            while b'"more":' not in synced:
                synced += as_bytes(await hears(peer))
            assert re.search(rb'"version":%d,' % (len(shown) + 1), synced)

    asyncio.run(scenario())


def as_bytes(message):
    return message.encode() if isinstance(message, str) else message
