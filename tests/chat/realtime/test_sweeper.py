"""A server sweeps by itself, and one of several does."""

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from chat.models import Process, User
from chat.realtime.strangers import sweeper
from chat.services.sweeping import AT_ONCE
from tests.deadlines import DEADLINE

PORTIONS = 2


def make_guests(count):
    long_ago = timezone.now() - timedelta(days=31)
    User.objects.bulk_create(
        User(
            username=f"g{n}", name=f"g{n}", name_key=f"g{n}", name_look=f"g{n}", is_guest=True, date_joined=long_ago
        )
        for n in range(count)
    )


async def test_server_sweeps_regularly(chat, monkeypatch):
    """Nobody has to ask for it."""
    await chat.elsewhere(make_guests, 3)
    await chat.runtime.sweeper.stop()
    monkeypatch.setattr(sweeper, "SWEEP_SECONDS", 0.005)
    await chat.runtime.sweeper.start()
    async with asyncio.timeout(DEADLINE):
        while await chat.elsewhere(User.objects.exists):
            await asyncio.sleep(0)


async def test_what_is_too_much_for_one_round_waits_for_the_next(chat, monkeypatch):
    """Others write between its portions, and it does not go on for ever."""
    monkeypatch.setattr(sweeper, "MOST_PORTIONS", PORTIONS)
    await chat.elsewhere(make_guests, PORTIONS * AT_ONCE + 5)
    await chat.runtime.sweeper.sweep()
    assert await chat.elsewhere(User.objects.count) == 5
    await chat.runtime.sweeper.sweep()
    assert await chat.elsewhere(User.objects.count) == 0


@pytest.mark.parametrize(("started", "seen", "swept"), [(-60, 0, False), (60, 0, True), (-60, -60, True)])
async def test_oldest_process_sweeps(chat, started, seen, swept):
    """Unless that is dead (in seconds from now)."""
    now = timezone.now()
    await chat.elsewhere(
        Process.objects.create,
        key="other",
        started_at=now + timedelta(seconds=started),
        seen_at=now + timedelta(seconds=seen),
    )
    await chat.elsewhere(make_guests, 1)
    await chat.runtime.sweeper.sweep()
    assert await chat.elsewhere(User.objects.exists) is not swept


async def test_sweeping_that_fails_is_tried_again(chat, monkeypatch, caplog):
    """The log has it, and the server goes on."""
    again = asyncio.Event()
    await chat.runtime.sweeper.stop()

    async def fail():
        if "could not sweep" in caplog.text:
            again.set()
        raise RuntimeError

    monkeypatch.setattr(sweeper, "SWEEP_SECONDS", 0.005)
    monkeypatch.setattr(chat.runtime.sweeper, "sweep", fail)
    await chat.runtime.sweeper.start()
    async with asyncio.timeout(DEADLINE):
        await again.wait()
