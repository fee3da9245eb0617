"""Rooms: created, joined, left, described, read; people invited."""

from typing import Annotated, Literal

import msgspec

from chat.actions import people, rooms
from chat.actions.people import MemberList
from chat.actions.roles import Verb
from chat.actions.rooms import ReadUpTo, RoomEntry
from chat.doors.gotalk.caller import caller_of
from chat.doors.gotalk.operations.messages import InRoom, OnMessage
from chat.models import MAX_TOPIC_CHARS
from rpc import Peer
from rpc import default_handlers as handlers


class CreateRoom(msgspec.Struct):
    name: str
    kind: Literal["public", "private"] = "public"
    topic: Annotated[str, msgspec.Meta(max_length=MAX_TOPIC_CHARS)] = ""


@handlers.request("create-room", requires=Verb.CREATE_ROOM.scopes)
async def create_room(peer: Peer, params: str | CreateRoom) -> RoomEntry:
    """Make a room and own it. A name alone, if a public room has it, answers that room."""
    # Pages of the stock library send the name alone, and take what is answered for the room that they wanted.
    is_name = isinstance(params, str)
    asked = CreateRoom(params) if isinstance(params, str) else params
    return await rooms.create_room(caller_of(peer), asked.name, asked.kind, asked.topic, exist_ok=is_name)


class SetTopic(InRoom):
    topic: Annotated[str, msgspec.Meta(max_length=MAX_TOPIC_CHARS)]


@handlers.request("set-topic", requires=Verb.SET_TOPIC.scopes)
async def set_topic(peer: Peer, params: SetTopic) -> RoomEntry:
    """Set a room's topic; for its moderators."""
    return await rooms.set_topic(caller_of(peer), params.room, params.topic)


@handlers.request("join-room", requires=Verb.JOIN.scopes)
async def join_room(peer: Peer, params: str | InRoom) -> RoomEntry:
    """Become a member of a public room: it is in your list from now on."""
    return await rooms.join_room(caller_of(peer), _name(params))


@handlers.request("leave-room", requires=Verb.LEAVE.scopes)
async def leave_room(peer: Peer, params: str | InRoom) -> None:
    """Leave a room; a private one closes behind you."""
    await rooms.leave_room(caller_of(peer), _name(params))


@handlers.request("mark-read", requires=Verb.READ.scopes)
async def mark_read(peer: Peer, params: OnMessage) -> ReadUpTo:
    """Say how far you have read; the marker never moves back."""
    return await rooms.mark_read(caller_of(peer), params.room, params.seq)


@handlers.request("list-members", requires=Verb.READ.scopes)
async def list_members(peer: Peer, params: str | InRoom) -> MemberList:
    """Who is here in a room and who else belongs to it; from now on `presence` tells this socket of changes."""
    return await people.list_members(caller_of(peer), _name(params))


class Someone(msgspec.Struct):
    """A person, by key or by name."""

    id: int | None = None
    name: str | None = None


@handlers.request("open-direct", requires=Verb.OPEN_DIRECT.scopes)
async def open_direct(peer: Peer, params: str | Someone) -> RoomEntry:
    """The direct room of you and another person, who hears of it with your first message."""
    other = Someone(name=params) if isinstance(params, str) else params
    return await rooms.open_direct(caller_of(peer), other.id, other.name)


class Invite(Someone, kw_only=True):
    room: str


@handlers.request("invite", requires=Verb.INVITE.scopes)
async def invite(peer: Peer, params: Invite) -> None:
    """Invite a person into a room: it is in their list from now on."""
    await rooms.invite(caller_of(peer), params.room, params.id, params.name)


def _name(params: str | InRoom) -> str:
    return params if isinstance(params, str) else params.room
