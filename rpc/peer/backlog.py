"""
What waits for a remote that does not read: one rule for every door.

While more than `max_outbox_bytes` wait, what nobody asked for is left out, and the remote learns of the gap once
it has read the rest. A remote that takes none of what waits within `stall_timeout` is dropped.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from rpc.limits import Limits

LOOK_SECONDS = 1.0
"""How often to look whether the remote takes what waits for it."""


class Buffer(Protocol):
    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""

    def unread(self) -> int:
        """The same, and those that the remote's host has not taken from the kernel, as far as this side can see."""


class Backlog:
    """
    The bytes that were written to a transport and that the remote has not taken yet.

    The owner adds the size of each write to `written`, and asks `full` before those that may be left out.

    Args:
        transport: what is written to.
        limits: what the remote may leave unread.
        drop: ends a connection whose remote takes nothing.
    """

    __slots__ = (
        "_ask_at",
        "_drop",
        "_limits",
        "_loop",
        "_stopped",
        "_taken",
        "_taken_at",
        "_timer",
        "_transport",
        "written",
    )

    def __init__(self, transport: Buffer, limits: Limits, drop: Callable[[], None]) -> None:
        self.written = 0
        """Bytes."""
        self._transport = transport
        self._limits = limits
        self._drop = drop
        self._loop = asyncio.get_running_loop()
        self._ask_at = limits.max_outbox_bytes // 4
        """The transport is asked once `written` is beyond this."""
        self._taken = 0
        self._taken_at = 0.0
        """How many bytes the remote had taken when it last took some, and when that was seen."""
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def full(self) -> bool:
        """Whether so much waits that what can be left out is not to be written."""
        # Asking the transport each time would cost more than the write.
        if self.written <= self._ask_at:
            return False
        waiting = self._transport.buffered()
        if waiting:
            self.watch()
        if waiting > self._limits.max_outbox_bytes:
            return True
        self._ask_at = self.written + self._limits.max_outbox_bytes // 4
        return False

    def watch(self) -> None:
        """If something waits, look from now on whether the remote takes it."""
        if self._timer is None and not self._stopped and self._transport.buffered():
            self._taken = self.written - self._transport.unread()
            self._taken_at = self._loop.time()
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """The connection is closing, which has a deadline of its own."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if not self._transport.buffered():
            return
        # The kernel takes more only when much of what it has is gone: a slow remote may need a minute for that.
        taken, now = self.written - self._transport.unread(), self._loop.time()
        if taken > self._taken:
            self._taken, self._taken_at = taken, now
        elif now - self._taken_at >= self._limits.stall_timeout:
            self._drop()
            return
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look)
