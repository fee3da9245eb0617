"""People: your own name, and what you may know of others."""

import msgspec

from chat.actions import accounts, people
from chat.actions.people import Info, ShownPerson
from chat.actions.roles import Verb
from chat.doors.gotalk.caller import caller_of
from rpc import Peer
from rpc import default_handlers as handlers


class SetName(msgspec.Struct):
    name: str


@handlers.request("set-name", requires=Verb.RENAME.scopes)
async def set_name(peer: Peer, params: str | SetName) -> SetName:
    """Take another name; others see it on what you post from now on."""
    name = params if isinstance(params, str) else params.name
    return SetName(await accounts.rename(caller_of(peer), name))


@handlers.request("info", requires=Verb.LIST.scopes)
async def info(peer: Peer, params: str | None = None) -> Info:
    """You, your rooms and contacts; or another person, and the rooms and contacts that you share."""
    return await people.info(caller_of(peer), params or "")


class InWhichRoom(msgspec.Struct):
    """Without `room`: on the whole site."""

    id: int
    room: str | None = None


@handlers.request("show-person", requires=Verb.LIST.scopes)
async def show_person(peer: Peer, params: InWhichRoom) -> ShownPerson:
    """A person, whether they are here, and what you may do about them in a room and on the whole site."""
    return await people.show_person(caller_of(peer), params.id, params.room)
