"""Messages of a WebSocket that wait for its application: a bounded number, beyond which reading pauses."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]

MAX_WAITING_MESSAGES = 1000
MAX_WAITING_BYTES = 4 * 1024 * 1024
"""The size of the largest message."""


class Inbox:
    """
    The queue between Daphne's protocol, which calls `put_nowait`, and one application, which awaits `get`.

    An `asyncio.Queue` would take four times the memory of each idle connection.

    Args:
        filled: called when the inbox is full, so that nothing more is read.
        has_room: called when it is half empty again, so that reading does not stop and start with every message.
    """

    __slots__ = ("_bytes", "_events", "_filled", "_has_room", "_waiter", "full")

    def __init__(self, filled: Callable[[], None], has_room: Callable[[], None]) -> None:
        self._filled = filled
        self._has_room = has_room
        self._events: list[Event] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self.full = False

    def put_nowait(self, event: Event) -> None:
        self._events.append(event)
        self._bytes += _size(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if not self.full and (len(self._events) >= MAX_WAITING_MESSAGES or self._bytes >= MAX_WAITING_BYTES):
            self.full = True
            self._filled()

    async def get(self) -> Event:
        """The next event; for one task at a time."""
        while not self._events:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        event = self._events.pop(0)
        self._bytes -= _size(event)
        if self.full and self._is_half_empty():
            self.full = False
            self._has_room()
        if event["type"] == "websocket.disconnect":
            # What the last message set off begins first, such as a task that closes the socket for its own reason.
            await asyncio.sleep(0)
        return event

    def _is_half_empty(self) -> bool:
        return len(self._events) <= MAX_WAITING_MESSAGES // 2 and self._bytes <= MAX_WAITING_BYTES // 2


def _size(event: Event) -> int:
    return len(event.get("bytes") or event.get("text") or "")
