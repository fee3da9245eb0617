"""Contacts over gotalk."""

import msgspec

from chat.actions import contacts as befriending
from chat.doors.gotalk.asking import client_of
from chat.services.events import ContactEntry
from rpc import Peer
from rpc import default_handlers as handlers


class ByName(msgspec.Struct):
    name: str


@handlers.request("list-contacts")
async def list_contacts(peer: Peer) -> list[ContactEntry]:
    """One's contacts: friends, those who asked, those one asked, those who declined."""
    return await befriending.list_of(client_of(peer))


@handlers.request("add-contact")
async def add_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """Ask a person to be in touch; who has asked oneself is a friend then."""
    return await befriending.add(client_of(peer), _name(params))


@handlers.request("decline-contact")
async def decline_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """Turn a person's request down."""
    return await befriending.decline(client_of(peer), _name(params))


@handlers.request("remove-contact")
async def remove_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """End a friendship, withdraw a request or forget one."""
    return await befriending.remove(client_of(peer), _name(params))


def _name(params: str | ByName) -> str:
    return params if isinstance(params, str) else params.name
