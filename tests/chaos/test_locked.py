"""Another process holds the database's lock: the site goes on reading, and says of each write that it is busy."""

import asyncio
import json
import re
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from websockets.asyncio.client import connect

from tests.gotalk_client import Client, Failed
from tests.server import Server

pytestmark = pytest.mark.long

SECONDS = 30.0
"""For which the lock is held."""
WITHIN = 25.0
"""Seconds in which a write is answered: twice what the server waits for, on a machine that does much else."""
ROOM = "team"
LIST_ROOMS, ENTER, SEND, ERROR = 112, 113, 115, 199
PASSWORD = "a long enough phrase 42"

MAKE = f"""
from chat.models import Membership, Room, Token, User
from chat.services.tokens import make_token
room = Room.objects.create(name={ROOM!r}, kind="private")
user = User.objects.create_user("alice", name="Alice", password={PASSWORD!r})
Membership.objects.create(room=room, user=user, role="owner")
print(make_token(Token(user=user, name="robot", scopes=["read", "post", "rpc"])))
"""

HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(server):
    """A process of its own holds the lock."""
    command = (sys.executable, "-c", HOLD, str(server.data / "hubtalk.sqlite3"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.stdin.close()


@pytest.fixture
def site(tmp_path):
    server = Server(tmp_path / "data", environment={"RATE_LIMITS": "off"})
    server.token = server.manage("shell", "-v", "0", "-c", MAKE).splitlines()[-1]
    with server:
        yield server


class Person:
    """One who is at every door: what they write there and read there, each time over a connection of its own."""

    def __init__(self, site):
        self._site = site
        self._bearer = {"Authorization": f"Bearer {site.token}"}
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))
        self.writes = {
            "gotalk": self._write_by_gotalk,
            "text": self._write_by_text,
            "push": self._write_by_push,
            "http": self._write_by_http,
            "form": self._write_by_form,
            "visit": self._visit,
            "log-in": self._log_in_anew,
        }
        """From a text to what became of it: `done` or the code of the refusal."""
        self.reads = {
            "gotalk": self._read_by_gotalk,
            "text": self._read_by_text,
            "push": self._read_by_push,
            "http": self._read_by_http,
            "pages": self._read_pages,
        }

    def gotalk(self):
        return Client(self._site.websocket_url, bearer=self._site.token)

    def _socket(self, path):
        return connect(self._site.websocket_url + path, additional_headers=self._bearer, max_size=None)

    # --- gotalk --------------------------------------------------------------------------------------------

    async def _write_by_gotalk(self, body):
        async with self.gotalk() as client:
            try:
                await client.request("send-message", {"room": ROOM, "message": {"body": body}})
            except Failed as failed:
                return failed.code
        return "done"

    async def _read_by_gotalk(self):
        async with self.gotalk() as client:
            await client.request("list-members", {"room": ROOM})
            assert await client.history(ROOM)

    # --- lines of text -------------------------------------------------------------------------------------

    async def _write_by_text(self, body):
        async with self._socket(f"/ws/{ROOM}?format=json") as socket:
            await socket.send(json.dumps({"body": body}))
            async for frame in socket:
                for line in frame.split("\n"):
                    said = json.loads(line.removeprefix("! "))
                    if "error" in said:
                        return said["code"]
                    if said.get("body") == body:
                        return "done"

    async def _read_by_text(self):
        async with self._socket(f"/ws/{ROOM}?format=json&since=0") as socket:
            assert "body" in await socket.recv()

    # --- push ----------------------------------------------------------------------------------------------

    async def _ask(self, opcode, payload):
        async with self._socket("/push") as socket:
            await socket.send(struct.pack(">I", opcode) + json.dumps(payload).encode())
            async for frame in socket:
                (heard,) = struct.unpack(">I", frame[:4])
                if heard in (opcode, ERROR):
                    return heard, json.loads(frame[4:])

    async def _write_by_push(self, body):
        heard, answer = await self._ask(SEND, {"room": ROOM, "body": body})
        return answer["code"] if heard == ERROR else "done"

    async def _read_by_push(self):
        for opcode, payload in ((LIST_ROOMS, None), (ENTER, {"room": ROOM, "since": 0})):
            assert (await self._ask(opcode, payload))[0] == opcode

    # --- HTTP ----------------------------------------------------------------------------------------------

    async def _write_by_http(self, body):
        headers = {**self._bearer, "Content-Type": "application/json"}
        address = f"{self._site.url}/api/rooms/{ROOM}/messages"
        asked = Request(address, data=json.dumps({"body": body}).encode(), headers=headers)
        status, answer = await asyncio.to_thread(open_page, self._browser, asked)
        return "done" if status == HTTPStatus.CREATED else json.loads(answer)["code"]

    async def _read_by_http(self):
        asked = Request(f"{self._site.url}/api/rooms/{ROOM}/messages", headers=self._bearer)
        status, answer = await asyncio.to_thread(open_page, self._browser, asked)
        assert status == HTTPStatus.OK and json.loads(answer)["messages"]

    # --- pages and forms -----------------------------------------------------------------------------------

    async def log_in(self):
        fields = {"username": "alice", "password": PASSWORD}
        await asyncio.to_thread(send_form, self._browser, self._site.url + "/accounts/login/", **fields)

    async def _write_by_form(self, body):
        """A token is made, as nothing is posted by a form."""
        fields = {"name": body, "scopes": "read", "expires": "30"}
        status, page = await asyncio.to_thread(send_form, self._browser, self._site.url + "/settings/", **fields)
        return outcome(status, page)

    async def _visit(self, body):
        """A guest who comes for the first time gets a session."""
        return outcome(*await asyncio.to_thread(open_page, build_opener(), self._site.url))

    async def _log_in_anew(self, body):
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        fields = {"username": "alice", "password": PASSWORD}
        return outcome(*await asyncio.to_thread(send_form, browser, self._site.url + "/accounts/login/", **fields))

    async def _read_pages(self):
        for path in ("/", "/settings/"):
            status, _ = await asyncio.to_thread(open_page, self._browser, self._site.url + path)
            assert status == HTTPStatus.OK


