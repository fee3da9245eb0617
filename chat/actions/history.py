"""Reading messages: a page of a room, what changed since a version, a single message."""

from collections.abc import Mapping

import msgspec

from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.queries import history
from chat.queries.history import MAX_PAGE, PAGE
from chat.queries.rooms import RoomFacts
from chat.queries.sizes import MAX_LIST_BYTES, json_size
from chat.queries.structs import Message
from chat.realtime.db import read
from rpc import OperationError

ROOMS_AS_A_PAGE = 10
"""To look whether so many rooms have changed costs about as much as a page of messages."""


async def list_messages(
    caller: Caller,
    room_name: str,
    *,
    before_seq: int | None = None,
    after_seq: int | None = None,
    around_seq: int | None = None,
    limit: int = PAGE,
) -> list[Message]:
    """
    A page of a room's messages, oldest first: the newest, or those next to a seq.

    Raises:
        OperationError: `no_such_room`; `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.READ)
    await count(caller, "read", max(1, limit / PAGE))
    room = caller.room(room_name, Verb.READ)
    return await read(
        history.page, room.id, before_seq=before_seq, after_seq=after_seq, around_seq=around_seq, limit=limit
    )


class RoomSync(msgspec.Struct):
    version: int
    messages: list[Message] = []
    more: bool = False
    reset: bool = False


async def sync(caller: Caller, versions: Mapping[str, int]) -> dict[str, RoomSync]:
    """
    What changed in rooms since versions that the caller knows, in the order of the changes; a page at most.

    Raises:
        OperationError: `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.READ)
    await count(caller, "read", 1 + len(versions) / ROOMS_AS_A_PAGE)
    answer: dict[str, RoomSync] = {}
    messages_left, bytes_left = MAX_PAGE, MAX_LIST_BYTES
    for name, version in versions.items():
        try:
            room = caller.room(name, Verb.READ)
            if messages_left == 0 or bytes_left <= 0:
                # The caller comes again for this room, from where it was.
                answer[name] = RoomSync(version, more=True)
                continue
            reached, changed, more = await read(history.changes_since, room.id, version, messages_left, bytes_left)
        except OperationError:
            answer[name] = RoomSync(0, reset=True)
        else:
            messages_left -= len(changed)
            bytes_left -= json_size(changed)
            answer[name] = RoomSync(reached, changed, more)
    return answer


async def find_message(room: RoomFacts, seq: int) -> Message:
    """
    Raises:
        OperationError: `no_such_message`, also when it was removed.
    """
    found = await read(history.page, room.id, after_seq=seq - 1, limit=1)
    if not found or found[0].seq != seq or found[0].deleted:
        raise OperationError("no such message", code="no_such_message")
    return found[0]
