"""
What is announced between processes and to doors.

An event is packed once by its publisher (msgpack), unpacked once in each process, and turned into each
door's bytes once for all its sockets.
"""

import msgspec

from chat.queries.structs import ContactEntry, Message, PersonCard


class Posted(msgspec.Struct, frozen=True, tag=True):
    """New messages of one room, in their order."""

    room_id: int
    room: str
    messages: list[Message]


class Changed(msgspec.Struct, frozen=True, tag=True):
    """
    Messages that were edited, removed or reacted to; none when the room itself took the version. `restored`: what
    was done to them was taken back.
    """

    room_id: int
    room: str
    version: int
    messages: list[Message]
    restored: bool = False


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


class GuestChanged(msgspec.Struct, frozen=True, tag=True):
    """A guest's session took a new name, an account, or ended."""

    person_key: str


class SettingsChanged(msgspec.Struct, frozen=True, tag=True):
    pass


class AddressesSanctioned(msgspec.Struct, frozen=True, tag=True):
    """Sanctions of guests came to hold for others of their address, or no longer do."""


class SignedOut(msgspec.Struct, frozen=True, tag=True):
    """
    A session (by the digest of its key), or every session of a person, ended: its sockets close. One that `moved`
    goes on under another key, which its browser has: it may come back at once.
    """

    session: str | None = None
    user_id: int | None = None
    moved: bool = False


class TokenRevoked(msgspec.Struct, frozen=True, tag=True):
    """Sockets that logged in with this token close."""

    token_id: int


class Gap(msgspec.Struct, frozen=True, tag=True):
    """
    Events may have been lost: everything that is kept of the database is read again, and everyone checked. Made by
    a process that lost the channel layer, and published by one whose own events others may have missed.
    """


class PresenceChanged(msgspec.Struct, frozen=True, tag=True):
    """People whose first connection opened or whose name changed, and the keys of those whose last one closed."""

    joined: list[PersonCard]
    left: list[str]


class ContactChanged(msgspec.Struct, frozen=True, tag=True):
    """What became of a contact, as the person with key `user_id` sees it."""

    user_id: int
    contact: ContactEntry


class Moderated(msgspec.Struct, frozen=True, tag=True):
    """
    What a moderator or admin did to a person (`act`: mute, ban, kick, unmute, unban), that they answered a report
    (answered), or, to a moderator, that there is a new one (reported). `room`: None is everywhere; `until`: as of
    `instant`; `objections`: where they object, if the site says so.
    """

    user_id: int
    act: str
    room: str | None
    reason: str
    until: str | None
    objections: str


class ReportsChanged(msgspec.Struct, frozen=True, tag=True):
    """A message of the room was reported, or a report answered: how many wait is counted again."""

    room_id: int


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
    | GuestChanged
    | SettingsChanged
    | AddressesSanctioned
    | SignedOut
    | TokenRevoked
    | Gap
    | PresenceChanged
    | ContactChanged
    | Moderated
    | ReportsChanged
    | Pushed
)

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[AnyEvent]).decode


def pack(events: list[AnyEvent]) -> bytes:
    return _pack(events)


def unpack(data: bytes) -> list[AnyEvent]:
    return _unpack(data)


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
    if isinstance(event, ContactChanged | Moderated | Pushed):
        return person_topic(event.user_id)
    return SITE_TOPIC
