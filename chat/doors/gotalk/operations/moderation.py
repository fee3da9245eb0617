"""Moderation: in a room by its moderators; on the whole site by admins."""

from datetime import datetime
from typing import Annotated

import msgspec

from chat.actions import moderation
from chat.actions.roles import Verb
from chat.actions.rooms import RoomEntry
from chat.doors.gotalk.caller import caller_of
from chat.doors.gotalk.operations.messages import InRoom
from chat.models import Sanction
from rpc import Peer
from rpc import default_handlers as handlers

Reason = Annotated[str, msgspec.Meta(max_length=200)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=10 * 366 * 24 * 60)]
SlowModeSeconds = Annotated[int, msgspec.Meta(ge=0, le=24 * 60 * 60)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Kick(msgspec.Struct):
    room: str
    id: int
    reason: Reason = ""


@handlers.request("kick", requires=Verb.KICK.scopes)
async def kick(peer: Peer, params: Kick) -> None:
    """Remove a person from a room; for its moderators."""
    await moderation.kick(caller_of(peer), params.room, params.id, params.reason)


class Lift(msgspec.Struct):
    """Without `room`: on the whole site."""

    id: int
    room: str | None = None
    reason: Reason = ""


class Sentence(Lift):
    """Without `minutes`: until somebody lifts it."""

    minutes: Minutes | None = None


@handlers.request("mute", requires=Verb.MUTE_OR_BAN.scopes)
async def mute(peer: Peer, params: Sentence) -> None:
    """Let a person read only: in a room, for its moderators; on the whole site, for admins."""
    await _impose(peer, Sanction.Kind.MUTE, params)


@handlers.request("ban", requires=Verb.MUTE_OR_BAN.scopes)
async def ban(peer: Peer, params: Sentence) -> None:
    """Shut a person out: of a room, for its moderators; of the whole site, for admins."""
    await _impose(peer, Sanction.Kind.BAN, params)


@handlers.request("unmute", requires=Verb.MUTE_OR_BAN.scopes)
async def unmute(peer: Peer, params: Lift) -> None:
    """End the mutes of a person in a room, or those on the whole site."""
    await moderation.lift(caller_of(peer), Sanction.Kind.MUTE, params.room, params.id, params.reason)


@handlers.request("unban", requires=Verb.MUTE_OR_BAN.scopes)
async def unban(peer: Peer, params: Lift) -> None:
    """End the bans of a person in a room, or those on the whole site."""
    await moderation.lift(caller_of(peer), Sanction.Kind.BAN, params.room, params.id, params.reason)


async def _impose(peer: Peer, kind: str, params: Sentence) -> None:
    await moderation.impose(caller_of(peer), kind, params.room, params.id, params.minutes, params.reason)


class RemoveMessages(Lift, kw_only=True):
    since: Moment


class Removed(msgspec.Struct):
    removed: int


@handlers.request("remove-messages", requires=Verb.REMOVE_ALL.scopes)
async def remove_messages(peer: Peer, params: RemoveMessages) -> Removed:
    """Remove all messages of a person since a time: in a room, for its moderators; everywhere, for admins."""
    caller = caller_of(peer)
    return Removed(await moderation.remove_all(caller, params.room, params.id, params.since, params.reason))


class SetReadOnly(InRoom):
    on: bool
    minutes: Minutes | None = None
    reason: Reason = ""


@handlers.request("set-read-only", requires=Verb.SET_SWITCHES.scopes)
async def set_read_only(peer: Peer, params: SetReadOnly) -> RoomEntry:
    """Let only moderators post in a room, or everyone again; for its moderators."""
    switches = {"read_only": params.on}
    return await moderation.change_switches(caller_of(peer), params.room, switches, params.minutes, params.reason)


class SetSlowMode(InRoom):
    seconds: SlowModeSeconds
    minutes: Minutes | None = None
    reason: Reason = ""


@handlers.request("set-slow-mode", requires=Verb.SET_SWITCHES.scopes)
async def set_slow_mode(peer: Peer, params: SetSlowMode) -> RoomEntry:
    """Let each person post only every so many seconds, 0 as they like; for moderators of the room."""
    switches = {"slow_mode_seconds": params.seconds}
    return await moderation.change_switches(caller_of(peer), params.room, switches, params.minutes, params.reason)


class Calm(msgspec.Struct):
    on: bool
    minutes: Minutes | None = None
    reason: Reason = ""


@handlers.request("calm", requires=Verb.CHANGE_SITE.scopes)
async def calm(peer: Peer, params: Calm) -> None:
    """Let guests read only, or write again; for admins."""
    await moderation.set_calm(caller_of(peer), params.on, params.minutes, params.reason)


class CloseSignUp(msgspec.Struct):
    minutes: Minutes | None = None
    reason: Reason = ""


@handlers.request("close-sign-up", requires=Verb.CHANGE_SITE.scopes)
async def close_sign_up(peer: Peer, params: CloseSignUp) -> None:
    """Take no new accounts; for admins."""
    await moderation.close_sign_up(caller_of(peer), params.minutes, params.reason)
