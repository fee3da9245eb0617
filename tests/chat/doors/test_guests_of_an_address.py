"""What was decided of a guest holds for the guests of their address: to come back as another one does not help."""

import asyncio
import json
import struct
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.test import AsyncClient
from django.utils import timezone

from chat.actions import limits
from chat.models import Act, GuestAddress, Room, Sanction, SanctionedAddress, SiteSettings, User
from chat.queries.guests import GUEST_NAME
from chat.queries.identity import open_session
from chat.queries.rates import Rate
from chat.services import memberships, moderation
from chat.services.acts.undo import take_back
from chat.services.rooms import change_room
from rpc import RequestFailed, RetryLater
from tests.chat.conftest import session_of
from tests.deadlines import DEADLINE

HOMES = [
    pytest.param("198.51.100.7", "198.51.100.7", "198.51.100.8", id="IPv4"),
    pytest.param("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7", id="IPv6"),
]
"""An address, one of the same customer, and one of the next customer."""
HERE, THERE = "2001:db8:1:2::7", "2001:db8:1:3::7"
HELLO = {"room": "hall", "message": {"body": "hello"}}
ENTER, SEND, ERROR = 113, 115, 199


@pytest.fixture
def den(transactional_db):
    return Room.objects.create(name="den")


def new_cookie(name="Nobody"):
    """As each visit of the page without one makes it."""
    session = open_session(None)
    session[GUEST_NAME] = name
    session.save()
    return session.session_key


async def guest(chat, address, room="hall"):
    """Somebody who came without a cookie and said something; returns their page and the key of their account."""
    page = await chat.open(address=address)
    await page.post(room, "hello")
    return page, (await page.ask("whoami"))["id"]


async def leave(chat, page, key, meanwhile=lambda: None):
    """Close the page of a guest when it is known to be open, and wait until it is known to be closed."""
    user = await chat.elsewhere(User.objects.get, pk=key)
    await chat.counts(user)
    await chat.elsewhere(meanwhile)
    await page.close()
    async with asyncio.timeout(DEADLINE):
        while await chat.elsewhere(user.connections.exists):
            await asyncio.sleep(0)


async def impose(chat, user_id, kind, room=None, **more):
    room_id = room.pk if room is not None else None
    return await decided(chat, moderation.impose, user_id, kind, room_id=room_id, by=None, **more)


async def decided(chat, decide, *args, **kwargs):
    """Decide what concerns an address, and wait until this process has heard of it."""
    async with heard_of(chat):
        return await chat.elsewhere(decide, *args, **kwargs)


@asynccontextmanager
async def heard_of(chat):
    before = chat.runtime.directory.by_network.copy()
    yield
    async with asyncio.timeout(DEADLINE):
        while chat.runtime.directory.by_network == before:
            await asyncio.sleep(0)


async def gotalk(chat, dial, address):
    """What a new guest is answered who posts."""
    page = await chat.dial(address=address)
    try:
        await page.ask("send-message", HELLO)
    except RequestFailed as refused:
        return refused.code
    return None


async def gotalk_with_new_cookie(chat, dial, address):
    page = await chat.dial(session=await chat.elsewhere(new_cookie), address=address)
    try:
        await page.ask("send-message", HELLO)
    except RequestFailed as refused:
        return refused.code
    return None


async def text(chat, dial, address):
    client = await dial("/ws/hall?format=json", address=address)
    client.say('{"body": "hello"}')
    while (event := await client.event())["type"] != "websocket.close":
        said = json.loads(event["text"].removeprefix("! "))
        if said.get("code") != "closed":
            return said.get("code")
    return event["code"]


async def push(chat, dial, address):
    client = await dial("/push", session=await chat.elsewhere(new_cookie), address=address)
    client.say(struct.pack(">I", SEND) + json.dumps({"room": "hall", "body": "hello"}).encode())
    while (event := await client.event())["type"] != "websocket.close":
        opcode, payload = struct.unpack(">I", event["bytes"][:4])[0], json.loads(event["bytes"][4:])
        if opcode == ERROR and payload["code"] != "log_in":
            return payload["code"]
        if opcode == SEND:
            return None
    return event["code"]


class Program(AsyncClient):
    """A client of the HTTP API at an address."""

    def __init__(self, address):
        super().__init__()
        self._address = address

    def _base_scope(self, **request):
        return {**super()._base_scope(**request), "client": [self._address, 4711]}


async def http(address, secret):
    """The answer to a program with a token that posts."""
    headers = {"Authorization": f"Bearer {secret}"}
    return await Program(address).post(
        "/api/rooms/hall/messages", {"body": "hello"}, content_type="application/json", headers=headers
    )


