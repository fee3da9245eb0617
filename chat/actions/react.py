"""A reaction on a message, put on or taken off."""

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.history import find_message
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.queries.structs import Message
from chat.services import messages


async def react(caller: Caller, room_name: str, seq: int, emoji: str, *, on: bool) -> Message:
    """
    The answer shows the message, so a token needs `read` too.

    Raises:
        OperationError: `no_such_room`, `no_such_message`, `bad_emoji`, `too_many`, `not_allowed`, `archived`,
            `read_only`, `muted`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.REACT)
    room = caller.room(room_name)
    message = await find_message(room, seq)
    access.check(caller.person, Verb.REACT, room)
    emoji = access.check_emoji(emoji)
    await count(caller, "react")
    by = await account_of(caller)
    return await caller.write(messages.react, room.id, message.seq, emoji, by=by, on=on)
