"""Flow control of a stream: the parts of one direction that wait to be read, and the credit of the other."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from rpc.limits import part_cost


class Gate(Protocol):
    """What keeps a connection from being read while somebody holds it; calls nest."""

    def hold(self) -> None: ...

    def release(self) -> None: ...


class Parts:
    """
    What arrived in one direction of a stream and is not read yet: an async iterator of its values.

    Args:
        decode: from a part's payload to its value; the reader gets what it raises.
        window: how much may wait, as `rpc.limits.part_cost` counts; beyond twice that the gate is held.
        gate: the connection's.
        grant: called with the cost of what was read, once it is worth a message.
    """

    __slots__ = (
        "_decode",
        "_ended",
        "_error",
        "_gate",
        "_grant",
        "_holds",
        "_loop",
        "_read",
        "_ready",
        "_unread",
        "_waiting",
        "_window",
        "moved_at",
    )

    def __init__(
        self, decode: Callable[[bytes], Any], window: int, gate: Gate, grant: Callable[[int], None]
    ) -> None:
        self._decode = decode
        self._window = window
        self._gate = gate
        self._grant = grant
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._unread = 0
        """Cost of what waits."""
        self._read = 0
        """Cost of what was read and not granted yet."""
        self._holds = False
        self._ready = asyncio.Event()
        self._ended = False
        self._error: BaseException | None = None
        self.moved_at = self._loop.time()
        """When a part last arrived or was read."""

    def put(self, payload: bytes) -> None:
        if not self._ended:
            self._waiting.append(payload)
            self._unread += part_cost(payload)
            self._moved()
            self._ready.set()

    def end(self, error: BaseException | None = None) -> None:
        """No more will come: the reader gets what waits, then the end or `error`. Only the first call counts."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._ready.set()

    def discard(self) -> None:
        """Nobody reads any more."""
        self.end()
        self._waiting.clear()
        self._unread = 0
        self._moved()

    def __aiter__(self) -> "Parts":
        return self

    async def __anext__(self) -> Any:
        while not self._waiting:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        payload = self._waiting.popleft()
        cost = part_cost(payload)
        self._unread -= cost
        self._moved()
        self._read += cost
        if 2 * self._read >= self._window and not self._ended:
            self._grant(self._read)
            self._read = 0
        return self._decode(payload)

    def _moved(self) -> None:
        self.moved_at = self._loop.time()
        # Twice the window: a remote that keeps to its credit may overdraw it by one large part.
        is_full = self._unread > 2 * self._window
        if is_full and not self._holds:
            self._gate.hold()
        elif self._holds and not is_full:
            self._gate.release()
        self._holds = is_full


class Credit:
    """How much may be sent in one direction of a stream; a `window` of None, without `flow`, is no limit."""

    __slots__ = ("_allowed", "_error", "_loop", "_ready", "_spent", "moved_at")

    def __init__(self, window: int | None) -> None:
        self._allowed = window
        self._spent = 0
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._error: BaseException | None = None
        self.moved_at = self._loop.time()
        """When a part was last sent."""

    def limit(self, window: int) -> None:
        """The remote announced its window, perhaps after the first parts were sent."""
        self._allowed = window

    def grant(self, credit: int) -> None:
        if self._allowed is not None:
            self._allowed += credit
            self._ready.set()

    def stop(self, error: BaseException) -> None:
        """Nothing more can be sent: whoever waits gets `error`."""
        self._error = error
        self._ready.set()

    async def wait(self) -> None:
        """Wait until a part may be sent."""
        while self._error is None and self._allowed is not None and self._spent >= self._allowed:
            self._ready.clear()
            await self._ready.wait()
        if self._error is not None:
            raise self._error

    def spend(self, payload: bytes) -> None:
        self._spent += part_cost(payload)
        self.moved_at = self._loop.time()
