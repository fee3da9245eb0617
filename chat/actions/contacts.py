"""Contacts through any door: the same rights and limits for all of them."""

import time

from django.conf import settings

from chat.actions import access
from chat.queries import tokens
from chat.queries.contacts import contacts_of
from chat.realtime.clients import Client
from chat.realtime.db import read
from chat.services import contacts
from chat.services.events import ContactEntry
from rpc import OperationError


async def add(client: Client, name: str) -> ContactEntry:
    """
    Ask a person to be in touch, or accept by asking back; costs as much of one's pace as a post.

    Raises:
        OperationError: `log_in`, `muted`, and as `chat.services.contacts.add_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    client.require(tokens.POST)
    by = _own_row(client)
    access.check_ask(client.person)
    if settings.RATE_LIMITS:
        access.check_allowance(client.person, time.monotonic())
    return await client.runtime.write(contacts.add_contact, by, name)


async def decline(client: Client, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.decline_contact`.
        RetryLater: `busy`.
    """
    client.require(tokens.POST)
    return await client.runtime.write(contacts.decline_contact, _own_row(client), name)


async def remove(client: Client, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.remove_contact`.
        RetryLater: `busy`.
    """
    client.require(tokens.POST)
    return await client.runtime.write(contacts.remove_contact, _own_row(client), name)


async def list_of(client: Client) -> list[ContactEntry]:
    """One's contacts; none for a visitor without a row."""
    client.require(tokens.READ)
    user_id = client.person.identity.user_id
    return [] if user_id is None else await read(contacts_of, user_id)


def _own_row(client: Client) -> int:
    if client.person.identity.user_id is None:
        raise OperationError("log in to have contacts", code="log_in")
    return client.person.identity.user_id
