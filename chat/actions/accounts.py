"""The caller's account, which a guest gets when they do something, and their name."""

import asyncio

import msgspec

from chat.actions.access import check
from chat.actions.caller import Caller
from chat.actions.limits import count
from chat.actions.roles import Verb
from chat.queries.guests import client_network
from chat.queries.identity import identity_of_key
from chat.queries.people import free_name
from chat.realtime.db import read
from chat.realtime.directory import Person
from chat.services import accounts


async def account_of(caller: Caller) -> int:
    """
    The key of the person's account; a guest without one gets one now.

    Raises:
        RetryLater: `busy`.
    """
    person = caller.person
    if person.identity.user_id is not None:
        return person.identity.user_id
    if person.account is None:
        # One task for all that wait, also when some of them give up: each would open an account of its own.
        person.account = asyncio.get_running_loop().create_task(_open_account(caller, person), name="new account")
        person.account.add_done_callback(_read_error)
    return await asyncio.shield(person.account)


async def _open_account(caller: Caller, person: Person) -> int:
    try:
        session_key = caller.client.session_key
        network = client_network(caller.client.address)
        user_id = await caller.write(accounts.open_guest_account, session_key, person.identity.name, network)
        identity = await read(identity_of_key, user_id)
        assert identity is not None  # it was committed a moment ago, and people are never deleted
        await caller.runtime.connections.become(tuple(person.clients), identity)
    finally:
        person.account = None
    return user_id


def _read_error(task: asyncio.Task[int]) -> None:
    """Whoever waits gets it; should nobody wait any more, it need not be reported as forgotten."""
    if not task.cancelled():
        task.exception()


async def rename(caller: Caller, name: str) -> str:
    """
    Take another name, for good if there is a session; others see it on what the caller posts from now on.

    Returns:
        The name as it is stored.
    Raises:
        OperationError: `empty_name`, `bad_name`, `name_taken`, `muted`.
        RetryLater: `too_fast`, `busy`.
    """
    caller.require(Verb.RENAME)
    check(caller.person, Verb.RENAME)
    await count(caller, "rename")
    who = caller.person.identity
    if who.user_id is not None:
        return (await caller.write(accounts.rename, who.user_id, name)).name
    if caller.client.session_key is not None:
        return await caller.write(accounts.rename_guest, caller.client.session_key, name)
    name = await read(free_name, name)
    await caller.runtime.connections.become((caller.client,), msgspec.structs.replace(who, name=name))
    return name
