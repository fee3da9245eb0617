"""
A chat that runs in the test's own process, and the people in it.

Async tests run on a loop of their own. With the fixture `chat` the runtime, its writer thread and its hub are
those of a serving process; sockets are pairs of `rpc.transports.memory.memory_pair`.
"""

import asyncio
import inspect
import itertools
from collections import defaultdict
from uuid import uuid4

import msgspec
import pytest
from channels.layers import channel_layers
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client as Browser

from chat.models import Membership, Reaction, Room, SiteSettings, User
from chat.queries.guests import GUEST_NAME
from chat.queries.identity import open_session
from chat.realtime import runtime
from chat.services import memberships
from chat.services.acts.record import Actor, acting
from chat.services.posts import NewPost, store_posts
from rpc import Handlers, Peer, RequestFailed, RetryLater, default_handlers
from rpc.transports.memory import memory_pair
from tests.deadlines import DEADLINE

ADDRESS = "192.0.2.7"
FAST = 0.005
"""Seconds of gathering, instead of those that are good for a busy site."""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run coroutine functions, and within their loop the chat that they ask for."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run():
        async with asyncio.timeout(3 * DEADLINE):
            if "chat" in arguments:
                async with arguments["chat"]:
                    await pyfuncitem.obj(**arguments)
            else:
                await pyfuncitem.obj(**arguments)

    asyncio.run(run())
    return True


class Page:
    """One socket of a person: asks, and keeps every notification it hears."""

    def __init__(self, served, transport):
        self.heard = defaultdict(list)
        """Values by name of notification, in order of arrival."""
        self.closed = None
        """Code and text, once the connection has ended."""
        self._read_to = defaultdict(int)
        self._changed = asyncio.Condition()
        self._begun = asyncio.Event()
        self._transport = transport
        self._served = asyncio.create_task(served)
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        handlers = Handlers()

        @handlers.notification("")
        async def note(name: str, payload: bytes) -> None:
            async with self._changed:
                self.heard[name].append(msgspec.json.decode(payload))
                self._changed.notify_all()

        async with Peer(handlers, self._transport) as self.peer:
            await self.peer.open()
            self._begun.set()
            await self.peer.read(self._transport)
        async with self._changed:
            self.closed = self._transport.closed
            self._changed.notify_all()

    async def ask(self, operation, params=None):
        await self._begun.wait()
        return await self.peer.request(operation, params, timeout=DEADLINE, retries=0)

    async def refusal(self, operation, params=None):
        """Ask for what is refused; returns the code of the refusal."""
        with pytest.raises((RequestFailed, RetryLater)) as refused:
            await self.ask(operation, params)
        return refused.value.code

    async def hears(self, name, matches=lambda value: True):
        """The next notification of this name that matches; those before it count as heard too."""

        def found():
            for value in self.heard[name][self._read_to[name] :]:
                self._read_to[name] += 1
                if matches(value):
                    return [value]
            return self.closed

        async with asyncio.timeout(DEADLINE), self._changed:
            values = await self._changed.wait_for(found)
        assert isinstance(values, list), f"closed with {values} before {name}"
        return values[0]

    async def is_closed(self):
        """Wait for the end of the connection; returns its close code."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: self.closed)
        return self.closed[0]

    async def close(self):
        self._transport.close(4000, "the test closes it")
        await asyncio.gather(self._served, self._reader)

    async def post(self, room, body, **more):
        return await self.ask("send-message", {"room": room, "message": {"body": body, **more}})


class Chat:
    """The runtime of this process; enter it within the test's loop."""

    async def __aenter__(self):
        self.runtime = await runtime.start()
        self._pages = []
        self._announced = asyncio.Event()
        self.runtime.hub.listen(lambda event: self._announced.set())
        return self

    async def __aexit__(self, *_):
        for page in self._pages:
            await page.close()
        await runtime.drain()

    async def open(self, user=None, **how):
        """Connect a person, or a visitor (of a session, if given), and wait until they have a name."""
        page = await self.dial(user, **how)
        await page.hears("username")
        return page

    async def dial(self, user=None, *, session=None, bearer=None, kind="websocket", address="192.0.2.1"):
        """Connect with a session or a token, and leave open what becomes of it."""
        if user is not None:
            session = await self.elsewhere(session_of, user)
        cookies = {django_settings.SESSION_COOKIE_NAME: session} if session is not None else {}
        headers = [(b"authorization", f"Bearer {bearer}".encode())] if bearer is not None else []
        near, far = memory_pair()
        scope = {"type": kind, "headers": headers, "cookies": cookies, "client": (address, 4711)}
        page = Page(serve(near, scope), far)
        self._pages.append(page)
        return page

    async def counts(self, user, connections=1):
        """Wait until so many connections of an account are known to presence, which gathers before it writes."""
        async with asyncio.timeout(DEADLINE):
            while await self.runtime.writer.run(user.connections.count) < connections:
                await asyncio.sleep(0)
            while f"u{user.pk}" not in self.runtime.presence.online:
                self._announced.clear()
                await self._announced.wait()

    async def elsewhere(self, function, *args, **kwargs):
        """Call a service or a query in another thread, as the admin does."""

        def call():
            try:
                return function(*args, **kwargs)
            finally:
                connection.close()

        return await asyncio.to_thread(call)


