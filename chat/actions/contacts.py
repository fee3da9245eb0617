"""Contacts: asked for, declined, removed, listed."""

from chat.actions import access
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.queries.contacts import contacts_of
from chat.queries.structs import ContactEntry
from chat.realtime.db import read
from chat.services import contacts


async def add_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Ask a person to be in touch, or accept by asking back.

    Raises:
        OperationError: `log_in`, `muted`, and as `chat.services.contacts.add_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    by = _account_for(caller, Verb.ASK_FOR_CONTACT)
    await count(caller, "address")
    return await caller.write(contacts.add_contact, by, name)


async def decline_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.decline_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    by = _account_for(caller, Verb.END_CONTACT)
    await count(caller, "address")
    return await caller.write(contacts.decline_contact, by, name)


async def remove_contact(caller: Caller, name: str) -> ContactEntry:
    """
    Raises:
        OperationError: `log_in`, and as `chat.services.contacts.remove_contact`.
        RetryLater: `too_fast`, `busy`.
    """
    by = _account_for(caller, Verb.END_CONTACT)
    await count(caller, "address")
    return await caller.write(contacts.remove_contact, by, name)


async def list_contacts(caller: Caller) -> list[ContactEntry]:
    """
    One's contacts; none for a guest without an account.

    Raises:
        OperationError: `not_allowed` for a token without `read`.
        RetryLater: `too_fast`.
    """
    caller.require(Verb.LIST)
    await count(caller, "read")
    user_id = caller.person.identity.user_id
    return [] if user_id is None else await read(contacts_of, user_id)


def _account_for(caller: Caller, verb: Verb) -> int:
    caller.require(verb)
    access.check(caller.person, verb)
    user_id = caller.person.identity.user_id
    assert user_id is not None  # the table asks for an account
    return user_id
