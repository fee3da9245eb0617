"""What queries return and doors show: plain structs, which travel between processes as they are."""

from datetime import UTC, datetime
from typing import Self

import msgspec

from chat.models import User


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as every door shows a time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person_key(user_id: int) -> str:
    """What everyone with an account is known by on the wires; a guest without one has a `guest_key`."""
    return f"u{user_id}"


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


class RoomMessage(msgspec.Struct):
    """A message with the name of its room, as it is told to whoever hears several."""

    room: str
    message: Message


class PersonCard(msgspec.Struct, frozen=True):
    """A person as the list of people shows them; `key` is the same on all of their connections."""

    key: str
    id: int | None
    name: str
    is_guest: bool
    is_bot: bool

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(person_key(user.pk), user.pk, user.name, user.is_guest, user.is_bot)


class ContactEntry(msgspec.Struct, frozen=True):
    """
    A contact as one of the two sees it.

    `state`: `requested` (this one asked the other), `asked` (the other asked this one), `friends`, `declined`
    (the request was), `removed` (it is in this one's list no longer).
    """

    id: int
    key: str
    name: str
    state: str
