"""
What is announced between processes and to doors.

An event is packed once by its publisher (msgpack), unpacked once in each process, and turned into each
door's bytes once for all its sockets.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from rpc import Notification, Prepared


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as every door shows it. `at` and `edited_at` are in UTC; a removed one has no body."""

    id: int
    room_id: int
    seq: int
    version: int
    number: int
    author: str
    author_id: int
    is_guest: bool
    is_bot: bool
    body: str
    at: str
    client_id: str
    via: str
    reply_to: int | None = None
    edited_at: str | None = None
    deleted: bool = False
    reactions: dict[str, list[int]] = {}


class PersonCard(msgspec.Struct, frozen=True):
    """A person as the list of people shows him; `key` is the same on all of his connections."""

    key: str
    id: int | None
    name: str
    is_guest: bool
    is_bot: bool


class ContactEntry(msgspec.Struct, frozen=True):
    """
    A contact as one of the two sees it.

    `state`: `requested` (he asked the other), `asked` (the other asked him), `friends`, `declined` (the
    request was), `removed` (it is in his list no longer).
    """

    id: int
    key: str
    name: str
    state: str


class Posted(msgspec.Struct, frozen=True, tag=True):
    """New messages of one room, in their order."""

    room_id: int
    room: str
    messages: list[Message]


class Changed(msgspec.Struct, frozen=True, tag=True):
    """Messages that were edited, removed or reacted to; none when the room itself took the version."""

    room_id: int
    room: str
    version: int
    messages: list[Message]


class Typing(msgspec.Struct, frozen=True, tag=True):
    room_id: int
    room: str
    names: list[str]


class Notice(msgspec.Struct, frozen=True, tag=True):
    """A word to everyone: `level` is info, warning or restart; times in milliseconds."""

    level: str
    text: str
    restart_in_ms: int | None = None
    spread_ms: int | None = None


class RoomChanged(msgspec.Struct, frozen=True, tag=True):
    """A room was made or changed: whoever caches it reads it again."""

    room_id: int


class PersonChanged(msgspec.Struct, frozen=True, tag=True):
    """Name, rights, memberships or sanctions of a person changed."""

    user_id: int


class VisitorChanged(msgspec.Struct, frozen=True, tag=True):
    """A visitor's session took a new name, a User row, or ended."""

    person_key: str


class SettingsChanged(msgspec.Struct, frozen=True, tag=True):
    pass


class SignedOut(msgspec.Struct, frozen=True, tag=True):
    """A session (by the digest of its key), or every session of a person, ended: its sockets close."""

    session: str | None = None
    user_id: int | None = None


class TokenRevoked(msgspec.Struct, frozen=True, tag=True):
    """Sockets that logged in with this token close."""

    token_id: int


class Gap(msgspec.Struct, frozen=True, tag=True):
    """Events may have been lost: never published, made by a process that lost the channel layer."""


class PresenceChanged(msgspec.Struct, frozen=True, tag=True):
    """People whose first connection opened or whose name changed, and the keys of those whose last one closed."""

    joined: list[PersonCard]
    left: list[str]


class ContactChanged(msgspec.Struct, frozen=True, tag=True):
    """What became of a contact, as the person with key `user_id` sees it."""

    user_id: int
    contact: ContactEntry


class Pushed(msgspec.Struct, frozen=True, tag=True):
    """An application's word to all sockets of a person; `kind` says what the bytes are: json, text or bytes."""

    user_id: int
    opcode: int
    kind: str
    payload: bytes


AnyEvent = (
    Posted
    | Changed
    | Typing
    | Notice
    | RoomChanged
    | PersonChanged
    | VisitorChanged
    | SettingsChanged
    | SignedOut
    | TokenRevoked
    | Gap
    | PresenceChanged
    | ContactChanged
    | Pushed
)

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[AnyEvent]).decode
_json = msgspec.json.Encoder().encode


def pack(events: list[AnyEvent]) -> bytes:
    return _pack(events)


def unpack(data: bytes) -> list[AnyEvent]:
    return _unpack(data)


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as every door shows a time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def room_topic(room_id: int) -> str:
    """Hub topic and channel-layer group of a room: from its key, never its name."""
    return f"room.{room_id}"


def person_topic(user_id: int) -> str:
    """What all sockets of one person hear, on every door."""
    return f"person.{user_id}"


SITE_TOPIC = "site"
"""What every process hears: changes of rooms, people and settings, presence, notices."""


def topic_of(event: AnyEvent) -> str:
    if isinstance(event, Posted | Changed | Typing):
        return room_topic(event.room_id)
    if isinstance(event, ContactChanged | Pushed):
        return person_topic(event.user_id)
    return SITE_TOPIC


class RoomMessage(msgspec.Struct):
    """Payload of the notification `newmsg`."""

    room: str
    message: Message


def gotalk_wire(events: Iterable[AnyEvent]) -> Prepared | None:
    """The events as gotalk notifications, encoded once for any number of peers; None if none is for peers."""
    notifications = [notification for event in events for notification in _notifications(event)]
    return Prepared(notifications) if notifications else None


def _notifications(event: AnyEvent) -> Iterable[Notification]:
    if isinstance(event, Posted):
        for message in event.messages:
            yield Notification("newmsg", _json(RoomMessage(event.room, message)))
    elif isinstance(event, Changed):
        yield _notification("changed", room=event.room, version=event.version, messages=event.messages)
    elif isinstance(event, Typing):
        yield _notification("typing", room=event.room, names=event.names)
    elif isinstance(event, Notice):
        yield _notification(
            "notice",
            level=event.level,
            text=event.text,
            restart_in_ms=event.restart_in_ms,
            spread_ms=event.spread_ms,
        )
    elif isinstance(event, ContactChanged):
        yield Notification("contact", _json(event.contact))
    elif isinstance(event, Pushed):
        yield _notification("push", opcode=event.opcode, **_shown(event))


def _notification(name: str, **params: Any) -> Notification:
    return Notification(name, _json(params))


def _shown(event: Pushed) -> dict[str, Any]:
    """A push's payload within JSON: bytes stand in base64, which is said."""
    if event.kind == "json":
        return {"payload": msgspec.Raw(event.payload)}
    if event.kind == "text":
        return {"payload": event.payload.decode()}
    return {"payload": event.payload, "encoding": "base64"}
