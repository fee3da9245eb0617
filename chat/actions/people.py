"""What a caller may know of themselves and of others."""

import msgspec

from chat.actions import access
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Role, Verb
from chat.actions.rooms import RoomEntry, room_entry, rooms_listed
from chat.models import Room, User
from chat.queries.candidates import Candidate, find_candidate
from chat.queries.contacts import contacts_of
from chat.queries.members import Member, members_of, rooms_of
from chat.queries.moderation.sanctions import SanctionEntry, sanctions_of
from chat.queries.people import person_named
from chat.queries.rooms import RoomFacts
from chat.queries.sizes import MAX_LIST_BYTES
from chat.queries.structs import ContactEntry, PersonCard
from chat.realtime.db import read
from chat.realtime.visibility import sees
from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS


class WhoAmI(msgspec.Struct):
    id: int | None
    key: str
    name: str
    is_guest: bool
    is_bot: bool
    is_staff: bool
    logged_in: bool
    can_create_rooms: bool
    max_body_chars: int
    max_body_bytes: int
    sign_up: str
    calm: bool
    objections: str
    may: list[str]
    roles: dict[str, list[str]]


def who_am_i(caller: Caller) -> WhoAmI:
    """Who the caller is, and what they may do: on the whole site, and in a room by their role there."""
    who, site = caller.person.identity, caller.runtime.directory.site
    return WhoAmI(
        id=who.user_id,
        key=who.key,
        name=who.name,
        is_guest=who.is_guest,
        is_bot=who.is_bot,
        is_staff=who.is_staff,
        logged_in=not who.is_guest,
        can_create_rooms=access.may_create_rooms(caller.person, site),
        max_body_chars=MAX_BODY_CHARS,
        max_body_bytes=MAX_BODY_BYTES,
        sign_up=site.sign_up,
        calm=site.calm,
        objections=site.objections,
        may=[verb.word for verb in Verb if not verb.in_a_room and access.may(caller.person, verb)],
        roles=_ROLES,
    )


_IN_A_ROOM = [verb for verb in Verb if verb.in_a_room]
_ROLES = {role.name.lower(): [verb.word for verb in _IN_A_ROOM if verb.given_to(role)] for role in Role}


class ShownPerson(msgspec.Struct):
    """
    A person as the caller may know them. `may`: which verbs of the table the caller may use upon them; `sanctions`:
    those in force, of the room that was asked about and of the whole site, as far as the caller may end them.
    """

    user: PersonCard
    online: bool
    may: list[str]
    sanctions: list[SanctionEntry]


async def show_person(caller: Caller, user_id: int, room_name: str | None) -> ShownPerson:
    """
    What there is to know of a person and to do about them, in a room or (None) only on the whole site.

    Raises:
        OperationError: `no_such_room`, `no_such_person`; `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.LIST)
    await count(caller, "read", 2)
    room = caller.room(room_name, Verb.READ) if room_name is not None else None
    by, room_id = caller.person.identity.user_id, room.id if room is not None else None
    other, card, sanctions = await read(_person_and_sanctions, user_id, by, room_id)
    verbs = [verb for verb in Verb if verb in UPON_PEOPLE and _may_upon(caller, verb, other, room)]
    ends_here, ends_everywhere = Verb.MUTE_OR_BAN in verbs, Verb.END_EVERYWHERE in verbs
    return ShownPerson(
        user=card,
        online=card.key in caller.runtime.presence.online,
        may=[verb.word for verb in verbs],
        sanctions=[each for each in sanctions if (ends_everywhere if each.room is None else ends_here)],
    )


UPON_PEOPLE = {
    *(Verb.KICK, Verb.MUTE_OR_BAN, Verb.REMOVE_ALL),
    *(Verb.MUTE_OR_BAN_EVERYWHERE, Verb.END_EVERYWHERE, Verb.REMOVE_ALL_EVERYWHERE),
}


def _may_upon(caller: Caller, verb: Verb, other: Candidate, room: RoomFacts | None) -> bool:
    if not verb.in_a_room:
        return access.may_act_on(caller.person, verb, other)
    if room is None or (verb is Verb.KICK and room.kind != Room.Kind.PUBLIC and not other.belongs):
        return False
    return access.may_act_on(caller.person, verb, other, room)


def _person_and_sanctions(
    user_id: int, by: int | None, room_id: int | None
) -> tuple[Candidate, PersonCard, list[SanctionEntry]]:
    other = find_candidate(user_id, None, room_id=room_id, by=by, active_only=False)
    return other, PersonCard.of(User.objects.get(pk=user_id)), sanctions_of(user_id, room_id)


class Info(msgspec.Struct):
    user: PersonCard
    rooms: list[RoomEntry]
    contacts: list[ContactEntry]


async def info(caller: Caller, name: str = "") -> Info:
    """
    The caller, their rooms and contacts; or another person, and the rooms and contacts that the two share.

    Raises:
        OperationError: `not_allowed` for a token without `read`; `no_such_person`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.LIST)
    await count(caller, "read", 2)
    me = caller.person
    if not name:
        contacts = [] if me.card.id is None else await read(contacts_of, me.card.id)
        # With the contacts, half of an answer is left for the rooms.
        return Info(me.card, rooms_listed(me, caller.runtime.directory, MAX_LIST_BYTES // 2), contacts)
    card, room_ids, contacts = await read(_shared_with, me.card.id, name)
    around = caller.runtime.directory.rooms_around(me)
    shared = [room_entry(me, room) for room in around if room.id in room_ids and sees(me, room)]
    return Info(card, shared, contacts)


def _shared_with(me: int | None, name: str) -> tuple[PersonCard, set[int], list[ContactEntry]]:
    """A person, the rooms that they belong to, and the contact of the two as the first one sees it."""
    other = person_named(name)
    contacts = contacts_of(me) if me is not None else []
    return PersonCard.of(other), rooms_of(other.pk), [entry for entry in contacts if entry.id == other.pk]


class MemberList(msgspec.Struct):
    members: list[Member]
    here: int


async def list_members(caller: Caller, room_name: str) -> MemberList:
    """
    Who is here in a room and who else belongs to it; from now on this connection is told of changes.

    Raises:
        OperationError: `no_such_room`; `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.READ)
    await count(caller, "read", 2)
    room = caller.room(room_name, Verb.READ)
    here = await caller.runtime.watchers.watch(caller.client, room)
    return MemberList(await read(members_of, room.id, here), len(here))
