"""Rooms: listed, made, entered, left, described, read up to."""

from datetime import UTC, datetime

import msgspec

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.limits import MAX_ROOMS_OWNED, count
from chat.actions.roles import Verb
from chat.names import name_key
from chat.queries.candidates import Candidate, find_candidate
from chat.queries.rooms import RoomFacts
from chat.queries.sizes import MAX_LIST_BYTES, fitting
from chat.queries.structs import instant
from chat.realtime.db import read
from chat.realtime.directory import Directory, Person
from chat.realtime.visibility import lists, may_stay
from chat.services import memberships, rooms
from chat.services.events import PersonChanged
from rpc import OperationError


class ClosedEntry(msgspec.Struct):
    """
    Why one may not post in a room: the word of the table in `chat.actions.roles`, or `address`, for a mute of other
    guests of one's address; what a moderator said about it, and until when, as of `instant`.
    """

    by: str
    reason: str
    until: str | None


class RoomEntry(msgspec.Struct):
    """
    A room as one person's list shows it. `title` is what it is called before them: a direct room by the other's
    name. The three of reading are None for a guest without an account; `reports` is 0 for whoever may not see them.
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
    closed: ClosedEntry | None
    slow_mode_seconds: int
    reports: int


def room_entry(person: Person, room: RoomFacts) -> RoomEntry:
    membership = person.membership_in(room)
    closed = access.closed(person, Verb.POST, room)
    read_seq: int | None = None
    read_posts: int | None = None
    if person.identity.user_id is not None:
        read_seq, read_posts = (membership.read_seq, membership.read_posts) if membership is not None else (0, 0)
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
        muted=membership is not None and membership.muted,
        archived=room.archived,
        read_only=room.read_only,
        role=person.role_in(room),
        can_post=closed is None,
        closed=_closed_entry(closed) if closed is not None else None,
        slow_mode_seconds=room.slow_mode_seconds,
        reports=room.reports if room.reports and access.may(person, Verb.LIST_REPORTS, room) else 0,
    )


def _closed_entry(closed: access.Closed) -> ClosedEntry:
    until = closed.why.until
    moment = instant(datetime.fromtimestamp(until, UTC)) if until is not None else None
    return ClosedEntry("address" if closed.for_address else closed.by.value, closed.why.reason, moment)


FEW_ROOMS = 150
"""A list of as many fits into an answer, whatever they are called, and whyever they are closed."""


def rooms_listed(person: Person, directory: Directory, max_bytes: int = MAX_LIST_BYTES) -> list[RoomEntry]:
    """
    The person's list of rooms, by name. What does not fit into so many bytes of JSON is left out: first rooms that
    they have no part in, which can still be entered by name.
    """
    rooms = [room for room in directory.rooms_around(person) if lists(person, room)]
    entries = [room_entry(person, room) for room in sorted(rooms, key=lambda room: name_key(room.name))]
    if len(entries) > FEW_ROOMS:
        entries.sort(key=lambda entry: entry.role is None)
        entries = sorted(entries[: fitting(entries, max_bytes)], key=lambda entry: name_key(entry.name))
    return entries


async def list_rooms(caller: Caller) -> list[RoomEntry]:
    """
    Raises:
        OperationError: `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.LIST)
    await count(caller, "read", 2)
    return rooms_listed(caller.person, caller.runtime.directory)


async def create_room(caller: Caller, name: str, kind: str, topic: str, *, exist_ok: bool) -> RoomEntry:
    """
    Make a room and own it. With `exist_ok`, the name of an existing public room answers that room.

    Raises:
        OperationError: `not_allowed`, `empty_name`, `bad_name`, `name_taken`, `too_many_rooms`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.CREATE_ROOM)
    access.check_create_room(caller.person, caller.runtime.directory.site)
    await count(caller, "create-room")
    by = await account_of(caller)
    most = None if access.may(caller.person, Verb.OWN_MANY_ROOMS) else MAX_ROOMS_OWNED
    topic = access.clean_text(topic)
    room = await caller.write(rooms.create_room, name, by=by, kind=kind, topic=topic, most=most, exist_ok=exist_ok)
    return await _entry_now(caller, room.pk)


async def set_topic(caller: Caller, room_name: str, topic: str) -> RoomEntry:
    """
    Describe a room; for its moderators.

    Raises:
        OperationError: `no_such_room`, `not_allowed`, `muted`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.SET_TOPIC)
    room = caller.room(room_name, Verb.SET_TOPIC)
    await count(caller, "moderate")
    await caller.write(rooms.change_room, room.id, topic=access.clean_text(topic))
    return await _entry_now(caller, room.id)


async def join_room(caller: Caller, room_name: str) -> RoomEntry:
    """
    Make the caller a member of a public room: it is in their list from now on.

    Raises:
        OperationError: `no_such_room`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.JOIN)
    await count(caller, "join")
    room = caller.room(room_name, Verb.JOIN)
    await caller.write(memberships.join_room, room.id, await account_of(caller))
    return await _entry_now(caller, room.id)


async def leave_room(caller: Caller, room_name: str) -> None:
    """
    No longer hear a room; a private one closes behind.

    Raises:
        OperationError: `no_such_room`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.LEAVE)
    await count(caller, "join")
    room = caller.room(room_name, Verb.LEAVE)
    await caller.write(memberships.leave_room, room.id, await account_of(caller))


async def open_direct(caller: Caller, user_id: int | None, name: str | None) -> RoomEntry:
    """
    The direct room of the caller and another person, who hears of it with the first message.

    Raises:
        OperationError: `no_such_person`, `not_allowed`, `muted`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.OPEN_DIRECT)
    access.check(caller.person, Verb.OPEN_DIRECT)
    other = await _addressed(caller, user_id, name)
    room = await caller.write(rooms.open_direct, await account_of(caller), other.id)
    entry = await _entry_now(caller, room.pk)
    # They hear the first message, however soon it comes.
    await caller.runtime.refresh.follow_now(PersonChanged(other.id))
    return entry


async def invite(caller: Caller, room_name: str, user_id: int | None, name: str | None) -> None:
    """
    Bring a person into a room: it is in their list from now on.

    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`, `muted`, `banned`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.INVITE)
    room = caller.room(room_name)
    other = await _addressed(caller, user_id, name, room.id)
    access.check_invite(caller.person, room, has_left=other.has_left)
    if other.is_banned:
        raise OperationError("this person is banned", code="banned")
    await caller.write(memberships.join_room, room.id, other.id)
    await caller.runtime.refresh.follow_now(PersonChanged(other.id))


