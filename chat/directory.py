"""What this process knows of rooms, people and the site: read once, read again when an event says so."""

import asyncio
import time
from typing import Any

import msgspec
from django.db.models import QuerySet

from chat.events import PersonCard, Posted
from chat.identity import Identity, Place, Restraint
from chat.models import Membership, Room, Sanction, SiteSettings
from chat.names import name_key
from rpc.limits import TokenBucket

OWNER = Membership.Role.OWNER.value
MODERATOR = Membership.Role.MODERATOR.value


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


class SiteFacts(msgspec.Struct, frozen=True):
    title: str
    sign_up: str
    guests_allowed: bool
    rooms_by_everyone: bool
    edit_window_minutes: int


class Person:
    """One person who is connected to this process, shared by all of his connections here."""

    __slots__ = ("account", "allowance", "clients", "identity", "last_posts")

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.clients: set[Any] = set()
        self.last_posts: dict[int, float] = {}
        """Room key → when he last posted there, on the monotonic clock: for slow mode."""
        self.account: asyncio.Task[int] | None = None
        """Makes the row of a visitor: one, however many of his posts wait for it."""
        self.allowance: TokenBucket | None = None
        """How many posts he may make now, on all of his connections here; None before the first."""

    @property
    def card(self) -> PersonCard:
        who = self.identity
        return PersonCard(who.key, who.user_id, who.name, who.is_guest, who.is_bot)

    def place_in(self, room: RoomFacts) -> Place | None:
        """His membership, unless he left."""
        place = self.identity.places.get(room.id)
        return place if place is not None and not place.left else None

    def role_in(self, room: RoomFacts) -> str | None:
        """Staff own every room that they can see."""
        if self.identity.is_staff:
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
        self._by_key: dict[str, RoomFacts] = {}
        self.site = SiteFacts("", SiteSettings.SignUp.CLOSED, False, True, 0)

    def room_named(self, name: str) -> RoomFacts | None:
        return self._by_key.get(name_key(name))

    def put_rooms(self, rooms: list[RoomFacts]) -> None:
        """Take rooms as the database has them; a version that an event brought meanwhile is not lost."""
        for facts in rooms:
            known = self.rooms.get(facts.id)
            if known is not None:
                self._by_key.pop(name_key(known.name), None)
                facts.version = max(facts.version, known.version)
                facts.posts = max(facts.posts, known.posts)
                facts.last_seq = known.last_seq
            self.rooms[facts.id] = facts
            self._by_key[name_key(facts.name)] = facts

    def drop_room(self, room_id: int) -> None:
        known = self.rooms.pop(room_id, None)
        if known is not None:
            self._by_key.pop(name_key(known.name), None)

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
    fields = [field for field in RoomFacts.__struct_fields__ if field != "last_seq"]
    return [RoomFacts(*values) for values in (Room.objects.all() if rooms is None else rooms).values_list(*fields)]


def load_site() -> SiteFacts:
    settings = SiteSettings.objects.filter(pk=1).first() or SiteSettings()
    return SiteFacts(*(getattr(settings, field) for field in SiteFacts.__struct_fields__))


BAN = Sanction.Kind.BAN.value
MUTE = Sanction.Kind.MUTE.value
