"""The last use of a token is noted in memory and stored by the writer, seldom."""

import asyncio
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from chat.models import Token
from chat.queries.tokens import SCOPES
from chat.realtime import token_use
from chat.services.tokens import make_token, note_use
from tests.deadlines import DEADLINE


@pytest.fixture
def token(alice):
    """Makes a token that was last used so many seconds ago; returns it and its secret."""

    def make(seconds=None):
        last_used_at = timezone.now() - timedelta(seconds=seconds) if seconds is not None else None
        token = Token(user=alice, name="robot", scopes=list(SCOPES), last_used_at=last_used_at)
        return token, make_token(token)

    return make


@pytest.fixture
def stored(monkeypatch):
    """What was stored: keys of tokens, and the name of the thread."""
    batches = []

    def note(token_ids):
        note_use(token_ids)
        batches.append((set(token_ids), threading.current_thread().name))

    monkeypatch.setattr(token_use, "note_use", note)
    return batches


async def test_use_is_stored_by_the_writer(chat, token, stored):
    """Two connections within seconds are one use, which whoever looks at the token sees."""
    made, secret = await chat.elsewhere(token)
    for _ in range(2):
        await chat.open(bearer=secret)
    await chat.runtime.token_use.stop()
    assert stored == [({made.pk}, "writer")]
    await chat.elsewhere(made.refresh_from_db)
    assert timezone.now() - made.last_used_at < timedelta(seconds=DEADLINE)


@pytest.mark.parametrize(("ago", "is_stored"), [(30, False), (90, True)])
async def test_use_is_stored_once_a_minute(chat, token, stored, ago, is_stored):
    """A program that comes every second writes no row every second."""
    made, secret = await chat.elsewhere(token, ago)
    await chat.open(bearer=secret)
    await chat.runtime.token_use.stop()
    assert stored == ([({made.pk}, "writer")] if is_stored else [])


async def test_use_is_stored_while_the_process_runs(chat, token, monkeypatch):
    """Not only at its end."""
    monkeypatch.setattr(token_use, "SAVE_SECONDS", 0.005)
    noted, loop = asyncio.Event(), asyncio.get_running_loop()
    monkeypatch.setattr(token_use, "note_use", lambda token_ids: loop.call_soon_threadsafe(noted.set))
    _, secret = await chat.elsewhere(token)
    await chat.open(bearer=secret)
    await asyncio.wait_for(noted.wait(), DEADLINE)


async def test_use_is_kept_while_the_database_is_busy(chat, token, monkeypatch):
    """It is stored when the database takes it."""
    monkeypatch.setattr(token_use, "SAVE_SECONDS", 0.005)
    noted, loop, tries = asyncio.Event(), asyncio.get_running_loop(), []

    def note(token_ids):
        tries.append(token_ids)
        if len(tries) == 1:
            raise OperationalError("database is locked")
        loop.call_soon_threadsafe(noted.set)

    monkeypatch.setattr(token_use, "note_use", note)
    made, secret = await chat.elsewhere(token)
    await chat.open(bearer=secret)
    await asyncio.wait_for(noted.wait(), DEADLINE)
    assert tries == [{made.pk}, {made.pk}]


async def test_token_that_is_refused_is_not_used(chat, token, stored):
    """Whoever shows it does not come in by it."""
    made, secret = await chat.elsewhere(token)
    await chat.elsewhere(Token.objects.filter(pk=made.pk).update, scopes=["read"])
    page = await chat.dial(bearer=secret)
    assert await page.is_closed() == 4403
    await chat.runtime.token_use.stop()
    assert stored == []
