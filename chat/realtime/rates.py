"""
How often people and addresses have done things, whatever connections they did them over.

A rate is kept as one time: until when what was done so far counts. This is the generic cell rate algorithm, in its
form as virtual scheduling (ITU-T I.371, annex A): something may be done if that time, with what it adds, lies no
further ahead than a burst.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from chat.queries.rates import Rate

logger = logging.getLogger(__name__)

SHARED_TIMEOUT = 0.5
"""Seconds for the other processes' memory; without its answer this process counts alone."""
AWAY_SECONDS = 5.0
"""For so long it is not asked again then."""
ROUNDING = 1e-6
"""Seconds by which sums of times may differ from what they would be without rounding."""
SWEEP_AT_LEAST = 1000
"""As many times are kept before the first sweep."""


class SharedRates(Protocol):
    """
    A memory that all processes share: the Redis layer is one.

    Called on the loop by `Rates`, which gives it a deadline. It promises that what two processes count at once is
    counted twice.
    """

    async def take_rate(self, key: str, added: float, ahead: float) -> float:
        """
        Count something under `key`.

        Args:
            added: seconds for which it counts.
            ahead: seconds that may be counted ahead.

        Returns:
            Seconds until it may be done; 0 when it was counted.
        """


class Rates:
    """
    What was done by each person and from each address; outlives their connections.

    Held by the runtime, asked by `chat.actions.limits` on the loop. It promises that nothing is counted that was
    refused, and keeps no more than what still counts, and as much again.

    Args:
        shared: the memory of all processes, if there are others.
        clock: seconds that never go back.
    """

    def __init__(self, shared: SharedRates | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._clock = clock
        self._away_until = float("-inf")
        self._counted_until: dict[str, float] = {}
        self._sweep_at = SWEEP_AT_LEAST

    async def take(self, what: str, who: str, rate: Rate, cost: float = 1) -> float:
        """
        Count what somebody does, in all processes.

        Args:
            what: the name of the rate.
            who: the key of a person, or an address.
            cost: how much it counts; more than a burst counts as a burst.

        Returns:
            Seconds until it may be done; 0 when it was counted.
        """
        if self._shared is not None and self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(SHARED_TIMEOUT):
                    return await self._shared.take_rate(_key(what, who), *_seconds(rate, cost))
            except Exception as error:
                logger.warning("this process counts rates alone: %r", error)
                self._away_until = self._clock() + AWAY_SECONDS
        return self.take_here(what, who, rate, cost)

    def take_here(self, what: str, who: str, rate: Rate, cost: float = 1) -> float:
        """The same, in this process only, and without waiting."""
        now = self._clock()
        key = _key(what, who)
        added, ahead = _seconds(rate, cost)
        # No further ahead than a burst: the rate may have been another one until now.
        until = min(max(self._counted_until.get(key, now), now), now + ahead) + added
        wait = until - now - ahead
        if wait > ROUNDING:
            return wait
        self._counted_until[key] = until
        if len(self._counted_until) > self._sweep_at:
            self._sweep(now)
        return 0.0

    def _sweep(self, now: float) -> None:
        self._counted_until = {key: until for key, until in self._counted_until.items() if until > now}
        self._sweep_at = max(SWEEP_AT_LEAST, 2 * len(self._counted_until))


def _key(what: str, who: str) -> str:
    return f"{what} {who}"


def _seconds(rate: Rate, cost: float) -> tuple[float, float]:
    return min(cost, rate.burst) * rate.interval, rate.burst * rate.interval
