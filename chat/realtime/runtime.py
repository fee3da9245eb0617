"""
What one serving process runs: hub, writer, directory, presence; and the sockets that are connected to it.

Events of the whole site come in through one listener. Those that make a cache stale wait in a set, so that a
hundred changes of one room cost one read, and one task works them off in order.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

import msgspec
from channels.layers import get_channel_layer

from chat.actions import access
from chat.models import Room
from chat.queries.guests import visitor_key
from chat.queries.identity import Identity, Place, identify, of_user_id, session_key_of
from chat.queries.tokens import READ, FoundToken, bearer_of, find_token
from chat.realtime.clients import Client, notification, rooms_notification
from chat.realtime.db import read
from chat.realtime.directory import Directory, Person, RoomFacts, load_rooms, load_site
from chat.realtime.hub import Hub
from chat.realtime.links import Link
from chat.realtime.metrics import CONNECTIONS
from chat.realtime.presence import Presence
from chat.realtime.read_markers import Places
from chat.realtime.token_use import TokenUse
from chat.realtime.watchers import Watchers
from chat.realtime.writer import Writer, WriterBusy
from chat.services import accounts as people
from chat.services import memberships
from chat.services.events import (
    AnyEvent,
    Changed,
    ContactChanged,
    Gap,
    PersonChanged,
    Posted,
    PresenceChanged,
    RoomChanged,
    SettingsChanged,
    SignedOut,
    TokenRevoked,
    VisitorChanged,
    room_topic,
)
from chat.services.memberships import posts_up_to
from chat.services.posts import NewPost, Stored
from rpc import CloseCode, Refused, RetryLater

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

GATHER_SECONDS = 0.05
"""How long changes of room lists are gathered into one notification a person."""
RELOAD_SECONDS = 30.0
"""Rooms and settings are read again this often: for a change by a process that could not announce it."""
END_SLACK = 0.1
"""Seconds after the end of a sanction until it is looked at: the database's clock counts."""
BUSY_RETRY_MS = 1000


