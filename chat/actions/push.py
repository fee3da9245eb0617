"""An application's message to one person."""

from typing import Any

from asgiref.sync import sync_to_async

from chat.actions.access import check
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.services.push import push


async def push_to_person(caller: Caller, user: str | int, opcode: int, payload: Any) -> int:
    """
    Send a message to all sockets of a person, given by name or key; returns how many there are.

    Raises:
        OperationError: `not_allowed` for a token without `push`, or of a person who is not staff any more; and as
            `chat.services.push.push`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.PUSH)
    check(caller.person, Verb.PUSH)
    await count(caller, "push")
    return await sync_to_async(push)(user, opcode, payload)
