"""Notifications of the remote: their handlers run one after the other, in the order in which they came."""

import asyncio

from rpc.close_codes import CloseCode
from rpc.failures import log_failure
from rpc.messages import Notification
from rpc.peer.connection import Connection
from rpc.peer.handler import AnyPeer, Handler, RunBlocking, Runs
from rpc.peer.handlers import Handlers
from rpc.peer.tasks import Spawn, is_cancelled


class NotificationQueue:
    """
    Notifications whose handler does not run inline wait here; a task lives while some do.

    Args:
        peer: given to handlers that want it.
        handlers: what the remote may notify.
        connection: the remote's.
        spawn: runs a task that ends with the connection.
        run_blocking: runs handlers that are plain functions.
    """

    __slots__ = ("_connection", "_handlers", "_peer", "_run_blocking", "_spawn", "_task", "_waiting")

    def __init__(
        self, peer: AnyPeer, handlers: Handlers, connection: Connection, spawn: Spawn, run_blocking: RunBlocking
    ) -> None:
        self._peer = peer
        self._handlers = handlers
        self._connection = connection
        self._spawn = spawn
        self._run_blocking = run_blocking
        # Not a deque: it holds a few, and an empty deque is 700 bytes of every idle connection.
        self._waiting: list[tuple[Handler, Notification]] = []
        self._task: asyncio.Task[None] | None = None

    def take(self, notification: Notification) -> None:
        handler = self._handlers.find_notification(notification.name)
        if handler is None:
            return
        if handler.runs is Runs.INLINE and self._task is None:
            try:
                handler.function(*handler.arguments(self._peer, notification.name, notification.payload))
            except Exception as error:
                _log(notification, error)
        elif len(self._waiting) >= self._connection.limits.max_notifications_queued:
            self._connection.session.close(CloseCode.TOO_FAST, "too many notifications")
        else:
            self._waiting.append((handler, notification))
            if self._task is None:
                self._task = self._spawn(self._run())

    async def finish(self) -> None:
        """Wait until every notification that came is handled; each has its own deadline."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            handler, notification = self._waiting.pop(0)
            try:
                async with asyncio.timeout(self._connection.limits.request_timeout):
                    await handler.call(self._peer, notification.name, notification.payload, self._run_blocking)
            except asyncio.CancelledError as error:
                if is_cancelled():
                    raise
                _log(notification, error)
            except Exception as error:
                _log(notification, error)
        self._task = None


def _log(notification: Notification, error: BaseException) -> None:
    log_failure(f"the handler of {notification.name!r}", error)
