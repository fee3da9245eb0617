"""Who shakes hands: few of one address at a time, as each handshake reads the database and is dear."""

import asyncio
from collections import deque
from collections.abc import Callable

AT_ONCE = 8


class Turns:
    """Those of one address come one after the other, in the order in which they asked; others need not wait."""

    def __init__(self) -> None:
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[Callable[[], None]]] = {}

    def take(self, whose: str, begin: Callable[[], None]) -> None:
        """Begin now, or when it is this one's turn; `end` has to be called afterwards."""
        running = self._running.get(whose, 0)
        if running < AT_ONCE:
            self._running[whose] = running + 1
            begin()
        else:
            self._waiting.setdefault(whose, deque()).append(begin)

    def end(self, whose: str) -> None:
        waiting = self._waiting.get(whose)
        if waiting:
            begin = waiting.popleft()
            if not waiting:
                del self._waiting[whose]
            # Not at once: others have waited for the loop meanwhile.
            asyncio.get_running_loop().call_soon(begin)
        elif self._running[whose] > 1:
            self._running[whose] -= 1
        else:
            del self._running[whose]
