"""What this process knows of rooms, people and the site: read once, read again when an event says so."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import msgspec

from chat.models import Membership, Room, Sanction, SiteSettings
from chat.names import name_key
from chat.queries.guests import client_network
from chat.queries.identity import Identity, MembershipFacts, SanctionFacts
from chat.queries.rooms import RoomFacts, SiteFacts
from chat.queries.structs import PersonCard
from chat.services.events import Posted

OWNER = Membership.Role.OWNER.value
MODERATOR = Membership.Role.MODERATOR.value
BAN = Sanction.Kind.BAN.value
MUTE = Sanction.Kind.MUTE.value

END_SLACK = 0.1
"""Seconds after the end of a sanction until it is looked at: the database's clock counts."""


class Person:
    """
    One person who is connected to this process, shared by all of their connections here.

    Made by `Connections` on the loop, read by rights and lists there. `identity` is replaced as a whole when
    the database has another one; whoever holds the person sees the new one at once.

    Args:
        directory: of the process, with what holds for guests by their address, and the site's settings; None:
            nothing is known of these.
    """

    __slots__ = ("account", "clients", "directory", "identity", "networks", "wakeups")

    def __init__(self, identity: Identity, directory: "Directory | None" = None) -> None:
        self.identity = identity
        self.directory = directory if directory is not None else Directory()
        self.networks: set[str] = set()
        """From where they have come while they are here; what is no client's own is not among them."""
        self.clients: set[Any] = set()
        self.account: asyncio.Task[int] | None = None
        """Opens the account of a guest: one, however many of their posts wait for it."""
        self.wakeups: dict[float, asyncio.TimerHandle] = {}
        """Ends of their sanctions, in seconds of the epoch, at which their rights are read again."""

    @property
    def card(self) -> PersonCard:
        return self.identity.card

    def take(self, client: Any) -> None:
        """A client is theirs from now on."""
        self.clients.add(client)
        self.come_from(client.address)

    def come_from(self, address: str) -> None:
        """What holds for the guests of this address holds for them, if they are one."""
        network = client_network(address)
        if network is not None:
            self.networks.add(network)

    @property
    def is_held_by_address(self) -> bool:
        """Whether they are a guest for whom sanctions of other guests hold, so that they see what no other does."""
        return self.identity.is_guest and any(each in self.directory.by_network for each in self.networks)

    def is_guest_of(self, networks: set[str]) -> bool:
        """Whether they are a guest who came from one of these."""
        return self.identity.is_guest and not self.networks.isdisjoint(networks)

    def membership_in(self, room: RoomFacts) -> MembershipFacts | None:
        """Their membership, unless they left."""
        membership = self.identity.memberships.get(room.id)
        return membership if membership is not None and not membership.left else None

    def role_in(self, room: RoomFacts) -> str | None:
        """Staff own every room that they can see, but a conversation of two has no owner."""
        if self.identity.is_staff and room.kind != Room.Kind.DIRECT:
            return OWNER
        membership = self.membership_in(room)
        return membership.role if membership is not None else None

    def moderates(self, room: RoomFacts) -> bool:
        return self.role_in(room) in (MODERATOR, OWNER)

    def sanction(self, kind: str, room: RoomFacts | None = None) -> SanctionFacts | None:
        """The sanction of a kind in force everywhere or in `room`."""
        now = time.time()
        for each in self._sanctions(room):
            here = each.room_id is None or (room is not None and each.room_id == room.id)
            if here and each.kind == kind and (each.until is None or each.until > now):
                return each
        return None

    def _sanctions(self, room: RoomFacts | None) -> Iterator[SanctionFacts]:
        """Their own, and those of guests of their address, which do not turn moderators out of their rooms."""
        yield from self.identity.sanctions
        if self.identity.is_guest:
            moderates = room is not None and self.moderates(room)
            for network in self.networks:
                for each in self.directory.by_network.get(network, ()):
                    if each.room_id is None or not moderates:
                        yield each

    def wake_at_ends(self, over: Callable[[Self], None]) -> None:
        """Call `over` when a sanction ends by itself, until `sleep`."""
        ends = {sanction.until for sanction in self.identity.sanctions if sanction.until is not None}
        for until in self.wakeups.keys() - ends:
            self.wakeups.pop(until).cancel()
        for until in ends - self.wakeups.keys():
            delay = max(until - time.time(), 0) + END_SLACK
            self.wakeups[until] = asyncio.get_running_loop().call_later(delay, self._end, until, over)

    def sleep(self) -> None:
        """They left: no end of a sanction matters here any more."""
        for wakeup in self.wakeups.values():
            wakeup.cancel()
        self.wakeups.clear()

    def _end(self, until: float, over: Callable[[Self], None]) -> None:
        del self.wakeups[until]
        over(self)


class Directory:
    """
    Rooms, connected people, the site's switches and sanctions of addresses, by key and by name.

    Filled by the runtime and `Refresh`, read by everything on the loop without a wait. Whoever reads it in one
    turn of the loop sees one state.
    """

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.rooms: dict[int, RoomFacts] = {}
        self.by_network: dict[str, list[SanctionFacts]] = {}
        """Sanctions that hold for guests by their address."""
        self.site = SiteFacts("", SiteSettings.SignUp.CLOSED, False, True, 0)
        self._by_name: dict[str, RoomFacts] = {}
        self._direct: dict[int, set[int]] = {}
        """User key → keys of their direct rooms: nobody's list is made by looking through those of all others."""
        self._shared: dict[int, RoomFacts] = {}

    def room_named(self, name: str) -> RoomFacts | None:
        return self._by_name.get(name_key(name))

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
            self._by_name[name_key(facts.name)] = facts
            if facts.kind != Room.Kind.DIRECT:
                self._shared[facts.id] = facts
            for user_id in facts.pair:
                self._direct.setdefault(user_id, set()).add(facts.id)

    def drop_room(self, room_id: int) -> RoomFacts | None:
        """Forget a room; returns what was known of it."""
        known = self.rooms.pop(room_id, None)
        if known is not None:
            self._by_name.pop(name_key(known.name), None)
            self._shared.pop(room_id, None)
            for user_id in known.pair:
                self._direct[user_id].discard(room_id)
        return known

    def put_sanctions(self, by_network: dict[str, list[SanctionFacts]]) -> set[str]:
        """Take the sanctions of addresses as the database has them; returns the networks where they differ."""
        known, self.by_network = self.by_network, by_network
        return {each for each in known.keys() | by_network.keys() if known.get(each) != by_network.get(each)}

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
