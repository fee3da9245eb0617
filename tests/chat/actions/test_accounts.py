"""A guest who does something gets one account, whoever waits for it and whoever gives up."""

import asyncio
import threading

import pytest

from chat.actions.accounts import account_of
from chat.actions.caller import Caller
from chat.models import User
from chat.services import accounts


@pytest.fixture
def slow_account(monkeypatch):
    """Holds the opening of accounts until the event is set."""
    go_on = threading.Event()
    open_guest_account = accounts.open_guest_account

    def wait_and_open(*args):
        assert go_on.wait(30)
        return open_guest_account(*args)

    monkeypatch.setattr("chat.services.accounts.open_guest_account", wait_and_open)
    return go_on


async def caller(chat, **who):
    await chat.open(**who)
    (client,) = chat.runtime.connections.clients
    return Caller(chat.runtime, client)


async def test_request_that_is_cancelled_leaves_one_account_for_the_others(chat, slow_account):
    """Of two that wait one gives up, and a third comes: all mean the same person."""
    guest = await caller(chat)
    gives_up, stays = (asyncio.create_task(account_of(guest)) for _ in range(2))
    await asyncio.sleep(0)
    gives_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gives_up
    comes_later = asyncio.create_task(account_of(guest))
    await asyncio.sleep(0)
    slow_account.set()
    assert await stays == await comes_later
    assert await chat.elsewhere(User.objects.filter(is_guest=True).count) == 1


async def test_account_is_opened_though_everyone_gave_up(chat, slow_account):
    """What was begun ends, and the next request finds it."""
    guest = await caller(chat)
    gives_up = asyncio.create_task(account_of(guest))
    await asyncio.sleep(0)
    gives_up.cancel()
    slow_account.set()
    first = await account_of(guest)
    assert await account_of(guest) == first
    assert await chat.elsewhere(User.objects.filter(is_guest=True).count) == 1


async def test_account_that_could_not_be_opened_is_tried_again(chat, monkeypatch):
    """A failure is for those who waited, not for whoever comes next."""
    guest = await caller(chat)
    with monkeypatch.context() as broken:
        broken.setattr("chat.services.accounts.open_guest_account", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await account_of(guest)
    assert await account_of(guest) == guest.person.identity.user_id
