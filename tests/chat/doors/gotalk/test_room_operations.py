"""Rooms of two, who is brought in, who is put out: alice and bob, and mallory, whom it does not concern."""

import asyncio

import pytest
from django.utils import timezone

from chat.models import Contact, Membership, Room, Sanction, User
from chat.realtime import refresh
from chat.services import accounts as people
from chat.services import memberships, rooms
from chat.services.contacts import decline_contact
from rpc import OperationError, RetryLater
from tests.chat.doors.gotalk.room_operations import ROOM_OPERATIONS


@pytest.fixture
def carol(transactional_db):
    return User.objects.create_user("carol", name="Carol")


@pytest.fixture
def pair(alice, bob):
    """The name of the room of alice and bob: it is in alice's list, and not yet in bob's."""
    room = Room.objects.create(name=rooms.direct_name(alice.pk, bob.pk), kind=Room.Kind.DIRECT, auto_join=False)
    Membership.objects.create(room=room, user=alice)
    Membership.objects.create(room=room, user=bob, left=True)
    return room.name


# --- open-direct -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", ["Bob", {"name": "ＢＯＢ"}, {"id": True}], ids=["text", "name", "id"])
async def test_room_of_two_bears_the_others_name(chat, alice, bob, params):
    """By name, whichever way it is written, or by key."""
    page = await chat.open(alice)
    params = {"id": bob.pk} if params == {"id": True} else params
    room = await page.ask("open-direct", params)
    assert (room["kind"], room["title"], room["role"], room["can_post"]) == ("direct", "Bob", "member", True)
    await page.hears("rooms", lambda listed: listed.get(room["name"], {}).get("title") == "Bob")


async def test_room_of_two_is_the_same_whoever_asks(chat, alice, bob):
    """However often, too."""
    one, other = await chat.open(alice), await chat.open(bob)
    asked = [await one.ask("open-direct", "Bob"), await other.ask("open-direct", "Alice")]
    asked.append(await one.ask("open-direct", "Bob"))
    assert len({room["id"] for room in asked}) == 1
    assert [room["title"] for room in asked] == ["Bob", "Alice", "Bob"]


async def test_room_of_two_is_one_when_both_ask_at_once(chat, alice, bob):
    """From two processes, which write on connections of their own."""
    pairs = [(alice.pk, bob.pk), (bob.pk, alice.pk)] * 4
    made = await asyncio.gather(*[chat.elsewhere(rooms.open_direct, *pair) for pair in pairs])
    assert len({room.pk for room in made}) == 1
    ties = await chat.elsewhere(lambda: sorted(made[0].memberships.values_list("user_id", "left")))
    assert ties == sorted([(alice.pk, False), (bob.pk, False)])


async def test_first_message_brings_the_room_to_the_other(chat, alice, bob):
    """Until then it is nobody's news; then it is in the list, unseen, and the message is heard."""
    one, other = await chat.open(alice), await chat.open(bob)
    room = (await one.ask("open-direct", "Bob"))["name"]
    assert room not in other.heard["rooms"][-1]
    await one.post(room, "psst")
    listed = await other.hears("rooms", lambda listed: room in listed)
    assert (listed[room]["title"], listed[room]["unread"]) == ("Alice", 1)
    await other.post(room, "what is it?")
    assert (await one.hears("newmsg", lambda heard: heard["message"]["author"] == "Bob"))["room"] == room


async def test_first_message_is_heard_however_soon_it_comes(chat, monkeypatch, alice, bob):
    """By a client that waits for `newmsg` and asks for nothing."""
    monkeypatch.setattr(refresh, "GATHER_SECONDS", 1.0)
    one, other = await chat.open(alice), await chat.open(bob)
    room = (await one.ask("open-direct", "Bob"))["name"]
    await one.post(room, "psst")
    assert (await other.hears("newmsg", lambda heard: heard["room"] == room))["message"]["body"] == "psst"