DOORS = [gotalk, gotalk_with_new_cookie, text, push]
BANNED = {gotalk: "log_in", gotalk_with_new_cookie: "log_in", text: 4401, push: 4401}
NO_SUCH_ROOM = {gotalk: "no_such_room", gotalk_with_new_cookie: "no_such_room", text: 4404, push: "no_such_room"}


@pytest.mark.parametrize(("address", "same", "next_one"), HOMES)
@pytest.mark.parametrize("door", DOORS)
async def test_ban_of_a_guest(chat, dial, hall, impatient, door, address, same, next_one):
    """It does not end with another connection, nor with another cookie; the next customer is nobody's neighbour."""
    page, key = await guest(chat, address)
    await impose(chat, key, "ban")
    assert await page.is_closed() == 4403
    assert await door(chat, dial, same) == BANNED[door]
    assert await door(chat, dial, next_one) is None


@pytest.mark.parametrize(("address", "same", "next_one"), HOMES)
@pytest.mark.parametrize("door", DOORS)
async def test_mute_of_a_guest(chat, dial, hall, den, door, address, same, next_one):
    """Another guest of the address may read, and write elsewhere if the mute is for one room."""
    _, key = await guest(chat, address)
    await impose(chat, key, "mute", hall)
    assert await door(chat, dial, same) == "muted"
    assert await door(chat, dial, next_one) is None
    elsewhere = await chat.open(address=same)
    await elsewhere.post("den", "hello")


@pytest.mark.parametrize(("address", "same", "next_one"), HOMES)
@pytest.mark.parametrize("door", DOORS)
async def test_removal_of_a_guest(chat, dial, hall, den, door, address, same, next_one):
    """For as long as the room stays closed to them it stays closed to those who come from there."""
    _, key = await guest(chat, address)
    await decided(chat, memberships.kick, hall.pk, key, by=None)
    held = await chat.elsewhere(SanctionedAddress.objects.get)
    assert held.until - timezone.now() <= memberships.KICKED_FOR
    assert await door(chat, dial, same) == NO_SUCH_ROOM[door]
    assert await door(chat, dial, next_one) is None
    elsewhere = await chat.open(address=same)
    await elsewhere.post("den", "hello")


async def test_guests_are_told_what_helps(chat, hall):
    """Not why: that is for the one whom it is about."""
    page, key = await guest(chat, HERE)
    until = timezone.now() + timedelta(hours=2)
    await impose(chat, key, "mute", until=until, reason="called Bob names")
    await page.hears("moderated")
    other = await chat.open(address=HERE)
    with pytest.raises(RequestFailed) as refused:
        await other.ask("send-message", HELLO)
    assert refused.value.text == (
        f"guests from your address are muted until {until:%Y-%m-%d %H:%M} UTC; people who log in are not"
    )


async def test_guests_who_are_there_are_closed_at_once(chat, hall, impatient):
    """All of the address, with the words that logging in helps; nobody of another address."""
    _, key = await guest(chat, HERE)
    neighbour, stranger = await chat.open(address=HERE), await chat.open(address=THERE)
    await impose(chat, key, "ban")
    assert await neighbour.is_closed() == 4401
    assert "log in" in neighbour.closed[1]
    await stranger.post("hall", "still here")


@pytest.mark.parametrize("kind", ["ban", "mute"])
async def test_account_at_the_same_address(chat, dial, hall, alice, token, kind):
    """Is not concerned, at any door; and a program that comes without a name logs in as ever."""
    _, secret = await chat.elsewhere(token, alice)
    _, key = await guest(chat, HERE)
    before = await chat.open(alice, address=HERE)
    await impose(chat, key, kind)
    assert await gotalk(chat, dial, HERE) is not None
    await before.post("hall", "still here")
    for how in ({"user": alice}, {"bearer": secret}):
        page = await chat.open(address=HERE, **how)
        await page.post("hall", "hello")
    page = await chat.dial(address=HERE, kind="tcp")
    await page.ask("login", secret)
    await page.post("hall", "hello")
    line = await dial("/ws/hall", session=await chat.elsewhere(session_of, alice), address=HERE)
    await line.is_in()
    assert (await http(HERE, secret)).status_code == 201


async def test_guest_of_the_address_who_has_a_token(chat, hall, token):
    """Over HTTP it is as at every other door."""
    _, key = await guest(chat, HERE)
    visitor = await chat.elsewhere(User.objects.create_user, "guest-1", name="Nobody", is_guest=True)
    _, secret = await chat.elsewhere(token, visitor)
    await impose(chat, key, "mute")
    for address, status in ((HERE, 403), (THERE, 201)):
        assert (await http(address, secret)).status_code == status
    await impose(chat, key, "ban")
    assert (await http(HERE, secret)).status_code == 401


