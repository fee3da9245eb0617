"""The sockets that are connected to this process: whose they are, what they hear, what they are told first."""

from collections.abc import Callable, Iterable

from prometheus_client import Gauge

from chat.models import Room
from chat.queries.guests import guest_key
from chat.queries.identity import Identity, identify, identity_of_key, session_key_of
from chat.queries.rooms import RoomFacts, load_rooms
from chat.queries.tokens import FoundToken, bearer_of, find_token
from chat.realtime.clients import Client, Link, address_of
from chat.realtime.db import read
from chat.realtime.directory import Directory, Person
from chat.realtime.hub import Hub
from chat.realtime.presence import Presence
from chat.realtime.strangers.places import Places
from chat.realtime.token_use import TokenUse
from chat.realtime.visibility import refusal_to_connect
from chat.realtime.watchers import Watchers
from chat.services.events import AnyEvent, PersonChanged, room_topic
from rpc import CloseCode, Refused

CONNECTIONS = Gauge("hubtalk_connections", "Open connections of this process")


class Connections:
    """
    Every open socket of this process, as a `Client` of a `Person`.

    Doors and actions call it on the loop. It promises that a client is subscribed before its first list of
    rooms is sent, and that nothing of a client is left once `disconnect` returns: no subscription, no timer.

    Args:
        changed: told when something of a person must be read again, as by an event.
    """

    def __init__(
        self,
        directory: Directory,
        hub: Hub,
        presence: Presence,
        watchers: Watchers,
        token_use: TokenUse,
        changed: Callable[[AnyEvent], None],
    ) -> None:
        self.clients: set[Client] = set()
        self._directory = directory
        self._hub = hub
        self._presence = presence
        self._watchers = watchers
        self._token_use = token_use
        self._changed = changed
        self._places = Places()
        CONNECTIONS.set_function(lambda: len(self.clients))

    # --- coming and going ----------------------------------------------------------------------------------

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
        self._check(identity, link)
        self._places.check(identity, address_of(link), self._directory.site)
        if session_key is not None and identity.user_id is None and identity.key != guest_key(session_key):
            session_key = None  # a session that is no more
        client = Client(link, self._person(identity), session_key=session_key, token=token, entered=entered)
        self.clients.add(client)
        client.person.take(client)
        self._places.take(client)
        try:
            await self.follow_fresh(client)
        except BaseException:
            # Nobody holds the client yet who could undo this.
            await self.disconnect(client)
            raise
        client.expire_in_time()
        self.tell_rooms([client])
        self._introduce(client)
        return client

    async def visit(self, link: Link, secret: str) -> Client:
        """
        A token's person for one request: rights and rates as with `connect`, but it hears nothing and is not
        shown as here; there is nothing to disconnect.

        Raises:
            Refused: no such token, or its person may not be connected.
        """
        token, identity = await self._token(secret, None)
        self._check(identity, link)
        person = self._directory.people.get(identity.key) or self._new_person(identity, link)
        return Client(link, person, session_key=None, token=token, entered=set())

    async def log_in(self, client: Client, secret: str, *, needs: str | None = None) -> None:
        """
        From now on a connection is its token's person.

        Raises:
            Refused: no such token, not for this door, or its person may not be connected.
        """
        token, identity = await self._token(secret, needs)
        self._check(identity, client.link)
        client.token = token
        client.session_key = client.session = None
        self._places.leave(client)
        await self.become((client,), identity)
        client.expire_in_time()
        self.tell_rooms([client])

    async def disconnect(self, client: Client) -> None:
        client.gone = True
        self.clients.discard(client)
        self._places.leave(client)
        client.stop_expiry()
        self._part(client)
        self._watchers.leave(client)
        self._presence.closed(client)
        await client.unfollow_all(self._hub)

    def drop_refused(self, clients: Iterable[Client]) -> None:
        """Close those that may no longer be connected."""
        for client in clients:
            refusal = refusal_to_connect(client.person, self._directory.site)
            if refusal is not None:
                client.link.close(*refusal)

    def _check(self, identity: Identity, link: Link) -> None:
        refusal = refusal_to_connect(self._new_person(identity, link), self._directory.site)
        if refusal is not None:
            raise Refused(*refusal)

    async def _token(self, secret: str, needs: str | None) -> tuple[FoundToken, Identity]:
        found = await read(find_token, secret)
        if found is None:
            raise Refused(CloseCode.LOG_IN, "this token is unknown, revoked or expired")
        token, identity = found
        if needs is not None and needs not in token.scopes:
            raise Refused(CloseCode.NOT_ALLOWED, f"this token may not be used here: it lacks the scope {needs}")
        self._token_use.note(token)
        return token, identity

    # --- what a client hears and is told -------------------------------------------------------------------

    async def follow(self, client: Client) -> None:
        """Hear the rooms that are right for a client now, and no others."""
        await client.follow_all(self._hub, self._directory)

    async def follow_fresh(self, client: Client) -> None:
        """The same; rooms that nobody here listened to may have moved on unheard, and are read again."""
        rooms = self._directory.rooms_around(client.person)
        unheard = [room.id for room in rooms if not self._hub.hears(room_topic(room.id))]
        # Subscribe first, then read.
        await self.follow(client)
        if unheard:
            self._directory.put_rooms(await read(load_rooms, Room.objects.filter(pk__in=unheard)))

    async def follow_room(self, room_id: int, room: RoomFacts | None, known: RoomFacts | None) -> set[Client]:
        """A room is as `room` has it now, or gone; returns the clients in whose list it may have changed."""
        concerned = set()
        for client in tuple(self.clients):
            hears = room is not None and client.hears(room)
            if not hears and known is not None:
                client.lose(known)
            changed = await client.follow(self._hub, room_topic(room_id), hears)
            if changed or hears:
                concerned.add(client)
        return concerned

    async def follow_guests(self, networks: set[str]) -> set[Client]:
        """What guests of these networks may do changed; returns their clients."""
        guests = {client for client in self.clients if client.person.is_guest_of(networks)}
        for client in guests:
            await self.follow(client)
        return guests

    async def follow_everything(self) -> set[Client]:
        """Rooms or the site's switches changed for everyone."""
        for client in tuple(self.clients):
            await self.follow(client)
        return set(self.clients)

    async def catch_up(self, client: Client, room_id: int) -> None:
        """Take in at once what this client's own write changed, before the event of it comes round."""
        self._directory.put_rooms(await read(load_rooms, Room.objects.filter(pk=room_id)))
        who = client.person.identity
        identity = await read(identity_of_key, who.user_id) if who.user_id is not None else who
        await self.become((client,), identity or who)
        self.tell_rooms([client])

    def tell_rooms(self, clients: Iterable[Client]) -> None:
        """
        Send each its list of rooms, unless it enters them one by one or may not read; all sockets of one person and
        wire get the same bytes, and so do all guests without an account whose address nothing holds for.
        """
        lists = {}
        for client in clients:
            if client.entered is not None or not client.may_read:
                continue
            wire = client.link.wire
            person = client.person
            shared = person if person.identity.user_id is not None or person.is_held_by_address else None
            if (wire, shared) not in lists:
                lists[wire, shared] = wire.rooms(person, self._directory)
            client.tell(lists[wire, shared])

    # --- people --------------------------------------------------------------------------------------------

    async def become(self, clients: tuple[Client, ...], identity: Identity) -> set[Client]:
        """These clients are this identity's from now on; returns them."""
        person = self._person(identity)
        for client in clients:
            if client.gone:
                continue
            if client.person is not person:
                self._part(client)
                client.person = person
                person.take(client)
            await self.follow(client)
            if client.known_as != (identity.key, identity.name) and not client.gone:
                self._introduce(client)
        self._forget_absent(person)
        return set(clients)

    def _introduce(self, client: Client) -> None:
        """Tell the client who it is, and the others who is here."""
        who = client.person.identity
        client.known_as = (who.key, who.name)
        client.tell(client.link.wire.name(who.name))
        self._presence.opened(client)

    def _part(self, client: Client) -> None:
        client.person.clients.discard(client)
        self._forget_absent(client.person)

    def _forget_absent(self, person: Person) -> None:
        if not person.clients:
            self._directory.people.pop(person.identity.key, None)
            person.sleep()

    def _person(self, identity: Identity) -> Person:
        person = self._directory.people.get(identity.key)
        if person is None:
            person = Person(identity, self._directory)
            self._directory.people[identity.key] = person
        person.identity = identity
        # When a sanction ends by itself, the person's rooms open again without a word from anyone.
        person.wake_at_ends(self._sanction_over)
        return person

    def _new_person(self, identity: Identity, link: Link) -> Person:
        """Somebody who comes this way, and is not connected yet."""
        person = Person(identity, self._directory)
        person.come_from(address_of(link))
        return person

    def _sanction_over(self, person: Person) -> None:
        if person.identity.user_id is not None:
            self._changed(PersonChanged(person.identity.user_id))