async def test_message_into_a_room_that_was_left_is_heard_and_brings_it_back(chat, pair, alice, bob):
    """To leave a conversation of two is to put it out of sight."""
    one, other = await chat.open(alice), await chat.open(bob)
    await one.post(pair, "hello")
    await other.hears("newmsg")
    await other.hears("rooms", lambda listed: pair in listed)
    await other.ask("leave-room", pair)
    await other.hears("rooms", lambda listed: pair not in listed)
    await one.post(pair, "are you there?")
    assert (await other.hears("newmsg"))["message"]["body"] == "are you there?"
    listed = await other.hears("rooms", lambda listed: pair in listed)
    assert listed[pair]["unread"] >= 1
    assert [message["body"] for message in await other.ask("list-messages", pair)] == ["hello", "are you there?"]


async def test_who_left_may_write_and_has_the_room_again(chat, pair, alice, bob):
    """Their own message brings it back, too."""
    page = await chat.open(alice)
    await page.ask("leave-room", pair)
    await page.hears("rooms", lambda listed: pair not in listed)
    await page.post(pair, "one more thing")
    await page.hears("rooms", lambda listed: pair in listed)


async def test_title_follows_another_name(chat, pair, alice, bob):
    """At once, before the other of the two; the room stays where it was."""
    page = await chat.open(alice)
    await chat.elsewhere(people.rename, bob.pk, "Robert")
    await page.hears("rooms", lambda listed: listed[pair]["title"] == "Robert")
    assert (await page.ask("open-direct", "Robert"))["name"] == pair


async def test_both_belong_to_the_room_also_when_one_put_it_away(chat, pair, alice, bob):
    """The list of people shows two."""
    page = await chat.open(alice)
    members = (await page.ask("list-members", pair))["members"]
    assert sorted(person["name"] for person in members) == ["Alice", "Bob"]


OPERATIONS = [*ROOM_OPERATIONS, ("invite", {"name": "Mallory"}), ("kick", {"id": 1})]


