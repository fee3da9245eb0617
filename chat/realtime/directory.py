"""What this process knows of rooms, people and the site: read once, read again when an event says so."""

import asyncio
import time
from typing import Any

import msgspec
from django.db.models import QuerySet

from chat.models import Contact, Membership, Room, Sanction, SiteSettings
from chat.names import name_key
from chat.queries.identity import Identity, Place, Restraint
from chat.services.events import PersonCard, Posted
from rpc.limits import TokenBucket

OWNER = Membership.Role.OWNER.value
MODERATOR = Membership.Role.MODERATOR.value
PACE_SECONDS = 60
"""More than what a posting allowance takes to be whole again."""


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

    def title_for(self, user_id: int | None) -> str:
        """What the room is called before a person: a direct one by the other's name."""
        others = [name for key, name in self.pair.items() if key != user_id]
        return others[0] if len(others) == 1 else self.name


class SiteFacts(msgspec.Struct, frozen=True):
    title: str
    sign_up: str
    guests_allowed: bool
    rooms_by_everyone: bool
    edit_window_minutes: int


class Pace:
    """How fast one person posts in this process, through all doors; outlives his connections."""

    __slots__ = ("allowance", "last_posts", "posted_at")

    def __init__(self) -> None:
        self.allowance: TokenBucket | None = None
        """How many posts he may make now; None before the first."""
        self.last_posts: dict[int, float] = {}
        """Room key → when he last posted there, on the monotonic clock: for slow mode."""
        self.posted_at = float("-inf")
        """When he last asked to post anywhere, on the monotonic clock."""


class Person:
    """One person who is connected to this process, shared by all of his connections here."""

    __slots__ = ("account", "clients", "identity", "pace", "watched_ends")

    def __init__(self, identity: Identity, pace: Pace | None = None) -> None:
        self.identity = identity
        self.clients: set[Any] = set()
        self.account: asyncio.Task[int] | None = None
        """Makes the row of a visitor: one, however many of his posts wait for it."""
        self.pace = pace if pace is not None else Pace()
        self.watched_ends: set[float] = set()
        """Ends of his sanctions, in seconds of the epoch, at which his rights will be read again."""

    @property
    def card(self) -> PersonCard:
        who = self.identity
        return PersonCard(who.key, who.user_id, who.name, who.is_guest, who.is_bot)

    def place_in(self, room: RoomFacts) -> Place | None:
        """His membership, unless he left."""
        place = self.identity.places.get(room.id)
        return place if place is not None and not place.left else None

    def role_in(self, room: RoomFacts) -> str | None:
        """Staff own every room that they can see, but a conversation of two has no owner."""
        if self.identity.is_staff and room.kind != Room.Kind.DIRECT:
            return OWNER
        place = self.place_in(room)
        return place.role if place is not None else None

    def restraint(self, kind: str, room: RoomFacts | None = None) -> Restraint | None:
        """The sanction of a kind in force everywhere or in `room`."""
        now = time.time()
        for each in self.identity.restraints:
            here = each.room_id is None or (room is not None and each.room_id == room.id)
            if here and each.kind == kind and (each.until is None or each.until > now):
                return each
        return None


