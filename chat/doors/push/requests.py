"""What a client of the push door may ask: each opcode decodes its payload and calls an action."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import msgspec

from chat.actions import people, rooms
from chat.actions.caller import Caller
from chat.actions.contacts import add_contact
from chat.actions.people import Info
from chat.actions.post import NewMessage, post
from chat.actions.rooms import RoomEntry
from chat.doors.push.opcodes import Opcode
from chat.doors.push.socket import Left, PushSocket
from chat.doors.push.wire import room_frames
from chat.queries import history
from chat.queries.history import Seq
from chat.queries.structs import ContactEntry, Message
from chat.realtime.db import read
from rpc import OperationError
from rpc.protocol.payloads import decode_params

REQUEST_TIMEOUT = 30.0
"""Seconds for a request to be answered; entering a room lasts as long as its messages are read."""


class Asked(msgspec.Struct):
    state: str
    contact: ContactEntry


async def add_friend(socket: PushSocket, caller: Caller, payload: bytes) -> Asked:
    contact = await add_contact(caller, text_of(payload))
    return Asked(contact.state, contact)


async def get_info(socket: PushSocket, caller: Caller, payload: bytes) -> Info:
    return await people.info(caller, text_of(payload))


async def list_rooms(socket: PushSocket, caller: Caller, payload: bytes) -> list[RoomEntry]:
    return await rooms.list_rooms(caller)


class Enter(msgspec.Struct):
    room: str
    since: Seq | None = None


class Entered(msgspec.Struct):
    """`more`: older messages are still to come, in further answers; only then is the room entered."""

    room: str
    version: int
    missed: list[Message]
    more: bool


async def enter(socket: PushSocket, caller: Caller, payload: bytes) -> None:
    """Hear a room without a gap or a repeat: what comes while older messages are read is held back."""
    asked = decode_params(Enter, payload) if payload.startswith(b"{") else Enter(text_of(payload))
    room = caller.room(asked.room)
    replay = socket.replay_of(room.id)
    version = 0
    replay.hold()
    try:
        room = await rooms.enter(caller, asked.room)
        version = room.version
        missed: list[Message] = []
        if asked.since is not None:
            pages = replay.pages(asked.since, partial(_changes, room.id))
            async for reached, page, more in pages:
                version, missed = reached, page
                if more:
                    socket.reply(Opcode.ENTER_ROOM, Entered(room.name, version, missed, more))
                    await socket.drained()
        if not _is_in(caller, room.id):
            raise OperationError("no such room", code="no_such_room")
        socket.reply(Opcode.ENTER_ROOM, Entered(room.name, version, missed, more=False))
    except Exception:
        # Rather outside than inside with a gap.
        if _is_in(caller, room.id):
            await rooms.exit(caller, room.name)
        raise
    finally:
        replay.release(version)


async def catch_up(socket: PushSocket, caller: Caller) -> None:
    """Show what was left out of rooms while the client did not read."""
    for room_id, replay in socket.rooms_behind().items():
        version = replay.shown
        try:
            pages = replay.pages(version, partial(_changes, room_id))
            async for reached, page, _ in pages:
                await socket.drained()
                room = caller.runtime.directory.rooms.get(room_id)
                if room is None or not _is_in(caller, room_id):
                    break
                version = reached
                socket.show_room(room_frames(room_id, room.name, page))
        except OperationError:
            pass  # The room was deleted, as the client is told.
        finally:
            replay.release(version)


async def _changes(room_id: int, since: int) -> tuple[int, list[Message], bool]:
    return await read(history.changes_since, room_id, since)


def _is_in(caller: Caller, room_id: int) -> bool:
    return caller.client.entered is not None and room_id in caller.client.entered


async def leave(socket: PushSocket, caller: Caller, payload: bytes) -> Left:
    name = text_of(payload)
    await rooms.exit(caller, name)
    return Left(name)


class Post(NewMessage, kw_only=True):
    room: str


class Sent(msgspec.Struct):
    id: int
    seq: int
    version: int
    client_id: str


async def send(socket: PushSocket, caller: Caller, payload: bytes) -> Sent:
    new = decode_params(Post, payload)
    message = await post(caller, new.room, new)
    return Sent(message.id, message.seq, message.version, message.client_id)


class Request(NamedTuple):
    """An opcode that a client asks. Those of one `queue` are answered in order, and one by one unless `beside`."""

    handle: Callable[[PushSocket, Caller, bytes], Awaitable[Any]]
    queue: str
    beside: bool = False
    timeout: float | None = REQUEST_TIMEOUT


ROOMS = "rooms"
"""The queue of what changes which messages are shown."""

REQUESTS: dict[int, Request] = {
    Opcode.ADD_FRIEND: Request(add_friend, "contacts"),
    Opcode.GET_INFO: Request(get_info, "info", beside=True),
    Opcode.LIST_ROOMS: Request(list_rooms, "list"),
    Opcode.ENTER_ROOM: Request(enter, ROOMS, timeout=None),
    Opcode.LEAVE_ROOM: Request(leave, ROOMS),
    # Side by side, so that many are stored in one transaction; they queue for it in their order.
    Opcode.SEND: Request(send, "posts", beside=True),
}


def text_of(payload: bytes) -> str:
    """
    Raises:
        OperationError: `bad_message`.
    """
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise OperationError("not valid UTF-8", code="bad_message") from None
