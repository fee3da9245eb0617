"""
What the other end asks and tells: handlers, run inline, in a task or in a thread as they were registered.

Requests run side by side, the session bounds their number. Notifications run one after the other, in a task
that lives while some wait. No exception of a handler leaves the task or the loop it stands in: one request
fails, nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from rpc.close_codes import CloseCode
from rpc.errors import OperationError, RetryLater
from rpc.failures import internal_error, log_failure
from rpc.limits import Limits
from rpc.messages import Heartbeat, Notification, Request, StreamPart, StreamRequest
from rpc.peer.connection import Line
from rpc.peer.flow_control import Credit, Parts
from rpc.peer.handlers import Handler, Handlers, Runs, StreamHandler
from rpc.protocol.session import MIN_RETRY_MS, AnyRequest

if TYPE_CHECKING:
    from rpc.peer.peer import Peer

RunBlocking = Callable[..., Awaitable[Any]]
"""Calls a function with arguments in a worker thread; returns what it returns."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class _Stream:
    """A stream that is served: what comes in, and the credit for what goes out."""

    __slots__ = ("credit", "parts", "task")

    task: asyncio.Task[None]

    def __init__(self, parts: Parts, credit: Credit) -> None:
        self.parts = parts
        self.credit = credit

    @property
    def moved_at(self) -> float:
        return max(self.parts.moved_at, self.credit.moved_at)


