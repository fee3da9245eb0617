"""What a page needs to show of moderation: to those who act, and to the person concerned."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission

from chat.actions.roles import Verb
from chat.models import Membership, Sanction, SiteSettings, User
from chat.queries.structs import instant
from chat.services.moderation import impose
from chat.services.rooms import change_room
from chat.services.site import change_settings
from rpc import RequestFailed

END = datetime(2999, 1, 2, 3, 4, tzinfo=UTC)
OBJECTIONS = "help@example.org"


@pytest.fixture
def moderator(hall, alice):
    Membership.objects.create(room=hall, user=alice, role=Membership.Role.MODERATOR)
    return alice


@pytest.fixture
def warden(transactional_db):
    """Staff who may mute and ban everywhere, and nothing else."""
    user = User.objects.create_user("warden", name="Warden", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_sanction"))
    return user


def mute_bob(hall, bob):
    impose(bob.pk, "mute", room_id=hall.pk, by=None, reason="spam", until=END)


def mute_bob_everywhere(hall, bob):
    impose(bob.pk, "mute", room_id=None, by=None, reason="spam", until=END)


def close_the_room(hall, bob):
    change_room(hall.pk, read_only=True, reason="spam", until=END)


def calm_the_site(hall, bob):
    User.objects.filter(pk=bob.pk).update(is_guest=True)
    change_settings(calm=True, reason="spam", until=END)


@pytest.mark.parametrize(
    ("act", "by", "code", "words"),
    [
        (mute_bob, "muted", "muted", "you are muted"),
        (mute_bob_everywhere, "muted", "muted", "you are muted"),
        (close_the_room, "read-only", "read_only", "only moderators may post in this room"),
        (calm_the_site, "calm", "read_only", "guests may only read at the moment"),
    ],
)
async def test_closed_room_says_why_until_when_and_where_to_object(chat, hall, bob, act, by, code, words):
    """In the list of rooms, and to whoever posts all the same."""
    await chat.elsewhere(SiteSettings.objects.update, objections=OBJECTIONS)
    await chat.runtime.refresh.reload()
    await chat.elsewhere(act, hall, bob)
    page = await chat.open(bob)
    await page.hears(
        "rooms", lambda rooms: rooms["hall"]["closed"] == {"by": by, "reason": "spam", "until": instant(END)}
    )
    with pytest.raises(RequestFailed) as refused:
        await page.post("hall", "hello")
    said = f"{words} until 2999-01-02 03:04 UTC: spam (objections: {OBJECTIONS})"
    assert (refused.value.code, refused.value.text) == (code, said)
    assert (await page.ask("whoami"))["objections"] == OBJECTIONS


async def test_reason_of_another_time_is_not_given(chat, hall, bob):
    """A room that is read-only again has the reason of this time, or none."""

    def open_and_close():
        change_room(hall.pk, read_only=True, reason="then")
        change_room(hall.pk, read_only=False)
        change_room(hall.pk, read_only=True)

    await chat.elsewhere(open_and_close)
    page = await chat.open(bob)
    nothing = {"by": "read-only", "reason": "", "until": None}
    await page.hears("rooms", lambda rooms: rooms["hall"]["closed"] == nothing)


async def test_whoami_tells_what_one_may_do(chat, hall, moderator, warden):
    """In a room by one's role there, as the table has it; on the whole site by right."""
    page, admin = await chat.open(moderator), await chat.open(warden)
    mine, theirs = await page.ask("whoami"), await admin.ask("whoami")
    in_rooms = {verb.word for verb in Verb if verb.in_a_room}
    assert set(mine["roles"]["owner"]) == in_rooms
    assert in_rooms - set(mine["roles"]["moderator"]) == {"act-on-owner"}
    assert "report" in mine["roles"]["visitor"] and "set-topic" not in mine["roles"]["member"]
    assert set(theirs["may"]) - set(mine["may"]) >= {"mute-or-ban-everywhere"}
    assert "change-site" not in theirs["may"]


async def test_what_a_moderator_and_an_admin_may_do_about_a_person(chat, hall, moderator, warden, bob):
    """In the room and on the whole site; with what is in force, as far as they may end it."""
    await chat.elsewhere(mute_bob, hall, bob)
    await chat.elsewhere(impose, bob.pk, "mute", room_id=None, by=warden.pk)
    page, admin, other = await chat.open(moderator), await chat.open(warden), await chat.open(bob)
    await chat.counts(bob)
    shown = await page.ask("show-person", {"id": bob.pk, "room": "hall"})
    assert (shown["user"]["name"], shown["online"]) == ("Bob", True)
    assert shown["may"] == ["remove-all", "kick", "mute-or-ban"]
    (mute,) = shown["sanctions"]
    assert (mute["kind"], mute["room"], mute["reason"], mute["until"]) == ("mute", "hall", "spam", instant(END))
    assert (await admin.ask("show-person", {"id": bob.pk}))["may"] == ["mute-or-ban-everywhere"]
    nothing = await other.ask("show-person", {"id": moderator.pk, "room": "hall"})
    assert (nothing["may"], nothing["sanctions"]) == ([], [])


async def test_nobody_acts_on_a_person_who_has_a_right_that_they_lack(chat, hall, moderator, warden):
    """Nor upon themselves: there is nothing to show."""
    page = await chat.open(moderator)
    for user_id in (warden.pk, moderator.pk):
        shown = await page.ask("show-person", {"id": user_id, "room": "hall"})
        assert (shown["may"], shown["sanctions"]) == ([], [])


async def test_person_of_a_room_that_one_does_not_see(chat, cellar, alice, mallory):
    """The room does not exist."""
    page = await chat.open(mallory)
    assert await page.refusal("show-person", {"id": alice.pk, "room": "cellar"}) == "no_such_room"
    assert await page.refusal("show-person", {"id": 0}) == "no_such_person"


async def test_open_reports_are_counted_for_moderators(chat, hall, moderator, bob, mallory):
    """At once, until one of them answers; nobody else learns of any, nor gets their list of rooms anew."""
    page, member, rude = await chat.open(moderator), await chat.open(bob), await chat.open(mallory)
    posted = await rude.post("hall", "rude")
    lists = len(member.heard["rooms"])
    await member.ask("report", {"room": "hall", "seq": posted["seq"], "reason": "rude"})
    await page.hears("rooms", lambda rooms: rooms["hall"]["reports"] == 1)
    again = await chat.open(moderator)
    assert again.heard["rooms"][-1]["hall"]["reports"] == 1
    (report,) = await page.ask("list-reports", "hall")
    await page.ask("answer-report", {"room": "hall", "id": report["id"]})
    await again.hears("rooms", lambda rooms: rooms["hall"]["reports"] == 0)
    assert len(member.heard["rooms"]) == lists
    assert all(rooms["hall"]["reports"] == 0 for rooms in member.heard["rooms"])


async def test_slow_mode_is_shown(chat, hall, bob):
    """Whoever writes knows how long they wait."""
    page = await chat.open(bob)
    await chat.elsewhere(change_room, hall.pk, slow_mode_seconds=30)
    await page.hears("rooms", lambda rooms: rooms["hall"]["slow_mode_seconds"] == 30)


async def test_what_is_over_is_not_shown(chat, hall, moderator, bob):
    """Lifted, or of another room."""
    await chat.elsewhere(mute_bob, hall, bob)
    await chat.elsewhere(Sanction.objects.update, lifted_at=datetime.now(UTC))
    shown = await (await chat.open(moderator)).ask("show-person", {"id": bob.pk, "room": "hall"})
    assert shown["sanctions"] == []
