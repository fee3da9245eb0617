"""A message gets another text, or is removed."""

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.history import find_message
from chat.actions.limits import count, count_slow_mode
from chat.actions.roles import Verb
from chat.queries.structs import Message
from chat.services import messages


async def edit(caller: Caller, room_name: str, seq: int, body: str) -> Message:
    """
    Give an own message a new text (moderators: any message).

    Raises:
        OperationError: `no_such_room`, `no_such_message`, `bad_text`, `empty_message`, `too_long`,
            `not_allowed`, `archived`, `read_only`, `muted`.
        RetryLater: `too_fast`, `slow_mode`, `busy`.
    """
    caller.require(Verb.EDIT)
    room = caller.room(room_name)
    message = await find_message(room, seq)
    body = access.check_body(body)
    access.check_edit(caller.person, room, message, caller.runtime.directory.site)
    await count(caller, "edit")
    await count_slow_mode(caller, room)
    by = await account_of(caller)
    return await caller.write(messages.edit_message, room.id, message.seq, body, by=by)


async def remove(caller: Caller, room_name: str, seq: int, reason: str) -> Message:
    """
    Remove an own message (moderators: any message); a tombstone stays.

    Raises:
        OperationError: `no_such_room`, `no_such_message`, `not_allowed`, `archived`, `read_only`, `muted`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.REMOVE)
    room = caller.room(room_name)
    message = await find_message(room, seq)
    access.check_remove(caller.person, room, message)
    await count(caller, "edit")
    by = await account_of(caller)
    reason = access.clean_text(reason)
    return await caller.write(messages.remove_message, room.id, message.seq, by=by, reason=reason)
