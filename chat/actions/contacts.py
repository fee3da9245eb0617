"""Contacts: asked for, declined, removed, listed."""

from chat.actions import access
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.queries.contacts import contacts_of
from chat.queries.structs import ContactEntry
from chat.queries.tokens import POST, READ
from chat.realtime.db import read
from chat.services import contacts
from rpc import OperationError


async def add_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Ask a person to be in touch, or accept by asking back.

    Raises:
        OperationError: `log_in`, `muted`, and as `chat.services.contacts.add_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(POST)
    by = _own_account(caller)
    access.check_not_muted(caller.person)
    await count(caller, "address")
    return await caller.write(contacts.add_contact, by, name)


async def decline_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.decline_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(POST)
    await count(caller, "address")
    return await caller.write(contacts.decline_contact, _own_account(caller), name)


async def remove_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.remove_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(POST)
    await count(caller, "address")
    return await caller.write(contacts.remove_contact, _own_account(caller), name)


async def list_contacts(caller: Caller) -> list[ContactEntry]:
    """
    One's contacts; none for a guest without an account.

    Raises:
        OperationError: `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(READ)
    await count(caller, "read")
    user_id = caller.person.identity.user_id
    return [] if user_id is None else await read(contacts_of, user_id)


def _own_account(caller: Caller) -> int:
    if caller.person.identity.user_id is None:
        raise OperationError("log in to use contacts", code="log_in")
    return caller.person.identity.user_id