class ReadUpTo(msgspec.Struct):
    read_seq: int
    read_posts: int
    unread: int


async def mark_read(caller: Caller, room_name: str, seq: int) -> ReadUpTo:
    """
    Move the caller's read marker forward, never back. A guest without an account has none: their browser keeps it.

    Raises:
        OperationError: `no_such_room`; `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.READ)
    await count(caller, "mark-read")
    room = caller.room(room_name, Verb.READ)
    marker, moved = await caller.runtime.read_markers.move(caller.person, room, seq)
    if moved:
        caller.runtime.refresh.note_lists(caller.person.clients - {caller.client})
    return ReadUpTo(marker.read_seq, marker.read_posts, max(room.posts - marker.read_posts, 0))


async def enter(caller: Caller, room_name: str) -> RoomFacts:
    """
    Let a connection hear a room that it asks for, also one that its person has left.

    Raises:
        OperationError: `no_such_room`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.READ)
    await count(caller, "join")
    room = caller.room(room_name, Verb.READ)
    who, client, connections = caller.person.identity, caller.client, caller.runtime.connections
    if who.user_id is not None and not may_stay(caller.person, room):
        await caller.write(memberships.join_room, room.id, who.user_id)
        await connections.catch_up(client, room.id)
    if client.entered is not None:
        client.entered.add(room.id)
    await connections.follow_fresh(client)
    return access.room_still(caller.runtime.directory, room.id)


async def exit(caller: Caller, room_name: str) -> None:
    """
    No longer let a connection hear a room that it entered; its person stays a member.

    Raises:
        OperationError: `no_such_room`.
    """
    room = caller.room(room_name)
    if caller.client.entered is not None:
        caller.client.entered.discard(room.id)
    await caller.runtime.connections.follow(caller.client)


async def make_lobby(caller: Caller, name: str) -> None:
    """
    Make the room of those who name none: public, and in the list of those only who come to it.

    Raises:
        OperationError: `name_taken`, by a room that is not public.
        RetryLater: `busy`.
    """
    room = await caller.write(rooms.create_room, name, by=None, auto_join=False, exist_ok=True)
    await caller.runtime.connections.catch_up(caller.client, room.pk)


async def _entry_now(caller: Caller, room_id: int) -> RoomEntry:
    """A room that this caller just changed, or came to."""
    await caller.runtime.connections.catch_up(caller.client, room_id)
    return room_entry(caller.person, access.room_still(caller.runtime.directory, room_id))


async def _addressed(
    caller: Caller, user_id: int | None, name: str | None, room_id: int | None = None
) -> Candidate:
    """
    Somebody whom this person may address; at a rate, so that nobody addresses everybody.

    Raises:
        OperationError: `no_such_person`; `not_allowed`: the caller themselves, or someone who declined them.
        RetryLater: `too_fast`.
    """
    me = caller.person.identity.user_id
    other = await read(find_candidate, user_id, name, room_id=room_id, by=me)
    if other.id == me:
        raise OperationError("you cannot do this to yourself", code="not_allowed")
    if other.has_declined:
        raise access.unwanted()
    await count(caller, "address")
    return other
