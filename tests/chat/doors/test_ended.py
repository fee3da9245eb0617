"""What is open ends with the right by which it was opened."""

from datetime import timedelta

import pytest
from django.contrib.auth import login
from django.contrib.sessions.models import Session
from django.test import RequestFactory
from django.utils import timezone

from chat.models import Sanction
from chat.queries.identity import open_session
from chat.services.moderation import impose
from chat.web.signals import moving_session
from tests.chat.conftest import session_of

PATHS = ["gotalk", "/ws/hall", "/push"]


@pytest.fixture
def connect(chat, dial):
    """Opens a socket of a door with a session, and waits until it is served."""

    async def connect(path, session):
        if path == "gotalk":
            return await chat.open(session=session)
        line = await dial(path, session=session)
        if path == "/push":
            line.say(b"\x00\x00\x00\x64")
            await line.hears()
            return line
        return await line.is_in()

    return connect


@pytest.mark.parametrize("path", PATHS)
async def test_deleted_session_closes_its_sockets(chat, connect, alice, hall, path):
    """Whoever deletes it from the table means that it is over; another one of the same person goes on."""
    session, other = await chat.elsewhere(session_of, alice), await chat.elsewhere(session_of, alice)
    line, page = await connect(path, session), await connect("gotalk", other)
    await chat.elsewhere(Session.objects.filter(pk=session).delete)
    assert await line.is_closed() == 4401
    assert (await page.ask("whoami"))["name"] == "Alice"


async def test_session_that_moved_lets_its_sockets_come_back(chat, connect, alice, hall):
    """Whoever logs in or signs up in one tab has another session in all of them: 1000 asks them to come back."""
    session = await chat.elsewhere(session_of, alice)
    page = await connect("gotalk", session)

    def log_in_again():
        request = RequestFactory().post("/")
        request.session = open_session(session)
        with moving_session():
            login(request, alice, backend="django.contrib.auth.backends.ModelBackend")
            request.session.cycle_key()

    await chat.elsewhere(log_in_again)
    assert await page.is_closed() == 1000


@pytest.mark.parametrize("how", ["expired", "deleted without a word"])
@pytest.mark.parametrize("path", PATHS)
async def test_session_that_is_over_closes_its_sockets(chat, connect, alice, hall, path, how):
    """Nothing announces it: all are looked at from time to time."""
    session = await chat.elsewhere(session_of, alice)
    line = await connect(path, session)

    def end():
        if how == "expired":
            Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
        else:
            Session.objects.all()._raw_delete("default")

    await chat.elsewhere(end)
    await chat.runtime.refresh._close_ended()
    assert await line.is_closed() == 4401


async def test_visitor_who_logs_in_is_no_guest_any_more(chat, visitor_session):
    """Their session got another key: what the former one opened is closed."""
    page = await chat.open(session=visitor_session)
    await chat.elsewhere(open_session(visitor_session).cycle_key)
    assert await page.is_closed() == 4401


async def mute(chat, page, user):
    await chat.elsewhere(impose, user.pk, Sanction.Kind.MUTE, room_id=None, by=None)
    await page.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("set-name", "buy at example"),
        ("open-direct", "Bob"),
        ("create-room", "soapbox"),
        ("create-room", {"name": "soapbox", "kind": "private"}),
        ("set-topic", {"room": "hall", "topic": "buy at example"}),
        ("invite", {"room": "hall", "name": "Bob"}),
        ("add-contact", "Bob"),
    ],
)
async def test_muted_person_says_nothing_in_another_way(chat, alice, bob, hall, operation, params):
    """By a name, a room, a topic, a request."""
    await chat.elsewhere(hall.memberships.create, user=alice, role="owner")
    page = await chat.open(alice)
    await mute(chat, page, alice)
    assert await page.refusal(operation, params) in ("muted", "not_allowed")
    assert (await page.ask("whoami"))["name"] == "Alice"


@pytest.mark.parametrize("kind", ["websocket", "gotalk"])
async def test_token_without_read_gets_no_texts_and_no_lists(chat, alice, bob, hall, token, kind):
    """It posts, and that is all; whatever happens meanwhile."""
    _, secret = await chat.elsewhere(token, alice, ("rpc", "post"))
    page, robot = await chat.open(bob), await chat.open(bearer=secret, kind=kind)
    seq = (await page.post("hall", "for those who may read"))["seq"]
    await page.ask("create-room", "tea house")
    await page.ask("set-topic", {"room": "tea house", "topic": "tea"})
    params = {"list-messages": "hall", "sync": {"rooms": {"hall": 0}}, "list-members": "hall", "info": "Bob"}
    params |= {"list-contacts": None, "react": {"room": "hall", "seq": seq, "emoji": "👍"}, "whoami": None}
    for operation, value in params.items():
        assert await robot.refusal(operation, value) == "not_allowed", operation
    await robot.post("hall", "from a robot")
    await page.hears("newmsg", lambda value: value["message"]["body"] == "from a robot")
    await robot.ask("echo", "what came before is read")
    assert set(robot.heard) == {"username"}