class Directory:
    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.rooms: dict[int, RoomFacts] = {}
        self._paces: dict[str, Pace] = {}
        self._by_key: dict[str, RoomFacts] = {}
        self._direct: dict[int, set[int]] = {}
        """User key → keys of his direct rooms: nobody's list is made by looking through those of all others."""
        self._shared: dict[int, RoomFacts] = {}
        self.site = SiteFacts("", SiteSettings.SignUp.CLOSED, False, True, 0)

    def room_named(self, name: str) -> RoomFacts | None:
        return self._by_key.get(name_key(name))

    def pace_of(self, key: str) -> Pace:
        """By the key of a person, who need not be connected: else coming back would be a way to post faster."""
        return self._paces.setdefault(key, Pace())

    def keep_pace(self, key: str, pace: Pace) -> None:
        """A visitor's pace goes with him when he gets another key."""
        self._paces[key] = pace

    def forget_paces(self, now: float) -> None:
        """Forget those who left so long ago that they may post anyway; `now` is the monotonic clock in seconds."""
        slowest = max((room.slow_mode_seconds for room in self.rooms.values()), default=0)
        expiry = now - max(slowest, PACE_SECONDS)
        self._paces = {
            key: pace for key, pace in self._paces.items() if key in self.people or pace.posted_at > expiry
        }

    def rooms_around(self, person: Person) -> list[RoomFacts]:
        """All rooms but the direct ones of other people, in the order of their keys."""
        direct = self.direct_rooms_of(person.identity.user_id)
        return sorted([*self._shared.values(), *direct], key=lambda room: room.id)

    def direct_rooms_of(self, user_id: int | None) -> list[RoomFacts]:
        return [self.rooms[room_id] for room_id in self._direct.get(user_id or 0, ())]

    def put_rooms(self, rooms: list[RoomFacts]) -> None:
        """Take rooms as the database has them; a version that an event brought meanwhile is not lost."""
        for facts in rooms:
            known = self.drop_room(facts.id)
            if known is not None:
                facts.version = max(facts.version, known.version)
                facts.posts = max(facts.posts, known.posts)
                facts.last_seq = known.last_seq
            self.rooms[facts.id] = facts
            self._by_key[name_key(facts.name)] = facts
            if facts.kind != Room.Kind.DIRECT:
                self._shared[facts.id] = facts
            for user_id in facts.pair:
                self._direct.setdefault(user_id, set()).add(facts.id)

    def drop_room(self, room_id: int) -> RoomFacts | None:
        """Forget a room; returns what was known of it."""
        known = self.rooms.pop(room_id, None)
        if known is not None:
            self._by_key.pop(name_key(known.name), None)
            self._shared.pop(room_id, None)
            for user_id in known.pair:
                self._direct[user_id].discard(room_id)
        return known

    def outline(self) -> object:
        """What two readings are compared by: everything but what moves with each post."""
        rooms = {
            room.id: msgspec.structs.replace(room, version=0, posts=0, last_seq=0) for room in self.rooms.values()
        }
        return rooms, self.site

    def note_posts(self, event: Posted) -> None:
        room = self.rooms.get(event.room_id)
        if room is not None:
            newest = event.messages[-1]
            room.version = max(room.version, newest.version)
            room.posts = max(room.posts, newest.number)
            room.last_seq = max(room.last_seq, newest.seq)

    def note_version(self, room_id: int, version: int) -> None:
        room = self.rooms.get(room_id)
        if room is not None:
            room.version = max(room.version, version)


def load_rooms(rooms: QuerySet[Room] | None = None) -> list[RoomFacts]:
    """Read rooms in a database thread: all, or those of a query."""
    wanted = Room.objects.all() if rooms is None else rooms
    found = [RoomFacts(*values) for values in wanted.values_list(*_ROOM_FIELDS)]
    direct = {room.id: room for room in found if room.kind == Room.Kind.DIRECT}
    if direct:
        _load_pairs(direct, wanted)
    return found


_ROOM_FIELDS = [field for field in RoomFacts.__struct_fields__ if field not in ("last_seq", "pair", "unwanted")]


def _load_pairs(rooms: dict[int, RoomFacts], wanted: QuerySet[Room]) -> None:
    ties = Membership.objects.filter(room__in=wanted.filter(kind=Room.Kind.DIRECT).values("pk"))
    for room_id, user_id, name in ties.values_list("room_id", "user_id", "user__name"):
        if room_id in rooms:
            rooms[room_id].pair[user_id] = name
    declined = Contact.objects.filter(state=Contact.State.DECLINED, asker__in=ties.values("user_id"))
    askers: dict[int, set[int]] = {}
    for asker_id, asked_id in declined.values_list("asker_id", "asked_id"):
        askers.setdefault(asker_id, set()).add(asked_id)
    for room in rooms.values():
        room.unwanted = frozenset(key for key in room.pair if askers.get(key, set()) & room.pair.keys())


def load_site() -> SiteFacts:
    settings = SiteSettings.objects.filter(pk=1).first() or SiteSettings()
    return SiteFacts(*(getattr(settings, field) for field in SiteFacts.__struct_fields__))


BAN = Sanction.Kind.BAN.value
MUTE = Sanction.Kind.MUTE.value
