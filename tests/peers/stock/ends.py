"""What both stock peers raise, and how a test of them is run."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

DEADLINE = 20.0


class Failed(Exception):
    """A request was answered by `E`; `text` is its payload, which both peers show as it is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class PeerBroken(AssertionError):
    """The other end sent what this stock peer cannot take."""


def alone(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own, with a deadline; it leaves no task behind."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        async def scenario() -> None:
            async with asyncio.timeout(DEADLINE):
                await test(**fixtures)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(scenario())

    return run
