"""How often people do things: what passes, what waits, and what is remembered."""

import asyncio

import pytest

from chat.queries.rates import Rate
from chat.realtime import rates
from chat.realtime.rates import Rates

THREE = Rate(burst=3, per_minute=60)
"""Three at once, then one a second."""


async def test_burst_passes_and_the_next_one_waits_for_its_turn(clock):
    """As long as one counts, no longer."""
    here = Rates(clock=clock)
    assert [await here.take("post", "u1", THREE) for _ in range(3)] == [0, 0, 0]
    assert await here.take("post", "u1", THREE) == 1
    clock.now += 0.4
    assert await here.take("post", "u1", THREE) == pytest.approx(0.6)
    clock.now += 0.6
    assert await here.take("post", "u1", THREE) == 0
    assert await here.take("post", "u1", THREE) == 1


async def test_burst_passes_whatever_the_clock_says(clock):
    """Times are rounded; so little is no reason to wait."""
    here, slow = Rates(clock=clock), Rate(burst=1, per_minute=60 / 3600)
    for number in range(100):
        clock.now = 1000 + number / 7
        assert await here.take("slow mode", f"u{number}", slow) == 0
        assert [await here.take("post", f"u{number}", THREE) for _ in range(3)] == [0, 0, 0]


async def test_pause_is_worth_a_burst_and_no_more(clock):
    """Nobody saves up."""
    here = Rates(clock=clock)
    clock.now += 3600
    assert [await here.take("post", "u1", THREE) > 0 for _ in range(4)] == [False, False, False, True]


async def test_what_is_refused_is_not_counted(clock):
    """Who asks too early does not wait longer for it."""
    here = Rates(clock=clock)
    for _ in range(100):
        await here.take("post", "u1", THREE)
    clock.now += 1
    assert await here.take("post", "u1", THREE) == 0


async def test_costly_things_count_as_several(clock):
    """And what costs more than a burst counts as a whole one, or it could never be done."""
    here = Rates(clock=clock)
    assert await here.take("read", "u1", THREE, 2) == 0
    assert await here.take("read", "u1", THREE, 2) == 1
    assert await here.take("read", "u2", THREE, 100) == 0
    assert await here.take("read", "u2", THREE) == 1


async def test_rate_that_was_changed_holds_from_then_on(clock):
    """What counted for long under the old one makes nobody wait longer than the new one would."""
    here = Rates(clock=clock)
    await here.take("post", "u1", Rate(burst=1, per_minute=0.1))
    assert await here.take("post", "u1", THREE) == 1


async def test_people_and_things_are_counted_apart(clock):
    """What one does holds up nobody else, nor what else they do."""
    here = Rates(clock=clock)
    for _ in range(4):
        await here.take("post", "u1", THREE)
    assert await here.take("post", "u2", THREE) == 0
    assert await here.take("edit", "u1", THREE) == 0


async def test_what_no_longer_counts_is_forgotten(clock, monkeypatch):
    """A hundred thousand people who came by once leave nothing behind."""
    monkeypatch.setattr(rates, "SWEEP_AT_LEAST", 10)
    here = Rates(clock=clock)
    for number in range(10_000):
        clock.now += 0.5
        await here.take("post", f"u{number}", THREE)
    assert len(here._counted_until) <= 11


# --- several processes -------------------------------------------------------------------------------------


class Memory:
    """A Redis that answers as the test says."""

    def __init__(self):
        self.asked = []
        self.answer = 0.0
        self.error = None

    async def take_rate(self, key, added, ahead):
        self.asked.append((key, added, ahead))
        if self.error is not None:
            raise self.error
        return self.answer


async def test_memory_of_all_processes_is_asked(clock):
    """Its answer counts."""
    memory = Memory()
    here = Rates(memory, clock)
    assert await here.take("read", "u1", THREE, 2) == 0
    assert memory.asked == [("read u1", 2.0, 3.0)]
    memory.answer = 4.0
    assert await here.take("read", "u1", THREE) == 4.0


async def test_this_process_counts_alone_while_the_memory_is_away(clock, caplog):
    """It is asked again after a while, not by everybody who waits for it meanwhile."""
    memory = Memory()
    memory.error = ConnectionError("refused")
    here = Rates(memory, clock)
    assert [await here.take("post", "u1", THREE) > 0 for _ in range(4)] == [False, False, False, True]
    assert len(memory.asked) == 1
    assert len(caplog.records) == 1
    clock.now += rates.AWAY_SECONDS
    memory.error = None
    assert await here.take("post", "u1", THREE) == 0
    assert len(memory.asked) == 2


async def test_memory_that_hangs_is_not_waited_for(clock, monkeypatch):
    """A deadline, then as if it were away."""
    monkeypatch.setattr(rates, "SHARED_TIMEOUT", 0.01)

    class Hanging:
        async def take_rate(self, key, added, ahead):
            await asyncio.Event().wait()

    assert await Rates(Hanging(), clock).take("post", "u1", THREE) == 0
