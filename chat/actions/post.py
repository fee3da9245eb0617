"""A post through any door: the same rights, limits, order and storage for all of them."""

from uuid import UUID, uuid4

import msgspec

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.limits import count, count_here, count_slow_mode
from chat.actions.roles import Verb
from chat.models import Room
from chat.queries.history import Seq
from chat.queries.structs import Message
from chat.services.events import Typing
from chat.services.posts import NewPost


class NewMessage(msgspec.Struct):
    """What a client says, as every wire decodes it."""

    body: str
    client_id: UUID | None = None
    reply_to: Seq | None = None


async def post(caller: Caller, room_name: str, new: NewMessage) -> Message:
    """
    Store a message; returns it when it is durable. The same `client_id` of the same person again returns the
    first message.

    Raises:
        OperationError: `no_such_room`, `bad_text`, `empty_message`, `too_long`, `no_such_message` (of `reply_to`),
            `not_allowed`, `archived`, `read_only`, `muted`, with the field at fault as `NewMessage` names it.
        RetryLater: `too_fast`, `slow_mode`, `busy`.
    """
    caller.require(Verb.POST)
    room = caller.room(room_name)
    body = access.check_body(new.body)
    access.check(caller.person, Verb.POST, room)
    await count(caller, "post")
    await count_slow_mode(caller, room)
    author_id = await account_of(caller)
    who = caller.person.identity
    stored = await caller.runtime.writer.post(
        NewPost(
            room_id=room.id,
            room=room.name,
            author_id=author_id,
            author=who.name,
            is_guest=who.is_guest,
            is_bot=who.is_bot,
            body=body,
            client_id=new.client_id or uuid4(),
            via=caller.client.link.door,
            reply_to=new.reply_to,
            is_direct=room.kind == Room.Kind.DIRECT,
        )
    )
    return stored.message


def show_typing(caller: Caller, room_name: str) -> None:
    """
    Let others know that the caller is writing; what comes too soon after the last time is not passed on.

    Raises:
        OperationError: `no_such_room`; `not_allowed` for a token without `read`.
    """
    caller.require(Verb.TYPE)
    room = caller.room(room_name)
    if access.refusal(caller.person, Verb.TYPE, room) is None and count_here(caller, "typing"):
        caller.runtime.hub.publish(Typing(room.id, room.name, [caller.person.identity.name]))