class Runtime:
    def __init__(self) -> None:
        self.directory = Directory()
        self.hub = Hub(get_channel_layer())
        self.writer = Writer(self._announce_posts)
        self.presence = Presence(self.hub, self.writer)
        self.places = Places(self.writer)
        self.token_use = TokenUse(self.writer)
        self.watchers = Watchers(self.directory, self.presence)
        self.clients: set[Client] = set()
        CONNECTIONS.set_function(lambda: len(self.clients))
        self._stale: dict[AnyEvent, None] = {}
        self._stale_ready = asyncio.Event()
        self._dirty: set[Client] = set()
        """Sockets whose list of rooms changed."""
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.hub.listen(self._hear)
        self.writer.start()
        await self.hub.start()
        await self._reload()
        await self.presence.start()
        await self.places.start()
        await self.token_use.start()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._refresh(), name="directory"),
            loop.create_task(self._reload_regularly(), name="directory reload"),
        ]

    async def stop(self, timeout: float) -> None:
        """Let the writer finish, for at most `timeout` seconds, and end every task."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.presence.stop()
        await self.places.stop()
        await self.token_use.stop()
        await self.writer.stop(timeout)
        await self.hub.stop()

    async def connect(
        self, link: Link, *, secret: str | None = None, needs: str | None = None, entered: set[int] | None = None
    ) -> Client:
        """
        Give a new connection its person, its topics and its list of rooms.

        Args:
            secret: of its token; else that of its header counts, else its session.
            needs: the scope without which a token is of no use at this door.
            entered: the rooms it hears, for a door at which one enters them; None: all of the person's list.

        Raises:
            Refused: this person may not be connected.
        """
        secret = secret or bearer_of(link.scope)
        token, session_key = None, None
        if secret is not None:
            token, identity = await self._token(secret, needs)
        else:
            session_key = session_key_of(link.scope)
            identity = await read(identify, session_key)
        refusal = access.refusal_to_enter(Person(identity), self.directory.site)
        if refusal is not None:
            raise Refused(*refusal)
        if session_key is not None and identity.user_id is None and identity.key != visitor_key(session_key):
            session_key = None  # a session that is no more
        person = self._person(identity)
        client = Client(self, link, person, session_key=session_key, token=token, entered=entered)
        self.clients.add(client)
        client.person.clients.add(client)
        try:
            await self._follow_fresh(client)
        except BaseException:
            # Nobody holds the client yet who could undo this.
            await self.disconnect(client)
            raise
        self._expire(client)
        self.tell_rooms([client])
        self._introduce(client)
        return client

    async def visit(self, link: Link, secret: str) -> Client:
        """
        A token's person for one request: rights and pace as with `connect`, but it hears nothing and is not
        shown as here; there is nothing to disconnect.

        Raises:
            Refused: no such token, or its person may not be connected.
        """
        token, identity = await self._token(secret, None)
        person = self.directory.people.get(identity.key)
        if person is None:
            person = Person(identity, self.directory.pace_of(identity.key))
        refusal = access.refusal_to_enter(person, self.directory.site)
        if refusal is not None:
            raise Refused(*refusal)
        return Client(self, link, person, session_key=None, token=token, entered=set())

    async def log_in(self, client: Client, secret: str, *, needs: str | None = None) -> None:
        """
        From now on a connection is its token's person.

        Raises:
            Refused: no such token, not for this door, or its person may not be connected.
        """
        token, identity = await self._token(secret, needs)
        refusal = access.refusal_to_enter(Person(identity), self.directory.site)
        if refusal is not None:
            raise Refused(*refusal)
        client.token = token
        client.session_key = client.session = None
        await self._become((client,), identity)
        self._expire(client)
        self.tell_rooms([client])

    async def enter(self, client: Client, name: str) -> RoomFacts:
        """
        Let a connection hear a room that it asks for, also one that its person has left.

        Raises:
            OperationError: `no_such_room`, `not_allowed`.
            RetryLater: `busy`.
        """
        client.require(READ)
        room = access.find_room(self.directory, client.person, name)
        who = client.person.identity
        if who.user_id is not None and not access.may_stay(client.person, room):
            await self.write(memberships.join_room, room.id, who.user_id)
            await self.catch_up(client, room.id)
        if client.entered is not None:
            client.entered.add(room.id)
        await self._follow_fresh(client)
        return self.directory.rooms[room.id]

    async def leave(self, client: Client, name: str) -> None:
        """
        No longer let a connection hear a room that it entered; its person stays what he is.

        Raises:
            OperationError: `no_such_room`.
        """
        room = access.find_room(self.directory, client.person, name)
        if client.entered is not None:
            client.entered.discard(room.id)
        await client.follow_all(self.hub, self.directory)

    async def _token(self, secret: str, needs: str | None) -> tuple[FoundToken, Identity]:
        found = await read(find_token, secret)
        if found is None:
            raise Refused(CloseCode.LOG_IN, "this token is unknown, revoked or expired")
        token, identity = found
        if needs is not None and needs not in token.scopes:
            raise Refused(CloseCode.NOT_ALLOWED, f"this token may not be used here: it lacks the scope {needs}")
        self.token_use.note(token)
        return token, identity

    async def _follow_fresh(self, client: Client) -> None:
        # Rooms that nobody here listened to may have moved on unheard: subscribe first, then read them.
        rooms = self.directory.rooms_around(client.person)
        unheard = [room.id for room in rooms if not self.hub.hears(room_topic(room.id))]
        await client.follow_all(self.hub, self.directory)
        if unheard:
            self.directory.put_rooms(await read(load_rooms, Room.objects.filter(pk__in=unheard)))

    def _expire(self, client: Client) -> None:
        if client.token is not None and client.token.expires_at is not None:
            delay = max(client.token.expires_at - time.time(), 0)
            asyncio.get_running_loop().call_later(delay, self._hear, TokenRevoked(client.token.id))

    async def disconnect(self, client: Client) -> None:
        client.gone = True
        self.clients.discard(client)
        self._part(client)
        self.watchers.leave(client)
        self.presence.closed(client)
        await client.unfollow_all(self.hub)

    async def post(self, post: NewPost) -> Stored:
        """
        Store a post; returns when it is durable.

        Raises:
            RetryLater: `busy`.
        """
        try:
            return await self.writer.post(post)
        except WriterBusy:
            raise busy() from None

    async def write(self, service: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        Run a service of `chat.services`; returns when it is committed.

        Raises:
            RetryLater: `busy`.
        """
        try:
            return await self.writer.run(service, *args, **kwargs)
        except WriterBusy:
            raise busy() from None

    async def account(self, client: Client) -> int:
        """The key of the row of this socket's person; a visitor gets one now."""
        person = client.person
        if person.identity.user_id is not None:
            return person.identity.user_id
        if person.account is None:
            # One task for all that wait: each would make a person of its own.
            person.account = asyncio.get_running_loop().create_task(self._make_account(client), name="new account")
        try:
            return await asyncio.shield(person.account)
        finally:
            person.account = None

    async def _make_account(self, client: Client) -> int:
        user_id = await self.write(people.keep_visitor, client.session_key, client.person.identity.name)
        identity = await read(of_user_id, user_id)
        assert identity is not None  # its row was committed a moment ago, and people are never deleted
        self.directory.keep_pace(identity.key, client.person.pace)
        await self._become(tuple(client.person.clients), identity)
        return user_id

    async def rename(self, client: Client, name: str) -> str:
        """
        Give the socket's person another name, for good if he has a session.

        Returns:
            The name as it is stored.
        Raises:
            OperationError: `empty_name`, `bad_name`, `name_taken`.
        """
        who = client.person.identity
        if who.user_id is not None:
            return (await self.write(people.rename, who.user_id, name)).name
        if client.session_key is not None:
            return await self.write(people.rename_visitor, client.session_key, name)
        name = await read(people.free_name, name)
        await self._become((client,), msgspec.structs.replace(who, name=name))
        return name

    async def mark_read(self, client: Client, room: RoomFacts, seq: int) -> Place:
        """Move the person's place in a room forward to `seq`; it is stored with the next batch of places."""
        if 0 < room.last_seq <= seq:
            seq, number = room.last_seq, room.posts
        else:
            seq, number = await read(posts_up_to, room.id, seq)
        who = client.person.identity
        place = client.person.place_in(room)
        if place is None:
            place = Place(role="member", left=False, muted=False, read_seq=0, read_posts=0)
            if who.user_id is not None:
                who.places[room.id] = place
        if seq > place.read_seq:
            place.read_seq, place.read_posts = seq, number
            if who.user_id is not None:
                self.places.note(room.id, who.user_id, seq, number)
                self._dirty |= client.person.clients - {client}
                self._stale_ready.set()
        return place

    async def catch_up(self, client: Client, room_id: int) -> None:
        """Take in at once what this socket's own write changed, before the event of it comes round."""
        self.directory.put_rooms(await read(load_rooms, Room.objects.filter(pk=room_id)))
        who = client.person.identity
        identity = await read(of_user_id, who.user_id) if who.user_id is not None else who
        await self._become((client,), identity or who)
        self.tell_rooms([client])

    def tell_rooms(self, clients: Iterable[Client]) -> None:
        """
        Send each its list of rooms, unless it enters them one by one; all sockets of one person get the same
        bytes, and so do all visitors.
        """
        lists = {}
        for client in clients:
            if client.entered is not None:
                continue
            who = client.person.identity
            shared = client.person if who.user_id is not None else None
            if shared not in lists:
                lists[shared] = rooms_notification(client.person, self.directory)
            client.link.notify(lists[shared])

    def _announce_posts(self, stored: list[Stored]) -> None:
        by_room: dict[int, list[Stored]] = {}
        for each in stored:
            by_room.setdefault(each.message.room_id, []).append(each)
        for room_id, posts in by_room.items():
            self.hub.publish(Posted(room_id, posts[0].room, [each.message for each in posts]))

    def _hear(self, event: AnyEvent) -> None:
        match event:
            case Posted():
                self.directory.note_posts(event)
            case Changed():
                self.directory.note_version(event.room_id, event.version)
            case PresenceChanged():
                self.presence.note(event)
                self.watchers.tell(event)
            case (
                RoomChanged()
                | PersonChanged()
                | VisitorChanged()
                | SettingsChanged()
                | SignedOut()
                | TokenRevoked()
                | ContactChanged()
                | Gap()
            ):
                self._stale[event] = None
                self._stale_ready.set()

    async def _refresh(self) -> None:
        while True:
            await self._stale_ready.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._stale_ready.clear()
            stale, self._stale = self._stale, {}
            concerned, self._dirty = self._dirty, set()
            for event in stale:
                try:
                    concerned |= await self._refresh_after(event)
                except Exception:
                    logger.exception("could not follow %s", type(event).__name__)
            self._turn_away(concerned)
            self.tell_rooms(concerned & self.clients)

    async def _refresh_after(self, event: AnyEvent) -> set[Client]:
        """Read again what an event made stale; returns whose list of rooms may have changed."""
        match event:
            case RoomChanged(room_id=room_id):
                return await self._refresh_room(room_id)
            case PersonChanged(user_id=user_id):
                await self.watchers.follow_ties(user_id)
                concerned = await self._refresh_pairs(user_id)
                if f"u{user_id}" not in self.directory.people:
                    return concerned
                return concerned | await self._refresh_person(f"u{user_id}", await read(of_user_id, user_id))
            case VisitorChanged(person_key=key):
                person = self.directory.people.get(key)
                session_key = next((each.session_key for each in person.clients), None) if person else None
                identity = await read(identify, session_key) if session_key is not None else None
                return await self._refresh_person(key, identity)
            case SignedOut():
                for client in tuple(self.clients):
                    if client.is_of(event):
                        client.link.close(CloseCode.LOG_IN, "signed out")
                return set()
            case TokenRevoked(token_id=token_id):
                for client in tuple(self.clients):
                    if client.token is not None and client.token.id == token_id:
                        client.link.close(CloseCode.LOG_IN, "this token counts no longer")
                return set()
            case ContactChanged(user_id=user_id):
                return await self._refresh_pairs(user_id)
            case Gap():
                await self._reload()
                return set(self.clients)
            case _:
                return await self._reload()

    async def _refresh_room(self, room_id: int) -> set[Client]:
        known = self.directory.rooms.get(room_id)
        rooms = await read(load_rooms, Room.objects.filter(pk=room_id))
        self.directory.put_rooms(rooms)
        if not rooms:
            self.directory.drop_room(room_id)
        concerned = set()
        for client in tuple(self.clients):
            hears = bool(rooms) and client.hears(rooms[0])
            if not hears and known is not None:
                client.lose(known)
            changed = await client.follow(self.hub, room_topic(room_id), hears)
            if changed or hears:
                concerned.add(client)
        return concerned

    async def _refresh_pairs(self, user_id: int) -> set[Client]:
        """A person may have another name, which his direct rooms bear, or may no longer post in one of them."""
        known = self.directory.direct_rooms_of(user_id)
        if not known:
            return set()
        self.directory.put_rooms(await read(load_rooms, Room.objects.filter(pk__in=[room.id for room in known])))
        now = self.directory.rooms
        changed = [
            room for room in known if (now[room.id].pair, now[room.id].unwanted) != (room.pair, room.unwanted)
        ]
        others = {f"u{key}" for room in changed for key in room.pair}
        people = [self.directory.people[key] for key in others if key in self.directory.people]
        return {client for person in people for client in person.clients}

    async def _refresh_person(self, key: str, identity: Identity | None) -> set[Client]:
        person = self.directory.people.get(key)
        if person is None or identity is None:
            return set()
        return await self._become(tuple(person.clients), identity)

    async def _become(self, clients: tuple[Client, ...], identity: Identity) -> set[Client]:
        """These sockets are this identity's from now on."""
        person = self._person(identity)
        for client in clients:
            if client.person is not person:
                self._part(client)
                client.person = person
                person.clients.add(client)
            await client.follow_all(self.hub, self.directory)
            if client.known_as != (identity.key, identity.name):
                self._introduce(client)
        return set(clients)

    def _introduce(self, client: Client) -> None:
        """Tell the socket who it is, and the others who is here."""
        who = client.person.identity
        client.known_as = (who.key, who.name)
        client.link.notify(notification("username", who.name))
        self.presence.opened(client)

    def _turn_away(self, clients: Iterable[Client]) -> None:
        for client in clients:
            refusal = access.refusal_to_enter(client.person, self.directory.site)
            if refusal is not None:
                client.link.close(*refusal)

    def _part(self, client: Client) -> None:
        person = client.person
        person.clients.discard(client)
        if not person.clients:
            self.directory.people.pop(person.identity.key, None)

    def _person(self, identity: Identity) -> Person:
        person = self.directory.people.get(identity.key)
        if person is None:
            person = self.directory.people[identity.key] = Person(identity, self.directory.pace_of(identity.key))
        person.identity = identity
        if identity.user_id is not None:
            self._watch_ends(person, PersonChanged(identity.user_id))
        return person

    def _watch_ends(self, person: Person, changed: PersonChanged) -> None:
        """When a sanction ends by itself, the person's rooms open again without a word from anyone."""
        ends = {restraint.until for restraint in person.identity.restraints if restraint.until is not None}
        for until in ends - person.watched_ends:
            delay = max(until - time.time(), 0) + END_SLACK
            asyncio.get_running_loop().call_later(delay, self._hear, changed)
        person.watched_ends = ends

    async def _reload(self) -> set[Client]:
        """Read all rooms and the settings; returns everyone if anything but a version differs."""
        known = self.directory.outline()
        rooms = await read(load_rooms)
        self.directory.put_rooms(rooms)
        for room_id in self.directory.rooms.keys() - {room.id for room in rooms}:
            self.directory.drop_room(room_id)
        self.directory.site = await read(load_site)
        self.directory.forget_paces(time.monotonic())
        if self.directory.outline() == known:
            return set()
        for client in tuple(self.clients):
            await client.follow_all(self.hub, self.directory)
        return set(self.clients)

    async def _reload_regularly(self) -> None:
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            self._hear(SettingsChanged())


def busy() -> RetryLater:
    """What is asked again later, for too much waits to be written or takes too long."""
    return RetryLater(BUSY_RETRY_MS, "the server is busy", code="busy")
