"""People and rooms over gotalk: a room of two, who is brought in, who is put out."""

import time
from typing import Annotated

import msgspec
from django.conf import settings

from chat.actions import access
from chat.doors.gotalk.asking import client_of, entry_of, room_of
from chat.models import Room
from chat.queries.candidates import Known, known_by
from chat.queries.tokens import POST
from chat.realtime.clients import Client, RoomEntry
from chat.realtime.db import read
from chat.services import memberships, rooms
from rpc import OperationError, Peer
from rpc import default_handlers as handlers


class Someone(msgspec.Struct):
    """A person, by key or by name."""

    id: int | None = None
    name: str | None = None


@handlers.request("open-direct")
async def open_direct(peer: Peer, params: str | Someone) -> RoomEntry:
    """The room of oneself and another person, who hears of it with the first message."""
    client = client_of(peer, POST)
    other = await _other(client, Someone(name=params) if isinstance(params, str) else params)
    by = await client.runtime.account(client)
    room = await client.runtime.write(rooms.open_direct, by, other.id)
    return await entry_of(client, room.pk)


class Invite(Someone, kw_only=True):
    room: str


@handlers.request("invite")
async def invite(peer: Peer, params: Invite) -> None:
    """Bring a person into a room: it is in his list from now on."""
    client = client_of(peer, POST)
    room = room_of(client, params.room)
    other = await _other(client, params, room.id)
    access.check_invite(client.person, room, has_left=other.has_left)
    if other.is_banned:
        raise OperationError("this person is banned", code="banned")
    await client.runtime.write(memberships.join_room, room.id, other.id)


class Kick(msgspec.Struct):
    room: str
    id: int
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


@handlers.request("kick")
async def kick(peer: Peer, params: Kick) -> None:
    """Take a person out of a room; for its moderators."""
    client = client_of(peer, POST)
    room = room_of(client, params.room)
    access.check_moderate(client.person, room)
    other = await read(known_by, params.id, None, room_id=room.id, by=client.person.identity.user_id)
    if room.kind != Room.Kind.PUBLIC and not other.belongs:
        raise OperationError("this person is not in the room", code="no_such_person")
    access.check_kick(client.person, room, other.id, is_owner=other.is_owner)
    by = await client.runtime.account(client)
    await client.runtime.write(memberships.kick, room.id, other.id, by=by, reason=params.reason.strip())


async def _other(client: Client, wanted: Someone, room_id: int | None = None) -> Known:
    """
    Somebody whom this socket's person may turn to. It counts as a post, so that nobody turns to everybody.

    Raises:
        OperationError: `no_such_person`; `not_allowed`: oneself, or someone who declined him.
        RetryLater: `too_fast`.
    """
    me = client.person.identity.user_id
    other = await read(known_by, wanted.id, wanted.name, room_id=room_id, by=me)
    if other.id == me:
        raise OperationError("this is you", code="not_allowed")
    if other.has_declined:
        raise access.unwanted()
    if settings.RATE_LIMITS:
        access.check_allowance(client.person, time.monotonic())
    return other
