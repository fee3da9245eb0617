"""How a serving process ends: in order at the first signal, at once at the second, and always within a deadline."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

END_TIMEOUT = 9.0
"""Seconds from the first signal to the end: what supervises the process kills it after ten."""


class Ending:
    """
    Args:
        begin: called in the loop's thread at the first SIGINT or SIGTERM.
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
        # A thread, which whatever hangs in the loop or in another thread cannot stop.
        self._deadline = threading.Timer(END_TIMEOUT, os._exit, [0])
        self._deadline.daemon = True
        self._deadline.start()
        self._begin()
