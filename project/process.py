"""What the serving processes share: how their threads take turns, and how they end."""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

logger = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
OTHER_THREADS = 2
"""For what has no threads of its own, such as Django's log of refused requests."""
END_TIMEOUT = 9.0
"""Seconds from the first signal to the end of the process: a supervisor kills it after ten."""
GOTALK_GRACE = 0.5
"""Seconds of these for requests of gotalk peers that still run."""


def share_interpreter() -> None:
    """
    Let the threads take turns more often than Python's default of 5 ms: the writer's thread returns from the disk
    many times a second, and would wait that long for the loop's thread each time.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def bound_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Give the loop's own executor `OTHER_THREADS`; asyncio's number grows with the machine's cores."""
    loop.set_default_executor(ThreadPoolExecutor(OTHER_THREADS, thread_name_prefix="other"))


def forget_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    """
    Let what was cancelled end without a word: when a client goes away, asgiref waits no longer for the sync code of
    their request, and asyncio would log with a traceback that nobody asked how it ended.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), asyncio.CancelledError):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


class Ending:
    """
    Ends the process: in order at the first SIGINT or SIGTERM, within `END_TIMEOUT`; at once at the second.

    Args:
        begin: called in the loop's thread at the first signal.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._deadline: threading.Timer | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle the signals from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._take_signal)

    def _take_signal(self) -> None:
        if self._deadline is not None:
            logger.warning("second signal: ending at once")
            os._exit(1)
        # A thread of its own, which a loop or another thread that hangs cannot stop.
        self._deadline = threading.Timer(END_TIMEOUT, os._exit, [0])
        self._deadline.daemon = True
        self._deadline.start()
        self._begin()
