"""Why a switch of a room or of the site is on, and until when: as the log has it."""

from collections.abc import Collection

import msgspec
from django.db.models import QuerySet

from chat.models import Act

MOST_ACTS = 200
"""That are looked through, the newest first: what is older than as many has no reason that still matters."""


class Why(msgspec.Struct, frozen=True):
    """What whoever did something said about it: `until` in seconds of the epoch, None without an end."""

    reason: str = ""
    until: float | None = None


def why_rooms(field: str, room_ids: Collection[int]) -> dict[int, Why]:
    """Of each of these rooms, in which a field is set: why, where that is known."""
    if not room_ids:
        return {}
    acts = Act.objects.filter(kind__in=(Act.Kind.ROOM, Act.Kind.UNDO), room_id__in=room_ids)
    return _newest(acts, "room", field)


def why_site(field: str) -> Why:
    """The same of a field of the site's settings."""
    acts = Act.objects.filter(kind__in=(Act.Kind.SITE, Act.Kind.UNDO), room__isnull=True)
    return next(iter(_newest(acts, "sitesettings", field).values()), Why())


def _newest(acts: QuerySet[Act], table: str, field: str) -> dict[int, Why]:
    found: dict[int, Why] = {}
    for act in acts.select_related("ending").order_by("-pk")[:MOST_ACTS]:
        for change in act.changes:
            after = change["after"] or {}
            if change["table"] == table and field in after:
                ending = getattr(act, "ending", None)
                until = ending.at.timestamp() if ending is not None else None
                # The newest act decides: an older one may have been about another time.
                why = Why(act.reason, until) if after[field] else Why()
                found.setdefault(change["key"], why)
    return found
