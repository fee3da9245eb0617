"""Mutes and bans of a person."""

import msgspec
from django.db.models import Q

from chat.models import Sanction
from chat.queries.structs import instant


class SanctionEntry(msgspec.Struct):
    """One in force. `room`: None is everywhere; `by`: the name of who imposed it, empty if nobody did."""

    kind: str
    room: str | None
    reason: str
    until: str | None
    at: str
    by: str


def sanctions_of(user_id: int, room_id: int | None) -> list[SanctionEntry]:
    """Those in force of a person in a room (None: in none) and on the whole site, the oldest first."""
    here = Q(room__isnull=True) | Q(room_id=room_id or 0)
    found = Sanction.objects.in_force().filter(here, user_id=user_id).order_by("pk")
    return [
        SanctionEntry(
            kind=each.kind,
            room=each.room.name if each.room is not None else None,
            reason=each.reason,
            until=instant(each.until) if each.until is not None else None,
            at=instant(each.created_at),
            by=each.created_by.name if each.created_by is not None else "",
        )
        for each in found.select_related("room", "created_by")
    ]
