"""Someone who does nothing wrong, at all doors at once: they are answered all the time."""

import asyncio
import random
import time
from contextlib import suppress

from tests.proof.wires.conversation import Conversation, Site
from tests.proof.wires.doors.echo import Echo
from tests.proof.wires.doors.push import Push
from tests.proof.wires.doors.text import Text
from tests.proof.wires.gotalk.conversation import Gotalk
from tests.proof.wires.gotalk.transports import GotalkOverWebSocket, OverTcp
from tests.proof.wires.http.conversation import Http
from tests.raw_websocket import BINARY

DEADLINE = 30.0
"""Seconds for an answer, while a hundred times as much is asked on the same machine."""
PAUSE = 0.6
"""Seconds, so that nobody posts faster than they may."""
KINDS = (GotalkOverWebSocket, OverTcp, Text, Push, Echo, Http)


class Witness:
    def __init__(self, site: Site) -> None:
        self.answers = 0
        self.slowest = 0.0
        """Seconds for an answer."""
        self._site = site
        self._leaves = asyncio.Event()

    def leave(self) -> None:
        self._leaves.set()

    async def stay(self) -> None:
        """
        Ask at each door again and again, until it is time to leave.

        Raises:
            ExceptionGroup: of Findings: an answer was wrong, or late.
        """
        async with asyncio.TaskGroup() as group:
            for number, kind in enumerate(KINDS, start=1):
                conversation = kind(self._site, -number, random.Random(number), self._talk, polite=True)
                group.create_task(conversation.hold(None))

    async def _talk(self, conversation: Conversation) -> None:
        while not self._leaves.is_set():
            began = time.monotonic()
            await _ask(conversation)
            await conversation.until(
                lambda: not conversation.unanswered(), lambda: f"late: {conversation.unanswered()}", DEADLINE
            )
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaves.wait(), PAUSE)
        await conversation.leave()


async def _ask(conversation: Conversation) -> None:
    match conversation:
        case Gotalk():
            await conversation.requests.echo(b"hello")
            await conversation.requests.post("from the witness")
        case Text() | Push() | Http():
            await conversation.post("from the witness")
        case Echo():
            await conversation.echo(BINARY, b"hello")
