"""Rooms and the site's switches, as rights and lists need them."""

import msgspec
from django.db.models import QuerySet

from chat.models import Contact, Ending, Membership, Room, SiteSettings
from chat.names import unmarked
from chat.queries.moderation.reports import count_open
from chat.queries.moderation.switches import Why, why_rooms, why_site
from chat.queries.rates import Rate, load_rates


class RoomFacts(msgspec.Struct):
    """A room as rights and lists need it. `last_seq` is 0 until this process has heard a post in it."""

    id: int
    name: str
    kind: str
    topic: str
    auto_join: bool
    archived: bool
    read_only: bool
    slow_mode_seconds: int
    version: int
    posts: int
    last_seq: int = 0
    pair: dict[int, str] = {}
    """Of a direct room: user key → name of the two."""
    unwanted: frozenset[int] = frozenset()
    """Of a direct room: those of the two whom the other declined."""
    calm: bool = False
    """Of every room, while guests of the site read only."""
    reports: int = 0
    """That nobody answered yet."""
    why_read_only: Why = Why()
    why_calm: Why = Why()

    def title_for(self, user_id: int | None) -> str:
        """What people see: the other's name for a direct room, and no mark for a private one."""
        if self.kind == Room.Kind.PRIVATE:
            return unmarked(self.name)
        others = [name for key, name in self.pair.items() if key != user_id]
        return others[0] if len(others) == 1 else self.name


class SiteFacts(msgspec.Struct, frozen=True):
    title: str
    sign_up: str
    guests_allowed: bool
    rooms_by_everyone: bool
    edit_window_minutes: int
    calm: bool = False
    objections: str = ""
    next_end: float | None = None
    """When the next act that holds for a time is over, in seconds of the epoch."""
    guests_at_once: int = 2000
    guests_per_address: int = 100
    rates: dict[str, Rate] = {}
    """Those that were changed, by name."""


def load_rooms(rooms: QuerySet[Room] | None = None) -> list[RoomFacts]:
    """Read rooms: all, or those of a query."""
    wanted = Room.objects.all() if rooms is None else rooms
    found = [RoomFacts(*values) for values in wanted.values_list(*_ROOM_FIELDS)]
    calm = SiteSettings.current().calm
    why_calm = why_site("calm") if calm else Why()
    why_read_only = why_rooms("read_only", [room.id for room in found if room.read_only])
    reports = count_open(wanted)
    for room in found:
        room.calm, room.why_calm = calm, why_calm
        room.why_read_only = why_read_only.get(room.id, Why())
        room.reports = reports.get(room.id, 0)
    direct = {room.id: room for room in found if room.kind == Room.Kind.DIRECT}
    if direct:
        _load_pairs(direct, wanted)
    return found


_COLUMNS = {field.name for field in Room._meta.concrete_fields}
_ROOM_FIELDS = [field for field in RoomFacts.__struct_fields__ if field in _COLUMNS]


def _load_pairs(rooms: dict[int, RoomFacts], wanted: QuerySet[Room]) -> None:
    memberships = Membership.objects.filter(room__in=wanted.filter(kind=Room.Kind.DIRECT).values("pk"))
    for room_id, user_id, name in memberships.values_list("room_id", "user_id", "user__name"):
        if room_id in rooms:
            rooms[room_id].pair[user_id] = name
    declined = Contact.objects.filter(state=Contact.State.DECLINED, asker__in=memberships.values("user_id"))
    askers: dict[int, set[int]] = {}
    for asker_id, asked_id in declined.values_list("asker_id", "asked_id"):
        askers.setdefault(asker_id, set()).add(asked_id)
    for room in rooms.values():
        room.unwanted = frozenset(key for key in room.pair if askers.get(key, set()) & room.pair.keys())


def load_site() -> SiteFacts:
    settings = SiteSettings.current()
    next_end = Ending.objects.order_by("at").values_list("at", flat=True).first()
    fields = [field for field in SiteFacts.__struct_fields__ if field not in ("rates", "next_end")]
    return SiteFacts(
        **{field: getattr(settings, field) for field in fields},
        rates=load_rates(),
        next_end=next_end.timestamp() if next_end is not None else None,
    )