async def test_guest_who_left_before_the_ban(chat, dial, hall):
    """Within the moment in which comings and goings are gathered: where they wrote from is known."""
    page, key = await guest(chat, HERE)
    await page.close()
    await impose(chat, key, "ban")
    assert await gotalk(chat, dial, HERE) == "log_in"


async def test_guest_who_was_at_several_addresses(chat, dial, hall, visitor_session):
    """All of those of the last hours count, also one from which they only read."""
    page = await chat.open(session=visitor_session, address=HERE)
    await page.post("hall", "hello")
    key = (await page.ask("whoami"))["id"]
    reader = await chat.open(session=visitor_session, address=THERE)
    await reader.close()
    async with asyncio.timeout(DEADLINE):
        while await chat.elsewhere(GuestAddress.objects.count) < 2:
            await asyncio.sleep(0)
    await impose(chat, key, "ban")
    assert await gotalk(chat, dial, HERE) == "log_in"
    assert await gotalk(chat, dial, THERE) == "log_in"


async def test_address_of_long_ago(chat, hall):
    """Somebody else may have it by now."""
    page, key = await guest(chat, HERE)
    await leave(chat, page, key)
    await chat.elsewhere(GuestAddress.objects.update, seen_at=timezone.now() - timedelta(hours=25))
    await chat.elsewhere(moderation.impose, key, "ban", room_id=None, by=None)
    assert not await chat.elsewhere(SanctionedAddress.objects.exists)


async def test_guest_who_stayed_for_days(chat, dial, hall):
    """The moment at which they left counts, not that at which they came."""
    page, key = await guest(chat, HERE)
    await leave(chat, page, key, lambda: GuestAddress.objects.all().delete())
    await impose(chat, key, "ban")
    assert await gotalk(chat, dial, HERE) == "log_in"


@pytest.mark.parametrize("way", ["lifted", "undone"])
@pytest.mark.parametrize("kind", ["ban", "mute"])
async def test_what_is_taken_back_is_taken_back_for_the_address(chat, dial, hall, kind, way):
    """At once; and when that is taken back, it holds again."""
    _, key = await guest(chat, HERE)
    sanction = await impose(chat, key, kind)
    assert await gotalk(chat, dial, HERE) is not None
    if way == "lifted":
        await decided(chat, moderation.lift, sanction)
    else:
        await decided(chat, lambda: take_back(Act.objects.get().pk))
    assert await gotalk(chat, dial, HERE) is None
    await decided(chat, lambda: take_back(Act.objects.latest("pk").pk))
    assert await gotalk(chat, dial, HERE) is not None


@pytest.mark.parametrize(
    ("hours", "own_end", "held"),
    [(24, None, 24 * 60), (24, 30, 30), (2, 600, 120), (0, None, None), (24, -1, None)],
)
async def test_how_long_it_holds_for_the_address(chat, hall, hours, own_end, held):
    """As long as the site's settings say, and no longer than for the guest (in minutes)."""
    await chat.elsewhere(SiteSettings.objects.update, guest_address_hours=hours)
    _, key = await guest(chat, HERE)
    now = timezone.now()
    until = now + timedelta(minutes=own_end) if own_end is not None else None
    await chat.elsewhere(moderation.impose, key, "ban", room_id=None, by=None, until=until)
    found = await chat.elsewhere(lambda: list(SanctionedAddress.objects.values_list("network", "until")))
    if held is None:
        assert found == []
    else:
        ((network, end),) = found
        assert network == "2001:db8:1:2::/64"
        assert abs(end - now - timedelta(minutes=held)) < timedelta(minutes=1)


async def test_end_of_it(chat, dial, hall):
    """Then guests of the address come as ever, and nobody has to do anything."""
    _, key = await guest(chat, HERE)
    await impose(chat, key, "ban")
    assert await gotalk(chat, dial, HERE) == "log_in"
    await chat.elsewhere(SanctionedAddress.objects.update, until=timezone.now())
    await chat.runtime.refresh.reload()
    assert await gotalk(chat, dial, HERE) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "203.0.113.9", ""])
async def test_address_that_is_nobodys_own(chat, dial, hall, settings, address):
    """Of this machine, or of a trusted proxy that names no client: everybody would be muted with one."""
    settings.TRUSTED_PROXIES = [ip_network("203.0.113.0/24")]
    page, key = await guest(chat, address)
    await chat.elsewhere(moderation.impose, key, "mute", room_id=None, by=None)
    await page.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    assert await page.refusal("send-message", HELLO) == "muted"
    assert await gotalk(chat, dial, address) is None


