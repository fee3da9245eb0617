"""
What events make stale is read again.

Such events wait in a set, so that a hundred changes of one room cost one read, and one task works them off in
order.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

from chat.models import Room
from chat.queries.identity import (
    Identity,
    accounts_of_sessions,
    identify,
    identities_of_keys,
    identity_of_key,
    sanctions_by_network,
    sessions_in_force,
)
from chat.queries.moderation.reports import count_open
from chat.queries.rooms import load_rooms, load_site
from chat.queries.structs import person_key
from chat.queries.tokens import tokens_in_force
from chat.realtime.clients import Client
from chat.realtime.connections import Connections
from chat.realtime.db import read
from chat.realtime.directory import Directory
from chat.realtime.watchers import Watchers
from chat.services.acts.undo import take_back_ended
from chat.services.events import (
    AddressesSanctioned,
    AnyEvent,
    ContactChanged,
    Gap,
    GuestChanged,
    PersonChanged,
    ReportsChanged,
    RoomChanged,
    SettingsChanged,
    SignedOut,
    TokenRevoked,
)
from rpc import CloseCode

T = TypeVar("T")

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.05
"""How long changes of room lists are gathered into one notification a person."""
RELOAD_SECONDS = 30.0
"""Rooms and settings are read again this often: for a change by a process that could not announce it."""
RETRY_SECONDS = 1.0
"""After something could not be read, until everything is read again."""
CHECKED_AT_ONCE = 200
"""People, sessions or tokens in one reading, between which the loop serves others."""


class Refresh:
    """
    The events whose consequences are still to be read, and the clients whose lists of rooms changed.

    The runtime gives it events on the loop; its tasks read, let `Connections` follow, and send the lists.
    It promises that an event is followed on every socket of this process well within a second.
    """

    def __init__(
        self,
        directory: Directory,
        connections: Connections,
        watchers: Watchers,
        write: Callable[..., Awaitable[Any]],
    ) -> None:
        self._directory = directory
        self._write = write
        self._site_read = asyncio.Event()
        self._connections = connections
        self._watchers = watchers
        self._stale: dict[AnyEvent, None] = {}
        self._dirty: set[Client] = set()
        """Clients whose list of rooms changed."""
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._retry: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        await self.reload()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._work_off(), name="refresh"),
            loop.create_task(self._reload_regularly(), name="reload"),
            loop.create_task(self._end_in_time(), name="ends of acts"),
        ]

    async def stop(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def note(self, event: AnyEvent) -> None:
        """An event made something stale."""
        self._stale[event] = None
        self._ready.set()

    async def follow_now(self, event: AnyEvent) -> None:
        """Follow an event before it comes round: who caused it may count on it at once, in this process."""
        self.note_lists(await self._follow(event))

    def note_lists(self, clients: Iterable[Client]) -> None:
        """The lists of rooms of these clients changed, and nothing else."""
        self._dirty.update(clients)
        self._ready.set()

    async def reload(self) -> set[Client]:
        """Read all rooms and switches; returns everyone if anything but a version differs, or whom it concerns."""
        directory = self._directory
        guests = await self._follow_addresses()
        known, before = directory.outline(), set(directory.rooms)
        rooms = await read(load_rooms)
        directory.put_rooms(rooms)
        # Not those that were made while the others were read.
        dropped = [directory.drop_room(room_id) for room_id in before - {room.id for room in rooms}]
        await self._read_site()
        if directory.outline() == known:
            return guests
        for room in dropped:
            if room is not None:
                await self._connections.follow_room(room.id, None, room)
        return await self._connections.follow_everything()

    async def _work_off(self) -> None:
        while True:
            await self._ready.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._ready.clear()
            stale, self._stale = self._stale, {}
            concerned, self._dirty = self._dirty, set()
            for event in stale:
                try:
                    concerned |= await self._follow(event)
                except Exception:
                    logger.exception("could not follow %s", type(event).__name__)
                    self._follow_later()
            self._connections.drop_refused(concerned)
            self._connections.tell_rooms(concerned & self._connections.clients)

    def _follow_later(self) -> None:
        """What could not be read is as good as not heard: a ban must not be forgotten with it."""
        if self._retry is not None:
            self._retry.cancel()
        self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.note, Gap())

    async def _reload_regularly(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            self.note(SettingsChanged())
            try:
                await self._close_ended()
            except Exception:
                logger.exception("could not read which sessions have ended")

    async def _read_site(self) -> None:
        self._directory.site = await read(load_site)
        self._site_read.set()

    async def _end_in_time(self) -> None:
        """Take back what was done until a time, when it has come; every process tries, and one does it."""
        while True:
            next_end = self._directory.site.next_end
            wait = RELOAD_SECONDS if next_end is None else min(max(next_end - time.time(), 0), RELOAD_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._site_read.wait()
            self._site_read.clear()
            if next_end is None or next_end > time.time():
                continue
            try:
                await self._write(take_back_ended)
                await self._read_site()
            except Exception:
                logger.exception("an act could not be ended in time")
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self, event: AnyEvent) -> set[Client]:
        """Read again what an event made stale; returns whose list of rooms may have changed."""
        match event:
            case RoomChanged(room_id=room_id):
                return await self._follow_room(room_id)
            case PersonChanged(user_id=user_id):
                # First their rights: whoever was removed from a room learns nothing more of it.
                concerned = await self._follow_person(user_id)
                await self._watchers.follow_memberships(user_id)
                return concerned | await self._follow_pairs(user_id)
            case GuestChanged(person_key=key):
                return await self._follow_guest(key)
            case AddressesSanctioned():
                return await self._follow_addresses()
            case ReportsChanged(room_id=room_id):
                return await _follow_reports(room_id, self._directory, self._connections)
            case ContactChanged(user_id=user_id):
                return await self._follow_pairs(user_id)
            case SignedOut(moved=moved):
                ended = [each for each in self._connections.clients if each.is_of(event)]
                _close(ended, "signed out", CloseCode.NORMAL if moved else CloseCode.LOG_IN)
                return set()
            case TokenRevoked(token_id=token_id):
                ended = [each for each in self._connections.clients if each.token and each.token.id == token_id]
                _close(ended, "this token was revoked")
                return set()
            case Gap():
                await self.reload()
                await self._check_people()
                await self._check_sessions()
                await self._check_tokens()
                await self._watchers.follow_all_memberships()
                return set(self._connections.clients)
            case _:
                return await self.reload()

    async def _close_ended(self) -> None:
        """Sessions that expired, or were deleted where nobody announced it."""
        for some in _portions({client.session_key for client in self._connections.clients}):
            ended = set(some) - await read(sessions_in_force, some)
            _close([each for each in self._connections.clients if each.session_key in ended], "signed out")

    async def _follow_room(self, room_id: int) -> set[Client]:
        known = self._directory.rooms.get(room_id)
        rooms = await read(load_rooms, Room.objects.filter(pk=room_id))
        self._directory.put_rooms(rooms)
        if not rooms:
            self._directory.drop_room(room_id)
        return await self._connections.follow_room(room_id, rooms[0] if rooms else None, known)

    async def _follow_pairs(self, user_id: int) -> set[Client]:
        """A person may have another name, which their direct rooms bear, or may no longer post in one of them."""
        known = self._directory.direct_rooms_of(user_id)
        if not known:
            return set()
        self._directory.put_rooms(await read(load_rooms, Room.objects.filter(pk__in=[room.id for room in known])))
        now = self._directory.rooms
        changed = [
            room for room in known if (now[room.id].pair, now[room.id].unwanted) != (room.pair, room.unwanted)
        ]
        others = {person_key(key) for room in changed for key in room.pair}
        people = [self._directory.people[key] for key in others if key in self._directory.people]
        return {client for person in people for client in person.clients}

    async def _follow_addresses(self) -> set[Client]:
        changed = self._directory.put_sanctions(await read(sanctions_by_network))
        return await self._connections.follow_guests(changed)

    async def _follow_person(self, user_id: int) -> set[Client]:
        if person_key(user_id) not in self._directory.people:
            return set()
        identity = await read(identity_of_key, user_id)
        return await self._become(identity) if identity is not None else set()

    async def _become(self, identity: Identity) -> set[Client]:
        person = self._directory.people.get(identity.key)
        return await self._connections.become(tuple(person.clients), identity) if person is not None else set()

    async def _follow_guest(self, key: str) -> set[Client]:
        person = self._directory.people.get(key)
        session_key = next((each.session_key for each in person.clients), None) if person is not None else None
        if person is None or session_key is None:
            return set()
        identity = await read(identify, session_key)
        return await self._connections.become(tuple(person.clients), identity)

    async def _check_people(self) -> None:
        """Everyone who is connected is as the database has them now: muted, banned, a member or not."""
        ids = {person.identity.user_id for person in self._directory.people.values()}
        for some in _portions(ids):
            for identity in await read(identities_of_keys, some):
                person = self._directory.people.get(identity.key)
                if person is not None and person.identity != identity:
                    # Close them before others are looked at: that may take a while.
                    self._connections.drop_refused(await self._become(identity))

    async def _check_sessions(self) -> None:
        """Whoever logged out is closed, and a guest may have an account by now."""
        keys = {client.session_key for client in self._connections.clients}
        for some in _portions(keys):
            accounts = await read(accounts_of_sessions, some)
            ended = []
            for client in tuple(self._connections.clients):
                if client.session_key not in accounts:
                    continue
                who, account = client.person.identity, accounts[client.session_key]
                if who.user_id is None and account is not None:
                    await self._follow_guest(who.key)
                elif who.user_id != account:
                    ended.append(client)
            _close(ended, "signed out")

    async def _check_tokens(self) -> None:
        """Sockets of tokens that were revoked are closed."""
        ids = {client.token.id for client in self._connections.clients if client.token is not None}
        for some in _portions(ids):
            revoked = set(some) - await read(tokens_in_force, some)
            ended = [each for each in self._connections.clients if each.token and each.token.id in revoked]
            _close(ended, "this token was revoked")


async def _follow_reports(room_id: int, directory: Directory, connections: Connections) -> set[Client]:
    """Only moderators hear of it: a report must not send everybody their list of rooms."""
    reports = await read(count_open, Room.objects.filter(pk=room_id))
    room = directory.rooms.get(room_id)
    if room is not None:
        room.reports = reports.get(room_id, 0)
    return {each for each in connections.clients if room is not None and each.person.moderates(room)}


def _close(clients: list[Client], text: str, code: CloseCode = CloseCode.LOG_IN) -> None:
    for client in clients:
        client.link.close(code, text)


def _portions(keys: Collection[T | None]) -> Iterator[list[T]]:
    """The keys, `CHECKED_AT_ONCE` at a time."""
    listed = [key for key in keys if key is not None]
    for start in range(0, len(listed), CHECKED_AT_ONCE):
        yield listed[start : start + CHECKED_AT_ONCE]
