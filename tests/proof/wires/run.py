"""A run: many conversations at the same time, for a while, and what servers have left of them."""

import asyncio
import random
import time
from collections import Counter
from itertools import count

from tests.proof.wires.conversation import Conversation
from tests.proof.wires.course import at_random
from tests.proof.wires.doors.echo import Echo
from tests.proof.wires.doors.push import Push
from tests.proof.wires.doors.text import Text
from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.transports import GotalkOverWebSocket, OverTcp
from tests.proof.wires.http.conversation import Http
from tests.proof.wires.site.running import RunningSite
from tests.proof.wires.stranger import Stranger
from tests.proof.wires.witness import Witness

AT_ONCE = 24
KINDS: dict[type[Conversation], int] = {
    OverTcp: 3,
    GotalkOverWebSocket: 4,
    Text: 2,
    Push: 2,
    Echo: 2,
    Http: 2,
    Stranger: 2,
}
"""How often, compared to each other."""
QUIET_SECONDS = 90.0
"""Until nothing is left of clients that are gone: longer than the servers wait for any of them."""
MEMORY_SLACK_KIB = 128 * 1024
"""What a server may grow by after the first quarter of a run."""


class Run:
    """
    Args:
        sites: conversations take them in turn.
        seed: all chance comes from it.
    """

    def __init__(self, sites: list[RunningSite], seed: str) -> None:
        self.findings: list[str] = []
        self.held: Counter[str] = Counter()
        """Conversations by their kind."""
        self.said: Counter[str] = Counter()
        """What happened in them."""
        self._sites = sites
        self._seed = seed
        self._numbers = count()

    async def hold_one(self, number: int) -> None:
        """Hold the conversation that has this number."""
        self._numbers = count(number)
        await self._hold_next()

    async def hold_for(self, seconds: float) -> None:
        """Hold conversations for so long, and see that nothing is left of them."""
        before = await asyncio.gather(*(each.left() for each in self._sites))
        witnesses = [Witness(each.site) for each in self._sites]
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            staying = [group.create_task(self._witnessed(each)) for each in witnesses]
            holding = [group.create_task(self._hold_until(end)) for _ in range(AT_ONCE)]
            await asyncio.sleep(seconds / 4)
            memory = [each.memory_kib() for each in self._sites]
            await asyncio.wait(holding)
            for witness in witnesses:
                witness.leave()
            await asyncio.wait(staying)
        await asyncio.gather(*map(self._look_at, self._sites, before, memory))
        self.said["witnessed answers"] = sum(each.answers for each in witnesses)
        print(f"The witnesses' slowest answer took {max(each.slowest for each in witnesses):.1f} s.")

    async def _hold_until(self, end: float) -> None:
        while time.monotonic() < end:
            await self._hold_next()

    async def _hold_next(self) -> None:
        number = next(self._numbers)
        chance = random.Random(f"{self._seed}/{number}")
        site = self._sites[number % len(self._sites)].site
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        conversation = kind(site, number, chance, at_random)
        try:
            await conversation.hold()
        except Finding as finding:
            self.findings.append(f"{self._seed}/{number}: {finding}")
        except Exception as error:
            error.add_note(f"in the conversation {self._seed}/{number}")
            raise
        self.held[conversation.kind] += 1
        self.said += conversation.said

    async def _witnessed(self, witness: Witness) -> None:
        try:
            await witness.stay()
        except* Finding as findings:
            self.findings += [f"the witness: {finding}" for finding in findings.exceptions]

    async def _look_at(self, running: RunningSite, before: Counter[str], memory_kib: int) -> None:
        began = time.monotonic()
        while (left := await running.left() - before) and time.monotonic() - began < QUIET_SECONDS:
            pass
        if left:
            self.findings.append(f"left of clients that are gone: {dict(left)}")
        grown = running.memory_kib() - memory_kib
        print(
            f"A server had {memory_kib >> 10} MiB after a quarter of the run, and {grown >> 10} more in the end; "
            f"it was looked at for {time.monotonic() - began:.0f} s."
        )
        if grown > MEMORY_SLACK_KIB:
            self.findings.append(f"a server grew by {grown} KiB")
        self.findings += running.faults()
