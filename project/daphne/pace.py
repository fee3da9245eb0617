"""How many frames a client may send that bring no message with them: beyond that, it is read more slowly."""

import asyncio
from collections.abc import Callable

from rpc.limits import CHUNK_COST, Limits, TokenBucket

SMALL_BYTES = CHUNK_COST
"""A fragment of so many bytes is paid for with the message that it is a part of; one of less counts here."""
PAUSE_SECONDS = 0.25
"""Not for each frame: what is read then is worth the turn."""


class FramePace:
    """
    Counts pings, pongs, empty frames and small fragments: a client can make thousands of them with one write, and
    each costs as much as a message.

    Args:
        limits: of these the rate of messages, which such frames have as well.
        pause: called when nothing more is to be read.
        go_on: called when reading may go on.
    """

    __slots__ = ("_go_on", "_loop", "_pause", "_tokens", "paused")

    def __init__(self, limits: Limits, pause: Callable[[], None], go_on: Callable[[], None]) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._pause = pause
        self._go_on = go_on
        self._tokens = TokenBucket(limits.messages_per_second, limits.messages_burst, loop.time())
        self.paused = False

    def count(self) -> None:
        """One more such frame."""
        self._tokens.refill(self._loop.time())
        self._tokens.tokens -= 1
        if self._tokens.tokens < 0 and not self.paused:
            self.paused = True
            self._pause()
            self._loop.call_later(PAUSE_SECONDS, self._end_pause)

    def _end_pause(self) -> None:
        self.paused = False
        self._go_on()
