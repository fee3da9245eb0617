"""The one timer of a connection, for everything about it that may take too long."""

import asyncio
import time
from collections.abc import Callable

from rpc.peer.connection import Connection


class Timer:
    """
    Sends heartbeats and ends what takes too long: silence, a request, a remote that does not read.

    Args:
        connection: the remote's.
        end_requests: called with the time; ends the requests that took too long, returns when to be called next.
    """

    __slots__ = ("_connection", "_end_requests", "_handle")

    def __init__(self, connection: Connection, end_requests: Callable[[float], float]) -> None:
        self._connection = connection
        self._end_requests = end_requests
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Reading begins now, unless the connection is being closed."""
        connection = self._connection
        if not connection.closing:
            connection.session.reading_from(connection.loop.time())
            self.arm(connection.session.next_deadline())

    def arm(self, when: float) -> None:
        """Look at `when`, in the loop's time, unless a look is due earlier anyway."""
        if self._handle is None or when < self._handle.when():
            if self._handle is not None:
                self._handle.cancel()
            self._handle = self._connection.loop.call_at(when, self._look)

    def cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _look(self) -> None:
        self._handle = None
        connection, session = self._connection, self._connection.session
        now = connection.loop.time()
        if connection.holds:
            session.still_alive(now)
        session.handle_timer(now, int(time.time()))
        if session.ended is not None:
            connection.finish()
            return
        next_deadline = min(session.next_deadline(), self._end_requests(now))
        connection.flush()
        connection.backlog.watch()
        if not connection.closing:
            self.arm(next_deadline)
