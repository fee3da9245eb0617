"""What the moderators of a room do to people in it."""

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.models import Room
from chat.queries.candidates import find_candidate
from chat.queries.tokens import POST
from chat.realtime.db import read
from chat.services import memberships
from rpc import OperationError


async def kick(caller: Caller, room_name: str, user_id: int, reason: str) -> None:
    """
    Take a person out of a room; for its moderators.

    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(POST)
    room = caller.room(room_name)
    access.check_moderate(caller.person, room)
    await count(caller, "moderate")
    other = await read(find_candidate, user_id, None, room_id=room.id, by=caller.person.identity.user_id)
    if room.kind != Room.Kind.PUBLIC and not other.belongs:
        raise OperationError("this person is not in the room", code="no_such_person")
    access.check_kick(caller.person, room, other.id, is_owner=other.is_owner, exceeds=other.exceeds)
    by = await account_of(caller)
    await caller.write(memberships.kick, room.id, other.id, by=by, reason=reason.strip())
