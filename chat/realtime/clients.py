"""One connected socket of a person, and the words that are for it alone."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from chat.actions import access
from chat.queries.guests import session_digest
from chat.queries.tokens import READ, FoundToken
from chat.realtime.directory import Directory, Person, RoomFacts
from chat.realtime.hub import Hub
from chat.realtime.links import Link
from chat.services.events import SITE_TOPIC, SignedOut, person_topic, room_topic
from rpc import Notification, Prepared

if TYPE_CHECKING:
    from chat.realtime.runtime import Runtime

_json = msgspec.json.Encoder().encode


class RoomEntry(msgspec.Struct):
    """
    A room as one person's list shows it. `title` is what it is called before him: a direct room by the other's
    name. The three of reading are None for a visitor without a row.
    """

    id: int
    name: str
    title: str
    kind: str
    topic: str
    version: int
    posts: int
    read_seq: int | None
    read_posts: int | None
    unread: int | None
    mentions: int
    muted: bool
    archived: bool
    read_only: bool
    role: str | None
    can_post: bool


class Client:
    """A socket: whose it is, which topics it hears. Made by `chat.realtime.runtime`, kept by its door."""

    def __init__(
        self,
        runtime: "Runtime",
        link: Link,
        person: Person,
        *,
        session_key: str | None,
        token: FoundToken | None,
        entered: set[int] | None,
    ) -> None:
        self.runtime = runtime
        self.key = uuid4().hex
        self.link = link
        self.person = person
        self.session_key = session_key
        self.session = session_digest(session_key) if session_key is not None else None
        self.token = token
        """What it logged in with; without one, everything the person may is allowed."""
        self.entered = entered
        """Keys of the rooms it asked for; None: all that are in the person's list."""
        self.topics: set[str] = set()
        self.gone = False
        """Disconnected: what is still on its way to this socket must not subscribe it again."""
        self.known_as: tuple[str, str] | None = None
        """Key and name that this socket and the others were told."""
        self.typed_at = float("-inf")

    @property
    def address(self) -> str:
        client = self.link.scope.get("client")
        return str(client[0]) if client else ""

    def is_of(self, ended: SignedOut) -> bool:
        """Whether this socket belongs to a session that ended."""
        if ended.user_id is not None:
            return ended.user_id == self.person.identity.user_id
        return self.session is not None and self.session == ended.session

    async def follow(self, hub: Hub, topic: str, wanted: bool) -> bool:
        """Hear a topic, or no longer; returns whether that is new."""
        if wanted == (topic in self.topics) or (wanted and self.gone):
            return False
        if wanted:
            self.topics.add(topic)
            await hub.subscribe(topic, self.link.encode, self.link.send)
        else:
            self.topics.discard(topic)
            await hub.unsubscribe(topic, self.link.encode, self.link.send)
        return True

    def require(self, scope: str) -> None:
        """
        Raises:
            OperationError: `not_allowed`, the token is not for this.
        """
        if self.token is not None:
            self.token.require(scope)

    def hears(self, room: RoomFacts) -> bool:
        """Whether what happens in a room is for this socket."""
        if self.token is not None and READ not in self.token.scopes:
            return False
        if self.entered is None:
            return access.hears(self.person, room)
        return room.id in self.entered and access.may_stay(self.person, room)

    def lose(self, room: RoomFacts) -> None:
        """A room that was entered is closed to this socket now."""
        if self.entered is not None and room.id in self.entered:
            self.entered.discard(room.id)
            self.link.lost_room(room.name)

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


def room_entry(person: Person, room: RoomFacts) -> RoomEntry:
    place = person.place_in(room)
    read_seq: int | None = None
    read_posts: int | None = None
    if person.identity.user_id is not None:
        read_seq, read_posts = (place.read_seq, place.read_posts) if place is not None else (0, 0)
    return RoomEntry(
        id=room.id,
        name=room.name,
        title=room.title_for(person.identity.user_id),
        kind=room.kind,
        topic=room.topic,
        version=room.version,
        posts=room.posts,
        read_seq=read_seq,
        read_posts=read_posts,
        unread=None if read_posts is None else max(room.posts - read_posts, 0),
        mentions=0,
        muted=place is not None and place.muted,
        archived=room.archived,
        read_only=room.read_only,
        role=person.role_in(room),
        can_post=access.refusal_to_post(person, room) is None,
    )


def rooms_notification(person: Person, directory: Directory) -> Prepared:
    """The person's whole list of rooms, by name, as the notification `rooms`."""
    rooms = (room for room in directory.rooms_around(person) if access.lists(person, room))
    entries = {room.name: room_entry(person, room) for room in rooms}
    return Prepared([Notification("rooms", _json(entries))])


def notification(name: str, params: Any) -> Prepared:
    return Prepared([Notification(name, _json(params))])
