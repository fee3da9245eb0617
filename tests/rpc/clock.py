"""An event loop whose time jumps to the next timer instead of waiting for it."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


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


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a test; tasks that it leaves behind are a failure."""

    async def alone() -> None:
        await coroutine
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(alone())
