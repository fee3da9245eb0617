"""What all conversations have in common: a line, someone who reads it, waits with a deadline, and an end."""

import asyncio
import random
import re
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple

from tests.proof.wires.findings import Finding, first_of
from tests.proof.wires.line import Address, Line
from tests.server import ROOT

LONGEST_SECONDS = 180.0
"""Of a conversation."""
ANSWER_SECONDS = 60.0
"""Until an answer counts as lost: clients and server share a busy machine."""
A_MOMENT = 0.2
"""Seconds for the server to end the connection for what is perhaps wrong."""
SILENT_SECONDS = 30.0
"""In which the server must have ended what it ends, while nothing comes."""
ANSWERS_SECONDS, CLOSE_SECONDS = 3.0, 4.0
"""
The server's least patience: for the answers to what was said before an end (docs/doors.md), and with a client that
does not finish a close. That is five seconds (docs/protocol.md); Autobahn's timers may be short by one.
"""

FAILURES = {1011, 4000}
"""Close codes that are documented, but tell of the server's own mistake."""
DOCUMENTED = {
    int(code) for code in re.findall(r"^\| `(\d{4})` \|", (ROOT / "docs/protocol.md").read_text(), re.MULTILINE)
} - FAILURES


class Site(NamedTuple):
    """Where a server is, and who may talk there."""

    web: Address
    gotalk: Address
    tokens: list[str]
    """One for each person."""
    rooms: list[str]
    rates: bool
    """Whether it limits rates."""
    newest: dict[str, int]
    """The newest version of each room that some conversation has seen."""


class _Stopped(Exception):
    """Raised in what is done beside the talk, when that comes to its end."""


class Conversation:
    """
    One client's. A subclass says what it says in one turn, what it takes from the server, and how it ends.

    Args:
        number: makes it different from all others of the run.
        chance: decides what it says.
        course: what it says, from the beginning to the end.
        polite: reads and writes at once, as somebody who wants answers.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        site: Site,
        number: int,
        chance: random.Random,
        course: Callable[[Any], Awaitable[None]],
        *,
        polite: bool = False,
    ) -> None:
        self.site = site
        self.number = number
        self.chance = chance
        self.whim = random.Random(chance.random())
        """Decides how things are said and answered: when the server speaks must not change what is said next."""
        self.polite = polite
        self.line = Line(chance, polite=polite)
        self.token = site.tokens[number % len(site.tokens)]
        self.room = site.rooms[number % len(site.rooms)]
        self.said: Counter[str] = Counter()
        """What it did, for the figures."""
        self.spoilt = ""
        """What is wrong with its last words."""
        self.end_took = 0.0
        """Seconds from its last words to the end."""
        self._course = course
        self._news = asyncio.Event()
        self._notes: deque[str] = deque(maxlen=40)
        self._group: asyncio.TaskGroup
        self._beside: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    def __str__(self) -> str:
        return self.kind

    async def hold(self, seconds: float | None = LONGEST_SECONDS) -> None:
        """
        Args:
            seconds: within which it must come to its end; None: it may go on.
        Raises:
            Finding: the server did something that it may not do.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._hold()
        except TimeoutError:
            raise Finding(f"it goes on and on: {self._story()}") from None
        finally:
            self.line.close()

    async def _hold(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._group:
                await self.open()
                reading = self._group.create_task(self._read())
                await self.talk()
                for task in (reading, *self._beside):
                    task.cancel()
        except* Finding as findings:
            raise Finding(f"{first_of(findings)}: {self._story()}") from None

    def note(self, what: str) -> None:
        """Remember for the story of a finding."""
        self._notes.append(what[:300])

    def _story(self) -> str:
        return "\n  ".join((f"{self}, {self.line.pace.name}, spoilt: {self.spoilt!r}", *self._notes))

    # --- what a subclass says ------------------------------------------------------------------------------

    def port(self) -> Address:
        """Where it connects to."""
        return self.site.web

    async def open(self) -> None:
        """Connect, and say what comes first."""
        await self.line.open(self.port())

    async def talk(self) -> None:
        """All that it says once it is open."""
        await self._course(self)

    async def turn(self) -> None:
        """Say something valid."""
        raise NotImplementedError

    def take(self, data: bytes) -> None:
        """Something came."""
        raise NotImplementedError

    def unanswered(self) -> list[str]:
        """What was said and has an answer to come."""
        raise NotImplementedError

    async def leave(self) -> None:
        """End it as one should."""
        raise NotImplementedError

    async def spoil(self) -> None:
        """Say something wrong, for which the server ends the connection."""
        raise NotImplementedError

    async def scramble(self) -> None:
        """Say something that is perhaps wrong."""
        raise NotImplementedError

    # --- waiting -------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Wait for all answers."""
        await self.until(lambda: not self.unanswered(), lambda: f"no answer to {self.unanswered()}")

    async def until(
        self, condition: Callable[[], object], otherwise: Callable[[], str], seconds: float = ANSWER_SECONDS
    ) -> None:
        """
        Wait for what comes to make a condition true.

        Raises:
            Finding: the connection ended first, or the time did; `otherwise` says what is missing.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition() and not self.line.over.is_set():
                    if self._is_stopped:
                        raise _Stopped
                    self._news.clear()
                    await self._news.wait()
        if not condition():
            raise Finding(
                otherwise() + (f", and the end{' by a reset' * self.line.reset}" * self.line.over.is_set())
            )

    async def until_over(self, seconds: float) -> None:
        """Wait until the server has ended the connection, or for so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.line.over.wait(), seconds)

    async def last_words(self, *written: bytes) -> None:
        """
        Write these, and wait until the server has ended the connection.

        Raises:
            Finding: it did not, or with a reset although there was time for an end.
        """
        began, came = time.monotonic(), -1
        for data in written:
            await self.line.write(data)
        while not self.line.over.is_set() and came < self.line.came:
            # What the kernel has for a slow reader comes first, however the server has ended it.
            came = self.line.came
            await self.until_over(SILENT_SECONDS)
        self.end_took = time.monotonic() - began
        if not self.line.over.is_set():
            raise Finding("the server did not end the connection")
        if self.line.reset:
            if self.end_took < CLOSE_SECONDS:
                raise Finding("the server has reset the connection")
            self.said["dropped late"] += 1

    async def doubtful_words(self, written: bytes) -> None:
        """Write what is perhaps wrong, and end the connection if the server does not."""
        await self.line.write(written)
        await self.until_over(A_MOMENT)
        self.line.half_close()
        await self.last_words()

    def check_answered(self, lost: list[str]) -> None:
        """
        Raises:
            Finding: something was not answered before the end, though there was time for it.
        """
        if lost and self.end_took < ANSWERS_SECONDS:
            raise Finding(f"no answer before the end to {lost}")
        self.said["unanswered late"] += bool(lost)

    # --- beside the talk -----------------------------------------------------------------------------------

    async def _read(self) -> None:
        async for data in self.line.read():
            self.take(data)
            self._news.set()
        self._news.set()

    def later(self, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Do something beside the talk, until that comes to its end."""
        task = self._group.create_task(_until_stopped(function, *arguments))
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def stop(self) -> None:
        """Let nothing go on beside the talk: what waits there stays unfinished."""
        self._is_stopped = True
        self._news.set()


async def _until_stopped(function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    with suppress(_Stopped):
        await function(*arguments)
