"""One connected socket of a person, and the words that are for it alone."""

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from chat import access
from chat.directory import Directory, Person, RoomFacts
from chat.events import SITE_TOPIC, SignedOut, gotalk_wire, room_topic
from chat.hub import Hub
from chat.visitors import session_digest
from rpc import Notification, Peer, Prepared

if TYPE_CHECKING:
    from chat.runtime import Runtime

_json = msgspec.json.Encoder().encode


class RoomEntry(msgspec.Struct):
    """A room as one person's list shows it; the last three of reading are None for a visitor without a row."""

    id: int
    name: str
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
    """A socket: whose it is, which topics it hears. Made by `chat.runtime`, found by handlers in `peer.data`."""

    def __init__(
        self, runtime: "Runtime", peer: Peer, person: Person, *, door: str, session_key: str | None
    ) -> None:
        self.runtime = runtime
        self.key = uuid4().hex
        self.peer = peer
        self.person = person
        self.door = door
        self.session_key = session_key
        self.session = session_digest(session_key) if session_key is not None else None
        self.topics: set[str] = set()
        self.gone = False
        """Disconnected: what is still on its way to this socket must not subscribe it again."""
        self.known_as: tuple[str, str] | None = None
        """Key and name that this socket and the others were told."""
        self.typed_at = float("-inf")

    @property
    def address(self) -> str:
        client = self.peer.scope.get("client")
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
            await hub.subscribe(topic, gotalk_wire, self.peer.send)
        else:
            self.topics.discard(topic)
            await hub.unsubscribe(topic, gotalk_wire, self.peer.send)
        return True

    async def follow_all(self, hub: Hub, directory: Directory) -> None:
        """Hear what concerns everyone and the rooms of this person's list, and nothing else."""
        wanted = {room_topic(room.id) for room in directory.rooms.values() if access.hears(self.person, room)}
        for topic in self.topics - wanted - {SITE_TOPIC}:
            await self.follow(hub, topic, False)
        for topic in wanted | {SITE_TOPIC}:
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
    rooms = (room for room in directory.rooms.values() if access.hears(person, room))
    entries = {room.name: room_entry(person, room) for room in sorted(rooms, key=lambda room: room.id)}
    return Prepared([Notification("rooms", _json(entries))])


def notification(name: str, params: Any) -> Prepared:
    return Prepared([Notification(name, _json(params))])