def send_form(browser, address, **fields):
    """Status and text of the page that answers a form."""
    _, page = open_page(browser, address)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    return open_page(browser, address, urlencode({"csrfmiddlewaretoken": token, **fields}).encode())


def open_page(browser, asked, data=None):
    try:
        with browser.open(asked, data, timeout=WITHIN) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def outcome(status, page):
    return {HTTPStatus.OK: "done", HTTPStatus.SERVICE_UNAVAILABLE: "busy"}.get(status, (status, page))


async def outcomes(person, bodies):
    """Of a write at each door at once."""
    async with asyncio.timeout(WITHIN):
        writing = [write(f"{bodies} at {door}") for door, write in person.writes.items()]
        return dict(zip(person.writes, await asyncio.gather(*writing), strict=True))


def test_locked_database(site):
    """At every door reads go on and writes are busy, soon; without the lock all is well, and nothing is lost."""

    async def scenario():
        person = Person(site)
        await person.log_in()
        every = dict.fromkeys(person.writes, "done")
        assert await outcomes(person, "before") == every
        with locked(site):
            end = time.monotonic() + SECONDS
            busy = 0
            while time.monotonic() < end:
                writing = asyncio.create_task(outcomes(person, f"busy {busy}"))
                while not writing.done():
                    for read in person.reads.values():
                        async with asyncio.timeout(WITHIN):
                            await read()
                    await asyncio.wait([writing], timeout=0.1)
                assert await writing == dict.fromkeys(person.writes, "busy")
                busy += 1
            assert busy > 1
        assert await outcomes(person, "after") == every
        async with person.gotalk() as client:
            posted = [message["body"] for message in await client.history(ROOM)]
        doors = ("gotalk", "text", "push", "http")
        assert sorted(posted) == sorted(f"{when} at {door}" for when in ("before", "after") for door in doors)

    asyncio.run(scenario())
    print(*site.output, sep="\n")
    assert [line for line in site.output if line.startswith(" ")] == []
    assert sum("WARNING" in line or "ERROR" in line for line in site.output) < 2 * SECONDS
