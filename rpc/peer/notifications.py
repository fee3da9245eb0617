"""Notifications of the remote: their handlers run one after the other, in the order in which they came."""

import asyncio
import logging
from functools import partial

from rpc.errors import OperationError, RetryLater
from rpc.failures import log_failure
from rpc.messages import Notification
from rpc.peer.connection import Connection
from rpc.peer.handler import AnyPeer, Handler, RunBlocking, Runs, check_inline, enter, log_in_first
from rpc.peer.handlers import Handlers
from rpc.peer.tasks import Spawn, is_cancelled

logger = logging.getLogger(__name__)


class NotificationQueue:
    """
    Notifications whose handler does not run inline wait here; a task lives while some do. When
    `max_notifications_queued` wait, nothing more is read until half of them are handled.

    Args:
        peer: given to handlers that want it.
        handlers: what the remote may notify.
        connection: the remote's.
        spawn: runs a task that ends with the connection.
        run_blocking: runs handlers that are plain functions.
    """

    __slots__ = (
        *("_connection", "_handlers", "_holds", "_peer", "_run_blocking"),
        *("_spawn", "_task", "_waiting", "_wrappers"),
    )

    def __init__(
        self, peer: AnyPeer, handlers: Handlers, connection: Connection, spawn: Spawn, run_blocking: RunBlocking
    ) -> None:
        self._peer = peer
        self._handlers = handlers
        self._wrappers = handlers.wrappers()
        self._connection = connection
        self._spawn = spawn
        self._run_blocking = run_blocking
        # Not a deque: it holds a few, and an empty deque is 700 bytes of every idle connection.
        self._waiting: list[tuple[Handler, Notification]] = []
        self._task: asyncio.Task[None] | None = None
        self._holds = False

    def take(self, notification: Notification) -> None:
        handler = self._handlers.find_notification(notification.name)
        if handler is None:
            return
        if not (self._peer.admitted or handler.public):
            _log(notification, log_in_first())
        elif handler.runs is Runs.INLINE and self._task is None and not self._wrappers:
            try:
                if handler.checks:
                    check_inline(handler, self._peer)
                handler.function(*handler.arguments(self._peer, notification.name, notification.payload))
            except Exception as error:
                _log(notification, error)
        else:
            self._waiting.append((handler, notification))
            if len(self._waiting) >= self._connection.limits.max_notifications_queued:
                self._holds = True
                self._connection.hold()
            if self._task is None:
                self._task = self._spawn(self._run())

    async def finish(self) -> None:
        """Wait until every notification that came is handled; each has its own deadline."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            handler, notification = self._waiting.pop(0)
            if self._holds and 2 * len(self._waiting) <= self._connection.limits.max_notifications_queued:
                self._holds = False
                self._connection.release()
            try:
                async with asyncio.timeout(self._connection.limits.request_timeout):
                    await self._call(handler, notification)
            except asyncio.CancelledError as error:
                if is_cancelled():
                    raise
                _log(notification, error)
            except Exception as error:
                _log(notification, error)
        self._task = None

    async def _call(self, handler: Handler, notification: Notification) -> None:
        peer, name = self._peer, notification.name
        if not (peer.admitted or handler.public):
            # While this one waited, the peer was shut out.
            raise log_in_first()
        call = partial(handler.call, peer, name, notification.payload, self._run_blocking)
        await enter(handler, self._wrappers, peer, name, call)


def _log(notification: Notification, error: BaseException) -> None:
    if isinstance(error, OperationError | RetryLater):
        # What the remote sent is at fault, and there is nobody to tell.
        logger.debug("the notification %r was refused: %s", notification.name, error)
        return
    log_failure(f"the handler of {notification.name!r}", error)