@pytest.mark.parametrize("is_staff", [False, True], ids=["anybody", "staff"])
@pytest.mark.parametrize(("operation", "params"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
async def test_room_of_two_does_not_exist_for_anybody_else(
    chat, pair, alice, bob, mallory, operation, params, is_staff
):
    """Not even for staff, outside of the administration."""
    await chat.elsewhere(User.objects.filter(pk=mallory.pk).update, is_staff=is_staff)
    one, outsider = await chat.open(alice), await chat.open(mallory)
    await one.post(pair, "between us")
    assert await outsider.refusal(operation, {"room": pair, **params}) == "no_such_room"
    assert not outsider.heard["newmsg"]
    assert pair not in await outsider.hears("rooms")
    assert all(pair not in listed for listed in outsider.heard["rooms"])


async def test_no_third_person_comes_into_a_room_of_two(chat, pair, alice, bob, mallory):
    """Neither invites, and the service refuses whoever calls it."""
    page = await chat.open(alice)
    assert await page.refusal("invite", {"room": pair, "name": "Mallory"}) == "not_allowed"
    assert await page.refusal("kick", {"room": pair, "id": bob.pk}) == "not_allowed"
    with pytest.raises(OperationError):
        await chat.elsewhere(lambda: memberships.join_room(Room.objects.get(name=pair).pk, mallory.pk))


@pytest.mark.parametrize("name", ["direct 1-2", "DIRECT  1-2", "ｄｉｒｅｃｔ １－２"])
async def test_name_of_a_room_of_two_is_nobody_elses(chat, mallory, name):
    """Whether there is one or not: who makes it first must not get what two people say to each other."""
    page = await chat.open(mallory)
    assert await page.refusal("create-room", name) == "bad_name"


async def test_room_of_two_stays_one(chat, pair, alice, bob, hall):
    """It keeps its kind and name, and no other room becomes one."""

    def change():
        room = Room.objects.get(name=pair)
        for room_id, changes in (
            (room.pk, {"kind": "public"}),
            (room.pk, {"name": "x"}),
            (hall.pk, {"kind": "direct"}),
        ):
            with pytest.raises(OperationError):
                rooms.change_room(room_id, **changes)
        rooms.change_room(room.pk, archived=True)

    await chat.elsewhere(change)


@pytest.mark.parametrize(
    ("params", "code"),
    [("Nobody", "no_such_person"), ({"id": 0}, "no_such_person"), ({}, "no_such_person"), ("", "empty_name")],
)
async def test_nobody_is_refused(chat, alice, params, code):
    assert await (await chat.open(alice)).refusal("open-direct", params) == code


async def test_oneself_a_visitor_and_who_is_switched_off_are_refused(chat, alice, bob, visitor_session):
    """There is nobody to write to."""
    await chat.open(session=visitor_session)
    await chat.elsewhere(people.set_active, bob.pk, False)
    page = await chat.open(alice)
    assert await page.refusal("open-direct", "Alice") == "not_allowed"
    assert await page.refusal("open-direct", "Bob") == "no_such_person"


async def test_visitor_who_opens_a_room_of_two_gets_a_row(chat, bob, visitor_session):
    """As with a first post."""
    page, other = await chat.open(session=visitor_session), await chat.open(bob)
    room = await page.ask("open-direct", "Bob")
    assert room["title"] == "Bob"
    await page.post(room["name"], "hello")
    await other.hears("rooms", lambda listed: listed.get(room["name"], {}).get("title") == "Vera")


async def test_who_was_declined_may_not_write(chat, pair, alice, bob):
    """Neither open the room nor post in one that there was; the other still may."""
    page, other = await chat.open(alice), await chat.open(bob)
    await chat.elsewhere(Contact.objects.create, asker=alice, asked=bob)
    await chat.elsewhere(decline_contact, bob.pk, "Alice")
    await page.hears("rooms", lambda listed: listed[pair]["can_post"] is False)
    assert await page.refusal("send-message", {"room": pair, "message": {"body": "please"}}) == "not_allowed"
    assert await page.refusal("open-direct", "Bob") == "not_allowed"
    assert (await other.ask("open-direct", "Alice"))["can_post"]


async def test_to_turn_to_people_costs_as_much_as_to_post(chat, alice, bob, settings):
    """So nobody turns to everybody."""
    settings.RATE_LIMITS = True
    page = await chat.open(alice)
    codes = []
    while "too_fast" not in codes:
        try:
            await page.ask("open-direct", "Bob")
        except RetryLater as refused:
            codes.append(refused.code)
    assert codes == ["too_fast"]


# --- invite ------------------------------------------------------------------------------------------------


async def test_owner_invites_into_a_private_room(chat, cellar, alice, carol):
    """Who was invited has the room at once, with what was said before."""
    owner, guest = await chat.open(alice), await chat.open(carol)
    await owner.post("cellar", "we wait for carol")
    await owner.ask("invite", {"room": "cellar", "id": carol.pk})
    assert (await guest.hears("rooms", lambda listed: "cellar" in listed))["cellar"]["role"] == "member"
    assert [message["body"] for message in await guest.ask("list-messages", "cellar")] == ["we wait for carol"]


async def test_member_does_not_invite_into_a_private_room_and_an_outsider_sees_none(
    chat, cellar, bob, mallory, carol
):
    """Its moderators decide who comes in."""
    member, outsider = await chat.open(bob), await chat.open(mallory)
    for name in ("Carol", "Mallory"):
        assert await member.refusal("invite", {"room": "cellar", "name": name}) == "not_allowed"
        assert await outsider.refusal("invite", {"room": "cellar", "name": name}) == "no_such_room"


async def test_anybody_invites_into_a_public_room_but_not_who_left_it(chat, bob, carol, alice):
    """An invitation is no way to bother; who moderates may bring back."""
    room = await chat.elsewhere(rooms.create_room, "shed", by=alice.pk, auto_join=False)
    member, owner, guest = await chat.open(bob), await chat.open(alice), await chat.open(carol)
    await member.ask("invite", {"room": "shed", "name": "Carol"})
    await guest.hears("rooms", lambda listed: "shed" in listed)
    await chat.elsewhere(memberships.leave_room, room.pk, carol.pk)
    await guest.hears("rooms", lambda listed: "shed" not in listed)
    assert await member.refusal("invite", {"room": "shed", "name": "Carol"}) == "not_allowed"
    await owner.ask("invite", {"room": "shed", "name": "Carol"})
    await guest.hears("rooms", lambda listed: "shed" in listed)


async def test_banned_muted_and_declined_people(chat, cellar, alice, carol, mallory):
    """An invitation lifts no ban, and does not reach a person who declined the contact."""
    owner = await chat.open(alice)

    def arrange():
        Sanction.objects.create(user=carol, kind="ban", room=cellar)
        Contact.objects.create(asker=alice, asked=mallory, state="declined")

    await chat.elsewhere(arrange)
    assert await owner.refusal("invite", {"room": "cellar", "name": "Carol"}) == "banned"
    assert await owner.refusal("invite", {"room": "cellar", "name": "Mallory"}) == "not_allowed"


# --- kick --------------------------------------------------------------------------------------------------


async def test_kicked_from_a_private_room(chat, cellar, alice, bob):
    """It is gone from all their sockets; the reason stands among the sanctions; an invitation brings them back."""
    owner, first, second = await chat.open(alice), await chat.open(bob), await chat.open(bob)
    await owner.ask("kick", {"room": "cellar", "id": bob.pk, "reason": "noise"})
    for page in (first, second):
        await page.hears("rooms", lambda listed: "cellar" not in listed)
        assert await page.refusal("send-message", {"room": "cellar", "message": {"body": "hey"}}) == "no_such_room"
    record = await chat.elsewhere(Sanction.objects.get, user=bob)
    assert (record.reason, record.created_by_id, record.until <= timezone.now()) == ("noise", alice.pk, True)
    await owner.ask("invite", {"room": "cellar", "id": bob.pk})
    await first.hears("rooms", lambda listed: "cellar" in listed)


async def test_kicked_from_a_public_room_cannot_come_back_at_once(chat, hall, alice, bob):
    """Otherwise to remove somebody would be to ask them to join again."""
    await chat.elsewhere(memberships.join_room, hall.pk, alice.pk, role=Membership.Role.MODERATOR)
    moderator, removed = await chat.open(alice), await chat.open(bob)
    await moderator.ask("kick", {"room": "hall", "id": bob.pk})
    await removed.hears("rooms", lambda listed: "hall" not in listed)
    for operation in ("join-room", "list-messages"):
        assert await removed.refusal(operation, "hall") == "no_such_room"
    assert await removed.refusal("send-message", {"room": "hall", "message": {"body": "hey"}}) == "no_such_room"
    assert await moderator.refusal("invite", {"room": "hall", "id": bob.pk}) == "banned"


async def test_removed_person_is_no_longer_here(chat, cellar, alice, bob):
    """Those who follow the list of people see them go."""
    owner = await chat.open(alice)
    await chat.open(bob)
    await chat.counts(bob)
    await owner.ask("list-members", "cellar")
    await owner.ask("kick", {"room": "cellar", "id": bob.pk})
    assert (await owner.hears("presence", lambda change: change["left"]))["left"] == [f"u{bob.pk}"]


async def test_removed_person_learns_nothing_more_of_a_private_room(chat, cellar, hall, alice, bob, carol):
    """Also what they followed: who comes and goes, who writes, what becomes of its messages and its name."""
    page, other = await chat.open(alice), await chat.open(bob)
    await chat.counts(bob)
    seq = (await page.post("cellar", "hello"))["seq"]
    await other.ask("list-members", "cellar")
    await page.ask("kick", {"room": "cellar", "id": bob.pk})
    await other.hears("rooms", lambda rooms: "cellar" not in rooms)
    await other.ask("echo", "what came before is read")
    known = {name: len(values) for name, values in other.heard.items()}
    # Alice follows the list of people too, and so knows when Bob would have been told.
    await page.ask("list-members", "cellar")
    await page.ask("invite", {"room": "cellar", "name": "Carol"})
    third = await chat.open(carol)
    await page.hears("presence", lambda change: [card["name"] for card in change["joined"]] == ["Carol"])
    await third.post("cellar", "are we alone?")
    await page.ask("edit-message", {"room": "cellar", "seq": seq, "body": "yes"})
    await page.ask("set-topic", {"room": "cellar", "topic": "secrets"})
    await page.post("hall", "now all")
    await other.hears("newmsg", lambda value: value["message"]["body"] == "now all")
    assert len(other.heard["presence"]) == known.get("presence", 0)
    assert [value["room"] for value in other.heard["newmsg"][known["newmsg"] :]] == ["hall"]
    assert "changed" not in other.heard
    assert all("cellar" not in listed for listed in other.heard["rooms"][known["rooms"] :])
    answer = await other.ask("sync", {"rooms": {"cellar": 0}})
    assert answer["rooms"]["cellar"] == {"version": 0, "messages": [], "more": False, "reset": True}
    assert [room["name"] for room in (await other.ask("info", "Alice"))["rooms"]] == []


async def test_moderators_remove_members_not_owners_nor_staff(chat, cellar, alice, bob, carol):
    """Owners remove moderators and other owners, but nobody removes themselves."""

    def arrange():
        memberships.join_room(cellar.pk, bob.pk, role=Membership.Role.MODERATOR)
        memberships.join_room(cellar.pk, carol.pk)

    await chat.elsewhere(arrange)
    owner, moderator = await chat.open(alice), await chat.open(bob)
    assert await moderator.refusal("kick", {"room": "cellar", "id": alice.pk}) == "not_allowed"
    assert await moderator.refusal("kick", {"room": "cellar", "id": bob.pk}) == "not_allowed"
    await chat.elsewhere(User.objects.filter(pk=carol.pk).update, is_staff=True)
    assert await moderator.refusal("kick", {"room": "cellar", "id": carol.pk}) == "not_allowed"
    await chat.elsewhere(User.objects.filter(pk=carol.pk).update, is_staff=False)
    await moderator.ask("kick", {"room": "cellar", "id": carol.pk})
    await owner.ask("kick", {"room": "cellar", "id": bob.pk})
    assert await owner.refusal("kick", {"room": "cellar", "id": alice.pk}) == "not_allowed"


@pytest.mark.parametrize("rights", [{"is_superuser": True, "is_staff": True}, {"is_staff": True}])
@pytest.mark.parametrize("who", ["guest", "account"])
async def test_owner_of_a_room_does_not_remove_staff(chat, alice, mallory, visitor_session, who, rights):
    """Who made a public room owns it; whoever is in it may have rights that the owner lacks."""
    await chat.elsewhere(User.objects.filter(pk=alice.pk).update, **rights)
    page = await (chat.open(session=visitor_session) if who == "guest" else chat.open(mallory))
    await page.ask("create-room", "trap")
    staff = await chat.open(alice)
    await staff.post("trap", "what is this?")
    assert await page.refusal("kick", {"room": "trap", "id": alice.pk}) == "not_allowed"
    assert not await chat.elsewhere(Sanction.objects.exists)


async def test_staff_without_a_right_do_not_remove_a_superuser(chat, hall, alice, mallory):
    """They own every room that they see, and that is all."""
    await chat.elsewhere(User.objects.filter(pk=alice.pk).update, is_staff=True, is_superuser=True)
    await chat.elsewhere(User.objects.filter(pk=mallory.pk).update, is_staff=True)
    page = await chat.open(mallory)
    assert await page.refusal("kick", {"room": "hall", "id": alice.pk}) == "not_allowed"
    boss = await chat.open(alice)
    await boss.ask("kick", {"room": "hall", "id": mallory.pk})


async def test_only_moderators_remove_and_only_who_is_there(chat, cellar, hall, alice, bob, mallory):
    """A member may not, an outsider sees no room, and nobody is removed who is not in it."""
    owner, member, outsider = await chat.open(alice), await chat.open(bob), await chat.open(mallory)
    assert await member.refusal("kick", {"room": "cellar", "id": alice.pk}) == "not_allowed"
    assert await member.refusal("kick", {"room": "hall", "id": alice.pk}) == "not_allowed"
    assert await outsider.refusal("kick", {"room": "cellar", "id": bob.pk}) == "no_such_room"
    assert await owner.refusal("kick", {"room": "cellar", "id": mallory.pk}) == "no_such_person"
    assert await owner.refusal("kick", {"room": "cellar", "id": 0}) == "no_such_person"