class Serving:
    """
    Args:
        peer: given to handlers.
        line: the connection.
        spawn: makes the tasks.
        run_blocking: runs handlers that are plain functions.
        arm: told of each time at which `end_what_is_due` must be called, at the latest.
    """

    __slots__ = (
        "_arm",
        "_handlers",
        "_limits",
        "_line",
        "_loop",
        "_notifications",
        "_notifier",
        "_peer",
        "_run_blocking",
        "_running",
        "_session",
        "_spawn",
        "_streams",
    )

    def __init__(
        self, peer: "Peer", line: Line, spawn: Spawn, run_blocking: RunBlocking, arm: Callable[[float], None]
    ) -> None:
        self._peer = peer
        self._handlers: Handlers = peer.handlers
        self._limits: Limits = peer.limits
        self._line = line
        self._session = line.session
        self._spawn = spawn
        self._run_blocking = run_blocking
        self._arm = arm
        self._loop = asyncio.get_running_loop()
        self._running: dict[bytes, tuple[asyncio.Task[None], float]] = {}
        """Requests that run as tasks and when their time is up, the oldest first."""
        self._streams: dict[bytes, _Stream] = {}
        # Not a deque: it holds a few, and an empty deque is 700 bytes of every idle connection.
        self._notifications: list[tuple[Handler, Notification]] = []
        self._notifier: asyncio.Task[None] | None = None

    # --- requests ------------------------------------------------------------------------------------------

    def take_request(self, request: AnyRequest) -> None:
        operation = request.operation
        handler = self._handlers.find_request(operation)
        if handler is None:
            unknown = OperationError(f'unknown operation "{operation}"', "unknown_operation")
            self._session.refuse(request.id, unknown)
        elif isinstance(handler, StreamHandler):
            self._take_stream(handler, request)
        elif isinstance(request, StreamRequest):
            self._session.refuse(request.id, OperationError("not a stream operation", "not_a_stream"))
        elif handler.runs is Runs.INLINE:
            try:
                result = handler.function(*handler.arguments(self._peer, operation, request.payload))
                self._session.answer(request.id, handler.encode(result))
            except Exception as error:
                self._refuse(request, error)
        else:
            deadline = self._loop.time() + self._limits.request_timeout
            task = self._spawn(self._serve(request, self._answer, handler, request))
            self._running[request.id] = task, deadline
            self._arm(deadline)

    async def _serve(self, request: AnyRequest, answer: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """A request's task: answers it, with an error if need be."""
        try:
            await answer(*arguments)
        except asyncio.CancelledError as error:
            if _is_called_off():
                raise
            self._refuse(request, error)
        except Exception as error:
            self._refuse(request, error)
        finally:
            self._done(request.id)

    async def _answer(self, handler: Handler, request: Request) -> None:
        result = await self._call(handler, request.operation, request.payload)
        self._session.answer(request.id, handler.encode(result))

    async def _call(self, handler: Handler, name: str, payload: bytes) -> Any:
        arguments = handler.arguments(self._peer, name, payload)
        if handler.runs is Runs.TASK:
            return await handler.function(*arguments)
        if handler.runs is Runs.THREAD:
            return await self._run_blocking(handler.function, *arguments)
        return handler.function(*arguments)

    def _refuse(self, request: AnyRequest, error: BaseException) -> None:
        if not isinstance(error, OperationError | RetryLater):
            error = internal_error(f"the handler of {request.operation!r}", error)
        self._session.refuse(request.id, error)

    def _done(self, id: bytes) -> None:
        self._running.pop(id, None)
        stream = self._streams.pop(id, None)
        if stream is not None:
            stream.parts.discard()
        self._line.schedule_flush()

    def cancel(self, id: bytes, reason: OperationError) -> None:
        """End a request's task; it is answered with `reason` when it has ended, unless it answers itself."""
        if id in self._streams:
            task = self._streams[id].task
        elif id in self._running:
            task, _ = self._running[id]
        else:
            return  # It was cancelled already and is about to be answered.

        def refuse(task: asyncio.Task[None]) -> None:
            if task.cancelled():
                # A task that never began has not done this itself.
                self._session.refuse(id, reason)
                self._done(id)

        if not task.cancelling():
            task.cancel()
            task.add_done_callback(refuse)

    # --- streams -------------------------------------------------------------------------------------------

    def _take_stream(self, handler: StreamHandler, request: AnyRequest) -> None:
        if len(self._streams) >= self._limits.max_streams:
            self._session.refuse(request.id, RetryLater(MIN_RETRY_MS, "too many streams", "too_many_streams"))
            return
        id = request.id
        window = self._limits.stream_window
        parts = Parts(handler.decode, window, self._line, lambda credit: self._grant(id, credit))
        stream = _Stream(parts, Credit(self._line.window))
        if request.payload:
            stream.parts.put(request.payload)
        if isinstance(request, Request):
            stream.parts.end()
        self._streams[id] = stream
        stream.task = self._spawn(self._serve(request, self._stream, handler, request, stream))
        self._arm(stream.moved_at + self._limits.stream_timeout)

    async def _stream(self, handler: StreamHandler, request: AnyRequest, stream: _Stream) -> None:
        outcome = handler.function(*handler.arguments(self._peer, stream.parts))
        if not handler.yields:
            self._session.answer(request.id, handler.encode(await outcome))
            return
        async with aclosing(outcome) as values:
            async for value in values:
                payload = handler.encode(value)
                if not payload:
                    continue  # on the wire it would be the end
                await stream.credit.wait()
                await self._line.way_out()
                self._session.answer_part(request.id, payload)
                stream.credit.spend(payload)
                self._line.pushed(len(payload))
        self._session.answer_part(request.id, b"")

    def take_part(self, part: StreamPart) -> None:
        stream = self._streams.get(part.id)
        if stream is None:
            return  # Its handler is done and its answer is about to leave.
        if not part.payload:
            stream.parts.end()
        else:
            stream.parts.put(part.payload)

    def granted(self, id: bytes, credit: int) -> None:
        stream = self._streams.get(id)
        if stream is not None:
            stream.credit.grant(credit)

    def announced(self, window: int) -> None:
        for stream in self._streams.values():
            stream.credit.limit(window)

    def _grant(self, id: bytes, credit: int) -> None:
        self._session.grant(id, credit, results=False)
        self._line.schedule_flush()

    # --- notifications -------------------------------------------------------------------------------------

    def take_notification(self, notification: Notification) -> None:
        handler = self._handlers.find_notification(notification.name)
        if handler is None:
            return
        if handler.runs is Runs.INLINE and self._notifier is None:
            try:
                handler.function(*handler.arguments(self._peer, notification.name, notification.payload))
            except Exception as error:
                log_failure(f"the handler of {notification.name!r}", error)
        elif len(self._notifications) >= self._limits.max_notifications_queued:
            self._session.close(CloseCode.TOO_FAST, "too many notifications")
        else:
            self._notifications.append((handler, notification))
            if self._notifier is None:
                self._notifier = self._spawn(self._notify_in_order())

    async def _notify_in_order(self) -> None:
        while self._notifications:
            handler, notification = self._notifications.pop(0)
            try:
                async with asyncio.timeout(self._limits.request_timeout):
                    await self._call(handler, notification.name, notification.payload)
            except asyncio.CancelledError as error:
                if _is_called_off():
                    raise
                log_failure(f"the handler of {notification.name!r}", error)
            except Exception as error:
                log_failure(f"the handler of {notification.name!r}", error)
        self._notifier = None

    def take_heartbeat(self, heartbeat: Heartbeat) -> None:
        for hook in self._handlers.heartbeat_hooks():
            try:
                hook(self._peer, heartbeat)
            except Exception as error:
                log_failure("a heartbeat hook", error)

    # --- time and end --------------------------------------------------------------------------------------

    def end_what_is_due(self, now: float) -> float:
        """Cancel what took too long; returns when to be called next."""
        timed_out = OperationError("timed out", "timeout")
        next_deadline = float("inf")
        for id, (_, deadline) in tuple(self._running.items()):
            if deadline > now:
                next_deadline = deadline
                break
            self.cancel(id, timed_out)
        for id, stream in tuple(self._streams.items()):
            deadline = stream.moved_at + self._limits.stream_timeout
            if deadline > now:
                next_deadline = min(next_deadline, deadline)
            else:
                self.cancel(id, timed_out)
        return next_deadline

    async def finish(self) -> None:
        """Wait until every request is answered and every notification heard; each has its own deadline."""
        while unfinished := [task for task in self._tasks() if not task.done()]:
            await asyncio.wait(unfinished)

    async def hear_out(self) -> None:
        """Wait until every notification that came is heard."""
        while self._notifier is not None:
            await asyncio.wait([self._notifier])

    def _tasks(self) -> list[asyncio.Task[None]]:
        notifier = () if self._notifier is None else (self._notifier,)
        requests = (task for task, _ in self._running.values())
        return [*requests, *(each.task for each in self._streams.values()), *notifier]


def _is_called_off() -> bool:
    """Whether a CancelledError was meant for the running task; else the handler raised it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
