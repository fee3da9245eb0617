"""A chat that runs in the test's own process, and sockets of its doors; or a real site for a file of tests."""

import asyncio
from urllib.parse import quote

import pytest
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.conf import settings as django_settings
from django.urls import re_path

from chat.doors.echo import EchoDoor
from chat.doors.push.consumer import PushDoor
from chat.doors.text.consumer import TextDoor
from chat.models import Token
from chat.queries.tokens import SCOPES
from chat.services.tokens import make_token
from tests.chat.conftest import DEADLINE, session_of
from tests.server import Server

DOORS = CookieMiddleware(
    URLRouter(
        [
            re_path(r"^ws$", TextDoor.as_asgi()),
            re_path(r"^ws/(?P<room>.+)$", TextDoor.as_asgi()),
            re_path(r"^push$", PushDoor.as_asgi()),
            re_path(r"^echo$", EchoDoor.as_asgi()),
        ]
    )
)


class DoorClient:
    """A client of a door, without a network: what an ASGI server would be."""

    def __init__(self, path, headers=(), address="192.0.2.1"):
        path, _, query = path.partition("?")
        self._scope = {
            "type": "websocket",
            "path": path,
            "query_string": query.encode(),
            "headers": list(headers),
            "client": (address, 4711),
        }
        self._inbox = asyncio.Queue()
        self._outbox = asyncio.Queue()
        self._accepted = asyncio.Event()
        self.closed = None
        """Code and reason, once the door has closed."""
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._served = asyncio.create_task(DOORS(self._scope, self._inbox.get, self._take))

    async def _take(self, event):
        if event["type"] == "websocket.close":
            self.closed = event["code"], event.get("reason", "")
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": event["code"]})
        if event["type"] == "websocket.accept":
            self._accepted.set()
        else:
            self._outbox.put_nowait(event)

    def say(self, message):
        kind = "text" if isinstance(message, str) else "bytes"
        self._inbox.put_nowait({"type": "websocket.receive", kind: message})

    async def event(self):
        """What the door does next."""
        async with asyncio.timeout(DEADLINE):
            return await self._outbox.get()

    async def hears(self):
        """The next message."""
        event = await self.event()
        assert event["type"] == "websocket.send", event
        text = event.get("text")
        return event["bytes"].decode("latin-1") if text is None else text

    async def is_closed(self):
        """Wait until the door closes, whatever it says before; returns the close code."""
        async with asyncio.timeout(DEADLINE):
            while (await self._outbox.get())["type"] != "websocket.close":
                pass
        assert self.closed is not None
        return self.closed[0]

    async def is_in(self):
        """Wait until it hears its room: the text door accepts it then."""
        async with asyncio.timeout(DEADLINE):
            await self._accepted.wait()
        return self

    async def close(self):
        """Leave, as a client does that closes."""
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(DEADLINE):
            await self._served


@pytest.fixture
def dial(chat):
    """Opens a socket of a door as a visitor, with a person's session, or with a token."""

    async def dial(path, user=None, *, bearer=None, session=None, address="192.0.2.1"):
        if user is not None:
            session = await chat.elsewhere(session_of, user)
        headers = []
        if session is not None:
            headers.append((b"cookie", f"{django_settings.SESSION_COOKIE_NAME}={session}".encode()))
        if bearer is not None:
            headers.append((b"authorization", f"Bearer {bearer}".encode()))
        client = DoorClient(path, headers, address)
        chat._pages.append(client)  # closed with the chat
        return client

    return dial


@pytest.fixture
def impatient(monkeypatch):
    """The doors do not wait long for who has to log in."""
    for door in ("gotalk.login", "push.consumer"):
        monkeypatch.setattr(f"chat.doors.{door}.LOGIN_TIMEOUT", 0.05)


@pytest.fixture
def token(transactional_db):
    """Makes a token of a person; returns it and its secret."""

    def make(user, scopes=SCOPES):
        token = Token(user=user, name="robot", scopes=list(scopes))
        return token, make_token(token)

    return make


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One real site for the tests of a file; each takes a room of its own."""
    with Server(tmp_path_factory.mktemp("site") / "data", environment={"RATE_LIMITS": "off"}) as server:
        yield server


def room_path(name):
    return "/ws/" + quote(name, safe="")
