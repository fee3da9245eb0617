"""Contacts: listed, asked for, declined, removed."""

import msgspec

from chat.actions import contacts
from chat.actions.roles import Verb
from chat.doors.gotalk.caller import caller_of
from chat.queries.structs import ContactEntry
from rpc import Peer
from rpc import default_handlers as handlers


class ByName(msgspec.Struct):
    name: str


@handlers.request("list-contacts", requires=Verb.LIST.scopes)
async def list_contacts(peer: Peer) -> list[ContactEntry]:
    """Your contacts: friends, people who asked you, people whom you asked, people who declined."""
    return await contacts.list_contacts(caller_of(peer))


@handlers.request("add-contact", requires=Verb.ASK_FOR_CONTACT.scopes)
async def add_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """Send a contact request, or accept a person's request by sending one back."""
    return await contacts.add_contact(caller_of(peer), _name(params))


@handlers.request("decline-contact", requires=Verb.END_CONTACT.scopes)
async def decline_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """Decline a person's request."""
    return await contacts.decline_contact(caller_of(peer), _name(params))


@handlers.request("remove-contact", requires=Verb.END_CONTACT.scopes)
async def remove_contact(peer: Peer, params: str | ByName) -> ContactEntry:
    """Remove a contact, or withdraw a request."""
    return await contacts.remove_contact(caller_of(peer), _name(params))


def _name(params: str | ByName) -> str:
    return params if isinstance(params, str) else params.name