async def serve(transport, scope):
    async with Peer(default_handlers, transport, scope=scope) as peer:
        await peer.open()
        await peer.read(transport)


def session_of(user):
    browser = Browser()
    browser.force_login(user)
    return browser.session.session_key


@pytest.fixture
def chat(transactional_db, monkeypatch, settings):
    """A site that lets visitors in; rooms and people are those that the test asks for."""
    for module in ("presence", "refresh"):
        monkeypatch.setattr(f"chat.realtime.{module}.GATHER_SECONDS", FAST)
    settings.RATE_LIMITS = False
    # A layer's queues belong to the loop that used them.
    channel_layers.backends = {}
    SiteSettings.objects.update_or_create(pk=1, defaults={"guests_allowed": True})
    return Chat()


@pytest.fixture
def alice(transactional_db):
    return User.objects.create_user("alice", name="Alice")


@pytest.fixture
def bob(transactional_db):
    return User.objects.create_user("bob", name="Bob")


@pytest.fixture
def mallory(transactional_db):
    """Belongs to nothing."""
    return User.objects.create_user("mallory", name="Mallory")


@pytest.fixture
def hall(transactional_db):
    """A public room."""
    return Room.objects.create(name="hall")


@pytest.fixture
def cellar(alice, bob):
    """A private room: alice owns it, bob is a member."""
    room = Room.objects.create(name="cellar", kind=Room.Kind.PRIVATE, created_by=alice)
    Membership.objects.create(room=room, user=alice, role=Membership.Role.OWNER)
    Membership.objects.create(room=room, user=bob)
    return room


@pytest.fixture
def visitor_session(transactional_db):
    """The session of a visitor whose browser opened the page; their name is Vera."""
    session = open_session(None)
    session[GUEST_NAME] = "Vera"
    session.save()
    return session.session_key


@pytest.fixture
def by():
    """Lets somebody act, as a request to the admin would."""

    def by(person, reason="", door="admin"):
        actor = Actor(person.pk, ADDRESS, door, uuid4(), reason)
        return acting(lambda: actor)

    return by


@pytest.fixture
def say():
    """Stores a post."""
    numbers = itertools.count(1)

    def say(room, author, body=None):
        body = body or f"line {next(numbers)}"
        post = NewPost(room.pk, room.name, author.pk, author.name, False, False, body, uuid4(), "web")
        return store_posts([post])[0].message

    return say


@pytest.fixture
def owner(transactional_db):
    return User.objects.create_superuser("root", name="Root")


@pytest.fixture
def people(alice, bob, mallory):
    return [alice, bob, mallory]


@pytest.fixture
def spoken(hall, cellar, people, say):
    """Both rooms with some posts, reactions and read markers."""
    for room in (hall, cellar):
        for number in range(4):
            message = say(room, people[number % 2])
        Reaction.objects.create(message_id=message.id, user=people[0], emoji="👍")
        memberships.save_read_markers({(room.pk, people[1].pk): (2, 2)})
    return [hall, cellar]
