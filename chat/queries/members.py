"""Reading about people: who belongs to a room, what one has."""

import msgspec
from django.db.models import Q

from chat.actions import access
from chat.models import Membership, Room
from chat.queries.contacts import contacts_of, person_named
from chat.queries.tokens import READ
from chat.realtime.clients import Client, RoomEntry, room_entry
from chat.realtime.db import read
from chat.services.events import ContactEntry, PersonCard

MAX_ABSENT = 200
"""Members who are not here, in one list."""


class Member(msgspec.Struct):
    key: str
    id: int | None
    name: str
    is_guest: bool
    is_bot: bool
    role: str | None
    online: bool


class Info(msgspec.Struct):
    user: PersonCard
    rooms: list[RoomEntry]
    contacts: list[ContactEntry]


def members_of(room_id: int, here: list[PersonCard]) -> list[Member]:
    """Those who are here, then the members who are not; each part by name."""
    belongs = Q(left=False) | Q(room__kind=Room.Kind.DIRECT)
    ties = Membership.objects.filter(belongs, room_id=room_id).select_related("user")
    here_ids = {card.id for card in here if card.id is not None}
    roles = dict(ties.filter(user_id__in=here_ids).values_list("user_id", "role"))
    present = [
        Member(card.key, card.id, card.name, card.is_guest, card.is_bot, roles.get(card.id or 0), True)
        for card in sorted(here, key=lambda card: card.name.casefold())
    ]
    absent = ties.exclude(user_id__in=here_ids).filter(user__is_active=True).order_by("user__name_key")
    return present + [
        Member(f"u{tie.user_id}", tie.user_id, tie.user.name, tie.user.is_guest, tie.user.is_bot, tie.role, False)
        for tie in absent[:MAX_ABSENT]
    ]


async def info(client: Client, name: str = "") -> Info:
    """
    Oneself, one's rooms and contacts; or another person, and of his rooms and contacts what is one's own too.

    Raises:
        OperationError: `not_allowed` for a token without `read`; `no_such_person`.
    """
    client.require(READ)
    me = client.person
    around = client.runtime.directory.rooms_around(me)
    if not name:
        mine = [room_entry(me, room) for room in around if access.lists(me, room)]
        contacts = [] if me.card.id is None else await read(contacts_of, me.card.id)
        return Info(me.card, mine, contacts)
    card, room_ids, contacts = await read(_shared_with, me.card.id, name)
    shared = [room for room in around if room.id in room_ids and access.can_see(me, room)]
    return Info(card, [room_entry(me, room) for room in shared], contacts)


def _shared_with(me: int | None, name: str) -> tuple[PersonCard, set[int], list[ContactEntry]]:
    """A person, the rooms that he belongs to, and what there is between the two in one's list of contacts."""
    other = person_named(name)
    card = PersonCard(f"u{other.pk}", other.pk, other.name, other.is_guest, other.is_bot)
    room_ids = set(Membership.objects.filter(user=other, left=False).values_list("room_id", flat=True))
    contacts = contacts_of(me) if me is not None else []
    return card, room_ids, [entry for entry in contacts if entry.id == other.pk]
