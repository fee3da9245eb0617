"""Reading about people: who belongs to a room, what one has."""

import msgspec
from django.db.models import Q

from chat.clients import RoomEntry
from chat.events import PersonCard
from chat.models import Contact, Membership

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


class ContactEntry(msgspec.Struct):
    id: int
    name: str
    state: str


class MyInfo(msgspec.Struct):
    user: PersonCard
    rooms: list[RoomEntry]
    contacts: list[ContactEntry]


def members_of(room_id: int, here: list[PersonCard]) -> list[Member]:
    """Those who are here, then the members who are not; each part by name."""
    ties = Membership.objects.filter(room_id=room_id, left=False).select_related("user")
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


def info_of(me: PersonCard, rooms: list[RoomEntry]) -> MyInfo:
    contacts = []
    if me.id is not None:
        mine = Contact.objects.filter(Q(asker_id=me.id) | Q(asked_id=me.id)).select_related("asker", "asked")
        for contact in mine:
            other = contact.asked if contact.asker_id == me.id else contact.asker
            contacts.append(ContactEntry(other.pk, other.name, contact.state))
    return MyInfo(me, rooms, contacts)
