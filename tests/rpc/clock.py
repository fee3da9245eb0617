"""Runs coroutine tests: in real time, or on a loop whose time jumps to the next timer instead of waiting."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

DEADLINE = 60.0


class _JumpingSelector(selectors.DefaultSelector):
    now = 1000.0

    def select(self, timeout: float | None = None) -> list[Any]:
        # With no timer there is nothing to jump to: a thread will call.
        ready = super().select(0 if timeout is not None else 10)
        if not ready and timeout is None:
            raise TimeoutError("nothing will ever happen")
        if not ready and timeout:
            self.now += timeout
        return ready


def _loop() -> asyncio.AbstractEventLoop:
    selector = _JumpingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    return loop


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test on a clock that does not wait."""
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_alone(test, None))


def run_in_real_time(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(_alone(test, DEADLINE))


async def _alone(test: Coroutine[Any, Any, None], deadline: float | None) -> None:
    """Tasks and timers that a test leaves behind are a failure."""
    async with asyncio.timeout(deadline):
        await test
    assert asyncio.all_tasks() == {asyncio.current_task()}
    # asyncio has no public list of what it will call.
    scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    assert [timer for timer in scheduled if not timer.cancelled()] == []
