"""What came in on a WebSocket and waits for its application: bounded, for reading pauses beyond."""

from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]

MAX_WAITING_MESSAGES = 1000
MAX_WAITING_BYTES = 4 * 1024 * 1024
"""As much as the largest message."""


class Inbox:
    """
    Counts what goes into an application's queue and what it takes out.

    Args:
        has_room: called when it was full and half of that is gone, so that reading does not stop and start
            with every message.
    """

    __slots__ = ("_bytes", "_has_room", "_sizes", "full")

    def __init__(self, has_room: Callable[[], None]) -> None:
        self._has_room = has_room
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self.full = False

    def put(self, size: int) -> None:
        """A message of so many bytes went in."""
        self._sizes.append(size)
        self._bytes += size
        if len(self._sizes) >= MAX_WAITING_MESSAGES or self._bytes >= MAX_WAITING_BYTES:
            self.full = True

    def emptied_by(self, receive: Receive) -> Receive:
        """`receive` of the application's queue, counted."""

        async def counted() -> Event:
            event = await receive()
            if event["type"] == "websocket.receive":
                self._bytes -= self._sizes.popleft()
                if self.full and self._is_half_empty():
                    self.full = False
                    self._has_room()
            return event

        return counted

    def _is_half_empty(self) -> bool:
        return len(self._sizes) <= MAX_WAITING_MESSAGES // 2 and self._bytes <= MAX_WAITING_BYTES // 2
