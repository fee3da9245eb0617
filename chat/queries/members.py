"""Who belongs to a room."""

import msgspec
from django.db.models import Q

from chat.models import Membership, Room
from chat.queries.structs import PersonCard, person_key

MAX_ABSENT = 200
"""Members who are not here, in one list."""
MAX_HERE = 1000
"""People who are, in one list: all of it must fit into an answer."""


class Member(msgspec.Struct):
    key: str
    id: int | None
    name: str
    is_guest: bool
    is_bot: bool
    role: str | None
    online: bool


def members_of(room_id: int, here: list[PersonCard]) -> list[Member]:
    """Those who are here, then the members who are not; each part by name."""
    belongs = Q(left=False) | Q(room__kind=Room.Kind.DIRECT)
    memberships = Membership.objects.filter(belongs, room_id=room_id).select_related("user")
    here_ids = {card.id for card in here if card.id is not None}
    roles = dict(memberships.filter(user_id__in=here_ids).values_list("user_id", "role"))
    present = [
        Member(card.key, card.id, card.name, card.is_guest, card.is_bot, roles.get(card.id or 0), True)
        for card in sorted(here, key=lambda card: card.name.casefold())[:MAX_HERE]
    ]
    absent = memberships.exclude(user_id__in=here_ids).filter(user__is_active=True).order_by("user__name_key")
    return present + [
        Member(person_key(user.pk), user.pk, user.name, user.is_guest, user.is_bot, membership.role, False)
        for membership in absent[:MAX_ABSENT]
        for user in (membership.user,)
    ]


def rooms_of(user_id: int) -> set[int]:
    """Keys of the rooms that a person belongs to."""
    return set(Membership.objects.filter(user_id=user_id, left=False).values_list("room_id", flat=True))


def memberships_in(room_id: int) -> dict[int, bool]:
    """User key → whether they left, of everyone who ever belonged to a room."""
    return dict(Membership.objects.filter(room_id=room_id).values_list("user_id", "left"))


def memberships_of(user_id: int, room_ids: tuple[int, ...]) -> dict[int, bool]:
    """Room key → whether they left, of one person in some rooms."""
    memberships = Membership.objects.filter(user_id=user_id, room_id__in=room_ids)
    return dict(memberships.values_list("room_id", "left"))