async def test_sanction_of_an_account(chat, dial, hall, alice):
    """Is no matter of its address."""
    page = await chat.open(alice, address=HERE)
    await page.post("hall", "hello")
    await chat.elsewhere(moderation.impose, alice.pk, "ban", room_id=None, by=None)
    assert await page.is_closed() == 4403
    assert await gotalk(chat, dial, HERE) is None
    assert not await chat.elsewhere(SanctionedAddress.objects.exists)


async def test_list_of_rooms_of_a_guest_whose_address_is_held(chat, hall):
    """Nobody else gets it, though guests without an account get one list."""
    _, key = await guest(chat, HERE)
    held, free = await chat.open(address=HERE), await chat.open(address=THERE)
    await impose(chat, key, "mute", hall)
    await held.hears("rooms", lambda rooms: (rooms["hall"]["closed"] or {}).get("by") == "address")
    await chat.elsewhere(change_room, hall.pk, topic="news")
    for page, can_post in ((held, False), (free, True)):
        await page.hears("rooms", lambda rooms: rooms["hall"]["topic"] == "news")
        assert page.heard["rooms"][-1]["hall"]["can_post"] is can_post


async def test_guest_who_removes_a_neighbour_from_their_room(chat, hall):
    """A guest who owns a room is not turned out of it by what they decide there."""
    owner, _ = await guest(chat, HERE)
    await owner.ask("create-room", "club")
    _, key = await guest(chat, HERE, "club")
    async with heard_of(chat):
        await owner.ask("kick", {"room": "club", "id": key})
    await owner.post("club", "still here")
    other = await chat.open(address=HERE)
    message = {"room": "club", "message": {"body": "hello"}}
    assert await other.refusal("send-message", message) == "no_such_room"


async def test_word_that_was_lost(chat, dial, hall, monkeypatch):
    """A process that did not hear of it reads it with everything else, and closes who is there."""
    _, key = await guest(chat, HERE)
    neighbour = await chat.open(address=HERE)
    with monkeypatch.context() as deaf:
        deaf.setattr("chat.services.announcing._publish", lambda event: False)
        await chat.elsewhere(moderation.impose, key, "ban", room_id=None, by=None)
    chat.runtime.connections.drop_refused(await chat.runtime.refresh.reload())
    assert await neighbour.is_closed() == 4401


@pytest.mark.parametrize("cookie", [False, True], ids=["no cookie", "a new cookie each"])
async def test_thirty_guests_of_one_network(chat, hall, settings, monkeypatch, cookie):
    """From thirty addresses of it they post no more together than a few people, and the next network is free."""
    settings.RATE_LIMITS = True
    monkeypatch.setattr(limits, "RATES", {**limits.RATES, "post": Rate(2, 1 / 60)})
    refusals = 0
    for number in range(30):
        session = await chat.elsewhere(new_cookie, f"Nobody {number}") if cookie else None
        page = await chat.open(session=session, address=f"2001:db8:1:2::{number:x}")
        try:
            await page.post("hall", "spam")
        except RetryLater as refused:
            assert refused.code == "too_fast"
            refusals += 1
    assert refusals == 30 - 2 * limits.ADDRESS_FACTOR
    other = await chat.open(address=THERE)
    await other.post("hall", "hello")


@pytest.mark.parametrize("cookie", [False, True], ids=["no cookie", "a new cookie"])
async def test_slow_mode_of_one_network(chat, hall, cookie):
    """Whoever comes back as another guest, from another address of it, has waited no less."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    page, _ = await guest(chat, HERE)
    await page.close()
    session = await chat.elsewhere(new_cookie) if cookie else None
    back = await chat.open(session=session, address="2001:db8:1:2:ffff::9")
    assert await back.refusal("send-message", HELLO) == "slow_mode"
    other = await chat.open(address=THERE)
    await other.post("hall", "hello")


def test_staff_see_the_address_at_the_sanction(admin_client, transactional_db, hall):
    """And until when it holds there; they find the sanction by it."""
    visitor = User.objects.create_user("guest-1", name="Nobody", is_guest=True)
    GuestAddress.objects.create(user=visitor, network="2001:db8:1:2::/64")
    sanction = moderation.impose(visitor.pk, Sanction.Kind.BAN, room_id=None, by=None)
    held = SanctionedAddress.objects.get()
    for page in ("?q=2001:db8:1:2", f"{sanction.pk}/change/"):
        shown = admin_client.get(f"/admin/chat/sanction/{page}").content.decode()
        assert f"2001:db8:1:2::/64 until {held.until:%Y-%m-%d %H:%M} UTC" in shown
