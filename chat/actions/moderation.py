"""What moderators do in their rooms, and admins everywhere. The log has each act: `chat.services.acts`."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chat.actions import access
from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.actions.rooms import RoomEntry, room_entry
from chat.models import Room, SiteSettings
from chat.queries.candidates import Candidate, find_candidate
from chat.queries.rooms import RoomFacts
from chat.realtime.db import read
from chat.services import memberships, messages, moderation, rooms, site
from rpc import OperationError


async def kick(caller: Caller, room_name: str, user_id: int, reason: str) -> None:
    """
    Take a person out of a room; for its moderators.

    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.KICK)
    room = caller.room(room_name, Verb.KICK)
    await count(caller, "moderate")
    other = await _other(caller, user_id, room)
    if room.kind != Room.Kind.PUBLIC and not other.belongs:
        raise OperationError("this person is not in the room", code="no_such_person")
    access.check_act_on(caller.person, Verb.KICK, other, room)
    by = await account_of(caller)
    await caller.write(memberships.kick, room.id, other.id, by=by, reason=access.clean_text(reason))


async def impose(
    caller: Caller, kind: str, room_name: str | None, user_id: int, minutes: int | None, reason: str
) -> None:
    """
    Mute or ban a person: in a room, for its moderators; or on the whole site, for admins.

    Args:
        minutes: for how long; None: until somebody lifts it.
    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    verb = Verb.MUTE_OR_BAN if room_name is not None else Verb.MUTE_OR_BAN_EVERYWHERE
    caller.require(verb)
    room = caller.room(room_name) if room_name is not None else None
    await count(caller, "moderate")
    other = await _other(caller, user_id, room)
    access.check_act_on(caller.person, verb, other, room)
    room_id, by, until = room.id if room is not None else None, await account_of(caller), _end(minutes)
    await caller.write(
        moderation.impose, other.id, kind, room_id=room_id, by=by, reason=access.clean_text(reason), until=until
    )


async def lift(caller: Caller, kind: str, room_name: str | None, user_id: int, reason: str) -> None:
    """
    End the mutes or bans of a person in a room, or those on the whole site; doing so twice is as once.

    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    verb = Verb.MUTE_OR_BAN if room_name is not None else Verb.END_EVERYWHERE
    caller.require(verb)
    room = caller.room(room_name) if room_name is not None else None
    await count(caller, "moderate")
    other = await _other(caller, user_id, room)
    access.check_act_on(caller.person, verb, other, room)
    room_id = room.id if room is not None else None
    await caller.write(moderation.lift_all, other.id, kind, room_id=room_id, reason=access.clean_text(reason))


async def remove_all(caller: Caller, room_name: str | None, user_id: int, since: datetime, reason: str) -> int:
    """
    Remove the messages of a person that are not older than `since`: in a room, for its moderators; or everywhere,
    for admins.

    Returns:
        How many there were.
    Raises:
        OperationError: `no_such_room`, `no_such_person`, `not_allowed`.
        RetryLater: `too_fast`; `busy`, the oldest of them may be removed.
    """
    verb = Verb.REMOVE_ALL if room_name is not None else Verb.REMOVE_ALL_EVERYWHERE
    caller.require(verb)
    room = caller.room(room_name) if room_name is not None else None
    await count(caller, "moderate")
    other = await _other(caller, user_id, room)
    access.check_act_on(caller.person, verb, other, room)
    room_id = room.id if room is not None else None
    which: dict[str, Any] = {"room_id": room_id, "since": since, "reason": access.clean_text(reason)}
    by, actor = await account_of(caller), caller.actor()
    removed = 0
    while found := await caller.write_as(actor, messages.remove_some, other.id, by=by, **which):
        removed += found
    return removed


async def change_switches(
    caller: Caller, room_name: str, switches: dict[str, Any], minutes: int | None, reason: str
) -> RoomEntry:
    """
    Set `read_only` or `slow_mode_seconds` of a room, for a time if given; for its moderators.

    Raises:
        OperationError: `no_such_room`, `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.SET_SWITCHES)
    room = caller.room(room_name, Verb.SET_SWITCHES)
    await count(caller, "moderate")
    await caller.write(
        rooms.change_room, room.id, until=_end(minutes), reason=access.clean_text(reason), **switches
    )
    await caller.runtime.connections.catch_up(caller.client, room.id)
    return room_entry(caller.person, access.room_still(caller.runtime.directory, room.id))


async def set_calm(caller: Caller, on: bool, minutes: int | None, reason: str) -> None:
    """
    Let guests read only, for a time if given; for admins.

    Raises:
        OperationError: `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    await _change_site(caller, {"calm": on}, minutes, reason)


async def close_sign_up(caller: Caller, minutes: int | None, reason: str) -> None:
    """
    Take no new accounts, for a time if given; for admins.

    Raises:
        OperationError: `not_allowed`.
        RetryLater: `too_fast`, `busy`.
    """
    closed = {"sign_up": SiteSettings.SignUp.CLOSED.value, "sign_up_by_openid": False}
    await _change_site(caller, closed, minutes, reason)


async def _change_site(caller: Caller, switches: dict[str, Any], minutes: int | None, reason: str) -> None:
    caller.require(Verb.CHANGE_SITE)
    access.check(caller.person, Verb.CHANGE_SITE)
    await count(caller, "moderate")
    await caller.write(site.change_settings, until=_end(minutes), reason=access.clean_text(reason), **switches)


async def _other(caller: Caller, user_id: int, room: RoomFacts | None) -> Candidate:
    room_id = room.id if room is not None else None
    by = caller.person.identity.user_id
    return await read(find_candidate, user_id, None, room_id=room_id, by=by, active_only=False)


def _end(minutes: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(minutes=minutes) if minutes is not None else None
