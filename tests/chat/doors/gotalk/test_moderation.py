"""Mutes, bans, removals and switches over gotalk: who may, for how long, and what everyone sees."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission

from chat.models import Act, Ending, Membership, Message, Sanction, SiteSettings, User
from chat.queries.structs import instant
from chat.services import accounts, memberships
from chat.services.moderation import impose


@pytest.fixture
def warden(transactional_db):
    """Staff with every right of a moderator of the site."""
    user = User.objects.create_user("warden", name="Warden", is_staff=True)
    names = ("add_sanction", "change_sanction", "change_message", "change_sitesettings")
    user.user_permissions.add(*Permission.objects.filter(codename__in=names, content_type__app_label="chat"))
    return user


@pytest.fixture
def clerk(transactional_db):
    """Staff without any right."""
    return User.objects.create_user("clerk", name="Clerk", is_staff=True)


@pytest.fixture
def moderator(hall, alice):
    Membership.objects.create(room=hall, user=alice, role=Membership.Role.MODERATOR)
    return alice


def said(body="more"):
    return {"room": "hall", "message": {"body": body}}


async def test_mute_in_a_room(chat, hall, moderator, bob):
    """With a reason and an end, until somebody ends it; the log has where it came from."""
    page, other = await chat.open(moderator), await chat.open(bob)
    await page.ask("mute", {"room": "hall", "id": bob.pk, "minutes": 10, "reason": "too loud"})
    await other.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    assert await other.refusal("send-message", said()) == "muted"
    sanction = await chat.elsewhere(Sanction.objects.get)
    assert 599 < sanction.until.timestamp() - time.time() < 601
    act = await chat.elsewhere(Act.objects.get)
    assert (act.kind, act.by_id, act.address, act.door, act.reason) == (
        *("mute", moderator.pk, "192.0.2.1", "web", "too loud"),
    )
    await page.ask("unmute", {"room": "hall", "id": bob.pk})
    await other.hears("rooms", lambda rooms: rooms["hall"]["can_post"])
    await other.post("hall", "again")


@pytest.mark.parametrize("kind", ["mute", "ban"])
async def test_person_is_told_what_why_until_when_and_where_to_object(chat, dial, hall, moderator, bob, kind):
    """On every socket, before a ban closes the room."""
    await chat.elsewhere(SiteSettings.objects.update, objections="help@example.org")
    page, other = await chat.open(moderator), await chat.open(bob)
    lines = await (await dial("/ws/hall", bob)).is_in()
    await page.ask(kind, {"room": "hall", "id": bob.pk, "minutes": 5, "reason": "too loud"})
    until = instant((await chat.elsewhere(Sanction.objects.get)).until)
    told = {"act": kind, "room": "hall", "reason": "too loud", "until": until, "objections": "help@example.org"}
    assert await other.hears("moderated") == told
    said = {"mute": "you are muted", "ban": "you are banned"}[kind]
    assert await lines.hears() == f"! {said} in hall until {until}: too loud (objections: help@example.org)"


async def test_banned_person_is_told_why_they_cannot_come_back(chat, bob):
    """Until when, and where to object, in the words of the close."""
    await chat.elsewhere(SiteSettings.objects.update, objections="help@example.org")
    await chat.runtime.refresh.reload()
    until = datetime(2999, 1, 2, 3, 4, tzinfo=UTC)
    await chat.elsewhere(impose, bob.pk, "ban", room_id=None, by=None, reason="spam", until=until)
    page = await chat.dial(bob)
    await page.is_closed()
    assert page.closed == (4403, "you are banned until 2999-01-02 03:04 UTC: spam (objections: help@example.org)")


async def test_ban_of_a_room_and_of_the_site(chat, hall, moderator, warden, bob):
    """The one closes the room, the other the connection."""
    page, admin, other = await chat.open(moderator), await chat.open(warden), await chat.open(bob)
    await page.ask("ban", {"room": "hall", "id": bob.pk})
    await other.hears("rooms", lambda rooms: "hall" not in rooms)
    await page.ask("unban", {"room": "hall", "id": bob.pk})
    await other.hears("rooms", lambda rooms: "hall" in rooms)
    await admin.ask("ban", {"id": bob.pk, "reason": "spam"})
    assert await other.is_closed() == 4403
    await admin.ask("unban", {"id": bob.pk})
    await chat.open(bob)


SITE_ACTS = {
    "mute": {"id": 0},
    "ban": {"id": 0},
    "unmute": {"id": 0},
    "unban": {"id": 0},
    "remove-messages": {"id": 0, "since": "2020-01-01T00:00:00Z"},
    "calm": {"on": True},
    "close-sign-up": {},
}
ROOM_ACTS = {
    "set-read-only": {"on": True},
    "set-slow-mode": {"seconds": 10},
    "kick": {"id": 0},
    **{name: params for name, params in SITE_ACTS.items() if "id" in params},
}


@pytest.mark.parametrize("operation", SITE_ACTS)
async def test_site_is_moderated_by_those_who_have_the_right(chat, hall, moderator, clerk, warden, bob, operation):
    """A moderator of a room has none, and nor has staff as such: the chat asks for what the admin asks for."""
    params = {name: bob.pk if name == "id" else value for name, value in SITE_ACTS[operation].items()}
    for person in (moderator, clerk, None):
        page = await chat.open(person)
        assert await page.refusal(operation, params) == "not_allowed", person
    await (await chat.open(warden)).ask(operation, params)


@pytest.mark.parametrize("operation", ROOM_ACTS)
async def test_room_is_moderated_by_its_moderators(chat, hall, moderator, bob, mallory, operation):
    """Nobody else, and not by people who left."""
    params = {name: bob.pk if name == "id" else value for name, value in ROOM_ACTS[operation].items()}
    page = await chat.open(mallory)
    assert await page.refusal(operation, {"room": "hall", **params}) == "not_allowed"
    await (await chat.open(moderator)).ask(operation, {"room": "hall", **params})


async def test_owners_are_muted_by_owners_only(chat, hall, moderator, bob, warden):
    """Nor does anybody mute themselves by mistake."""
    await chat.elsewhere(memberships.join_room, hall.pk, bob.pk, role="owner")
    page = await chat.open(moderator)
    for user_id in (bob.pk, warden.pk, moderator.pk):
        assert await page.refusal("mute", {"room": "hall", "id": user_id}) == "not_allowed"
    await (await chat.open(warden)).ask("mute", {"room": "hall", "id": bob.pk})


async def test_owner_of_the_site_is_banned_by_owners_of_the_site_only(chat, warden):
    """Else whoever may ban could lock everybody out."""
    root, other = [await chat.elsewhere(User.objects.create_superuser, name) for name in ("root", "other")]
    page = await chat.open(warden)
    assert await page.refusal("ban", {"id": root.pk}) == "not_allowed"
    await (await chat.open(other)).ask("ban", {"id": root.pk})


async def test_all_messages_of_a_person_since_a_time(chat, hall, cellar, moderator, bob, monkeypatch):
    """Those of the room, not older, in as many writes as it takes, and as one in the log."""
    monkeypatch.setattr("chat.services.messages.REMOVED_AT_ONCE", 2)
    page, other = await chat.open(moderator), await chat.open(bob)
    await other.post("hall", "before")
    since = datetime.now(UTC)
    for number in range(5):
        await other.post("hall", f"spam {number}")
    await other.post("cellar", "elsewhere")
    await page.post("hall", "of somebody else")
    asked = {"room": "hall", "id": bob.pk, "since": since.isoformat(), "reason": "spam"}
    assert await page.ask("remove-messages", asked) == {"removed": 5}
    shown = [message["body"] for message in await other.ask("list-messages", "hall")]
    assert shown == ["before", *[""] * 5, "of somebody else"]
    acts = await chat.elsewhere(lambda: list(Act.objects.all()))
    assert {(act.kind, act.bulk, act.reason) for act in acts} == {("remove", acts[0].bulk, "spam")}
    assert (await chat.elsewhere(Message.objects.get, room=cellar)).body == "elsewhere"


async def test_messages_of_an_account_that_is_switched_off(chat, hall, moderator, bob):
    """A spammer who is gone already leaves nothing behind."""
    await (await chat.open(bob)).post("hall", "spam")
    await chat.elsewhere(accounts.set_active, bob.pk, False)
    page = await chat.open(moderator)
    asked = {"room": "hall", "id": bob.pk, "since": "2020-01-01T00:00:00Z"}
    assert await page.ask("remove-messages", asked) == {"removed": 1}


async def test_calm_lets_guests_read_only(chat, hall, warden, alice, visitor_session):
    """Members post on; with its end guests write again."""
    guest, page, admin = await chat.open(session=visitor_session), await chat.open(alice), await chat.open(warden)
    await guest.post("hall", "hello")
    await admin.ask("calm", {"on": True, "reason": "a raid"})
    await guest.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    assert await guest.refusal("send-message", said()) == "read_only"
    assert await guest.refusal("react", {"room": "hall", "seq": 1, "emoji": "👍"}) == "read_only"
    assert await guest.refusal("create-room", "den") == "not_allowed"
    await page.post("hall", "we go on")
    await admin.ask("calm", {"on": False})
    await guest.hears("rooms", lambda rooms: rooms["hall"]["can_post"])
    await guest.post("hall", "back")


async def test_what_was_done_for_a_time_is_over_by_itself(chat, hall, moderator, bob):
    """The server takes it back, in its own name, and everyone sees it."""
    page, other = await chat.open(moderator), await chat.open(bob)
    await page.ask("set-read-only", {"room": "hall", "on": True, "minutes": 60})
    await other.hears("rooms", lambda rooms: rooms["hall"]["read_only"])
    await chat.elsewhere(Ending.objects.update, at=datetime.now(UTC) + timedelta(milliseconds=50))
    await chat.runtime.refresh.reload()
    await other.hears("rooms", lambda rooms: not rooms["hall"]["read_only"])
    undo = await chat.elsewhere(Act.objects.get, kind="undo")
    assert (undo.by, undo.reason) == (None, "its time is over")
    assert not await chat.elsewhere(Ending.objects.exists)


async def test_end_that_somebody_was_faster_than(chat, hall, moderator, bob):
    """The room was opened, and closed for good: the end of the first time changes nothing."""
    page, other = await chat.open(moderator), await chat.open(bob)
    await page.ask("set-slow-mode", {"room": "hall", "seconds": 5, "minutes": 60})
    await page.ask("set-slow-mode", {"room": "hall", "seconds": 7})
    await chat.elsewhere(Ending.objects.update, at=datetime.now(UTC))
    await chat.runtime.refresh.reload()
    while await chat.elsewhere(Ending.objects.exists):
        """The server looks at it."""
    assert (await chat.elsewhere(type(hall).objects.get, pk=hall.pk)).slow_mode_seconds == 7
    await other.ask("whoami")


async def test_sign_up_is_closed_for_a_time(chat, warden):
    """It is open again afterwards, as it was."""
    await chat.elsewhere(SiteSettings.objects.update, sign_up="open", sign_up_by_openid=True)
    page = await chat.open(warden)
    await page.ask("close-sign-up", {"minutes": 60})
    closed = await chat.elsewhere(SiteSettings.objects.get)
    assert (closed.sign_up, closed.sign_up_by_openid) == ("closed", False)
    await chat.elsewhere(Ending.objects.update, at=datetime.now(UTC))
    await chat.runtime.refresh.reload()
    while (await chat.elsewhere(SiteSettings.objects.get)).sign_up != "open":
        """The server takes it back."""
