"""One connected socket of a person: its door's wire and way out, and the topics it hears."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

import msgspec

from chat.queries.guests import session_digest
from chat.queries.rooms import RoomFacts
from chat.queries.structs import PersonCard
from chat.queries.tokens import READ, FoundToken
from chat.realtime import visibility
from chat.realtime.directory import Directory, Person
from chat.realtime.hub import Hub
from chat.services.events import SITE_TOPIC, AnyEvent, SignedOut, person_topic, room_topic
from rpc import CloseCode


class RoomPresence(msgspec.Struct):
    """Who came to a room and who left it, as far as they are named, and how many are here now."""

    room: str
    joined: list[PersonCard]
    left: list[str]
    here: int


class Wire:
    """
    How a door writes what its sockets are told: one object for all of them, so that each thing is encoded once.

    The hub and the parts of the runtime call it on the loop; it never waits and holds nothing. Each method
    returns what `Link.send` takes, or None where the wire has no word for it.
    """

    def events(self, events: list[AnyEvent]) -> Any | None:
        """What happened in a room, to a person or on the site."""
        return None

    def rooms(self, person: Person, directory: Directory) -> Any | None:
        """The person's whole list of rooms."""
        return None

    def name(self, name: str) -> Any | None:
        """What the person is called from now on."""
        return None

    def presence(self, change: RoomPresence) -> Any | None:
        """Who came and left in a room that the socket follows."""
        return None


class Link(Protocol):
    """
    One connection of a door, as everything behind the doors sees it; held by its `Client`.

    Called on the loop. Nothing here waits, and nothing raises because the peer is gone.
    """

    @property
    def door(self) -> str:
        """What messages and the list of connections call the door."""

    @property
    def scope(self) -> Mapping[str, Any]:
        """The ASGI scope of a WebSocket, or what stands for one: `headers`, `client`."""

    @property
    def wire(self) -> Wire:
        """Turns what happens into what `send` takes."""

    def send(self, payload: Any) -> None:
        """Write what the wire made."""

    def lost_room(self, name: str) -> None:
        """A room that was entered is closed to this person now."""

    def close(self, code: int, text: str) -> None:
        """Close with a WebSocket close code and a reason."""


def address_of(link: Link) -> str:
    """Where a connection comes from; empty over a unix socket."""
    client = link.scope.get("client")
    return str(client[0]) if client else ""


class Client:
    """
    A socket: whose it is, how it logged in, which topics it hears.

    Made and ended by `Connections`, kept by its door, used on the loop only. Once `gone` is set it subscribes
    to nothing any more.
    """

    def __init__(
        self,
        link: Link,
        person: Person,
        *,
        session_key: str | None,
        token: FoundToken | None,
        entered: set[int] | None,
    ) -> None:
        self.key = uuid4().hex
        self.link = link
        self.person = person
        self.session_key = session_key
        self.session = session_digest(session_key) if session_key is not None else None
        self.token = token
        """What it logged in with; without one, everything the person may is allowed."""
        self.expiry: asyncio.TimerHandle | None = None
        """Closes the socket when its token expires."""
        self.entered = entered
        """Keys of the rooms it asked for; None: all that are in the person's list."""
        self.topics: set[str] = set()
        self.gone = False
        """Disconnected: what is still on its way to this socket must not subscribe it again."""
        self.known_as: tuple[str, str] | None = None
        """Key and name that this socket and the others were told."""

    @property
    def address(self) -> str:
        return address_of(self.link)

    def expire_in_time(self) -> None:
        """Close the socket when its token expires."""
        self.stop_expiry()
        if self.token is not None and self.token.expires_at is not None and not self.gone:
            delay = max(self.token.expires_at - time.time(), 0)
            close = self.link.close
            self.expiry = asyncio.get_running_loop().call_later(
                delay, close, CloseCode.LOG_IN, "this token has expired"
            )

    def stop_expiry(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None

    def is_of(self, ended: SignedOut) -> bool:
        """Whether this socket belongs to a session that ended."""
        if ended.user_id is not None:
            return ended.user_id == self.person.identity.user_id
        return self.session is not None and self.session == ended.session

    def require(self, scope: str) -> None:
        """
        Raises:
            OperationError: `not_allowed`, the token is not for this.
        """
        if self.token is not None:
            self.token.require(scope)

    @property
    def may_read(self) -> bool:
        """Whether texts, lists and who comes and goes are for this socket."""
        return self.token is None or READ in self.token.scopes

    def tell(self, payload: Any | None) -> None:
        """Write what the wire made, if it has a word for it."""
        if payload is not None:
            self.link.send(payload)

    def hears(self, room: RoomFacts) -> bool:
        """Whether what happens in a room is for this socket."""
        if not self.may_read:
            return False
        if self.entered is None:
            return visibility.hears(self.person, room)
        return room.id in self.entered and visibility.may_stay(self.person, room)

    def lose(self, room: RoomFacts) -> None:
        """A room that was entered is closed to this socket now."""
        if self.entered is not None and room.id in self.entered:
            self.entered.discard(room.id)
            self.link.lost_room(room.name)

    async def follow(self, hub: Hub, topic: str, wanted: bool) -> bool:
        """Hear a topic, or no longer; returns whether that is new."""
        if wanted == (topic in self.topics) or (wanted and self.gone):
            return False
        if wanted:
            self.topics.add(topic)
            await hub.subscribe(topic, self.link.wire.events, self.link.send)
        else:
            self.topics.discard(topic)
            await hub.unsubscribe(topic, self.link.wire.events, self.link.send)
        return True

    async def follow_all(self, hub: Hub, directory: Directory) -> None:
        """Hear what concerns everyone, this person, and the rooms that are right for it, and nothing else."""
        wanted = {SITE_TOPIC}
        if self.person.identity.user_id is not None:
            wanted.add(person_topic(self.person.identity.user_id))
        for room in directory.rooms_around(self.person):
            if self.hears(room):
                wanted.add(room_topic(room.id))
            else:
                self.lose(room)
        for topic in self.topics - wanted:
            await self.follow(hub, topic, False)
        for topic in wanted - self.topics:
            await self.follow(hub, topic, True)

    async def unfollow_all(self, hub: Hub) -> None:
        for topic in tuple(self.topics):
            await self.follow(hub, topic, False)
