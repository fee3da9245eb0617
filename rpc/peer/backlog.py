"""
What waits for a remote that does not read, and when it has waited too long: one rule for every door.

The remote is dropped when more than `max_outbox_bytes` wait before a write, or when it takes none of what waits
within `stall_timeout`. One write may be as large as it is.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from rpc.limits import Limits

LOOK_SECONDS = 1.0
"""How often to look whether the remote takes what waits for it."""


class Buffer(Protocol):
    def buffered(self) -> int:
        """Bytes that the remote has not taken yet, as far as this side can see."""


class Backlog:
    """
    The bytes that were written to a transport and that the remote has not taken yet.

    The owner calls `overflowed` before each write and adds the size of the write to `written`.

    Args:
        transport: what is written to.
        limits: what the remote may leave unread.
        drop: ends a connection whose remote is too slow.
    """

    __slots__ = (
        "_checked_at",
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
        self._checked_at = 0
        """`written` when the transport was last asked."""
        self._taken = 0
        self._taken_at = 0.0
        """How many bytes the remote had taken when it last took some, and when that was seen."""
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def overflowed(self) -> bool:
        """Whether so much waits that the remote has been dropped and nothing more may be written."""
        # Asking the transport each time would cost more than the write.
        return self.written - self._checked_at > self._limits.max_outbox_bytes // 4 and self.check()

    def check(self) -> bool:
        """As `overflowed`, but always asks the transport; also notices the little that waits for long."""
        self._checked_at = self.written
        waiting = self._transport.buffered()
        if waiting > self._limits.max_outbox_bytes:
            self._drop()
            return True
        if waiting:
            self.watch()
        return False

    def watch(self) -> None:
        """Something waits: look from now on whether the remote takes it."""
        if self._timer is None and not self._stopped:
            self._taken = self.written - self._transport.buffered()
            self._taken_at = self._loop.time()
            self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """The connection is closing, which has a deadline of its own."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        waiting, now = self._transport.buffered(), self._loop.time()
        if not waiting:
            return
        taken = self.written - waiting
        if taken > self._taken:
            self._taken, self._taken_at = taken, now
        elif now - self._taken_at >= self._limits.stall_timeout:
            self._drop()
            return
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look)
