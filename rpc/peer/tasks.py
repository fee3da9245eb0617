"""The tasks of one connection."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Self

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""`Tasks.spawn`."""


class Tasks:
    """
    Tasks that end with the connection they belong to: leaving the block cancels them and waits for them.

    Args:
        failed: called with each exception that a task does not handle itself.
    """

    __slots__ = ("_failed", "_loop", "_running")

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that ends with the connection."""
        task = self._loop.create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        # They are waited for even when the task that leaves is itself being cancelled.
        cancelled = False
        while self._running:
            for task in self._running:
                if not task.cancelling():
                    task.cancel()
            try:
                await asyncio.wait(self._running)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)


def is_cancelled() -> bool:
    """Whether a CancelledError was meant for the running task; otherwise what the task awaits has raised it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
