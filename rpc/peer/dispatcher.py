"""
Requests of the remote: their handlers run inline, in a task or in a thread, as they were registered.

Requests run side by side; the session bounds their number. An exception of a handler fails its own request
and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import Any

from rpc.errors import OperationError, RetryLater
from rpc.failures import internal_error, log_failure
from rpc.messages import Heartbeat, Request, StreamPart, StreamRequest
from rpc.peer.connection import Connection
from rpc.peer.flow_control import Credit, Parts
from rpc.peer.handler import (
    AnyPeer,
    Handler,
    RunBlocking,
    Runs,
    StreamHandler,
    check_inline,
    enter,
    log_in_first,
)
from rpc.peer.handlers import Handlers
from rpc.peer.tasks import Spawn, is_cancelled
from rpc.protocol.session import MIN_RETRY_MS, AnyRequest


class _Stream:
    """A stream that is being served: the parts that come in, and the credit for those that go out."""

    __slots__ = ("credit", "parts", "task")

    task: asyncio.Task[None]

    def __init__(self, parts: Parts, credit: Credit) -> None:
        self.parts = parts
        self.credit = credit

    @property
    def moved_at(self) -> float:
        return max(self.parts.moved_at, self.credit.moved_at)


class Dispatcher:
    """
    Args:
        peer: given to handlers that want it.
        handlers: what the remote may ask for.
        connection: the remote's.
        spawn: runs a task that ends with the connection.
        run_blocking: runs handlers that are plain functions.
        arm: called with each time by which `end_what_is_due` must be called.
    """

    __slots__ = (
        *("_answered", "_arm", "_connection", "_handlers", "_limits", "_loop"),
        *("_peer", "_run_blocking", "_running", "_session", "_spawn", "_streams", "_wrappers"),
    )

    def __init__(
        self,
        peer: AnyPeer,
        handlers: Handlers,
        connection: Connection,
        spawn: Spawn,
        run_blocking: RunBlocking,
        arm: Callable[[float], None],
    ) -> None:
        self._peer = peer
        self._handlers = handlers
        self._wrappers = handlers.wrappers()
        self._connection = connection
        self._limits = connection.limits
        self._session = connection.session
        self._loop = connection.loop
        self._spawn = spawn
        self._run_blocking = run_blocking
        self._arm = arm
        self._running: dict[bytes, tuple[asyncio.Task[None], float]] = {}
        """Requests that run as tasks and when their time is up, the oldest first."""
        self._answered: dict[bytes, asyncio.Task[None]] = {}
        """Those whose answers wait for the remote to read what it was sent before."""
        self._streams: dict[bytes, _Stream] = {}

    # --- requests ------------------------------------------------------------------------------------------

    def take_request(self, request: AnyRequest) -> None:
        operation = request.operation
        handler = self._handlers.find_request(operation)
        if not self._peer.admitted and (handler is None or not handler.public):
            # Strangers do not even learn which operations there are.
            self._session.refuse(request.id, log_in_first())
        elif handler is None:
            unknown = OperationError(f'unknown operation "{operation}"', "unknown_operation")
            self._session.refuse(request.id, unknown)
        elif isinstance(handler, StreamHandler):
            self._take_stream(handler, request)
        elif isinstance(request, StreamRequest):
            self._session.refuse(request.id, OperationError("not a stream operation", "not_a_stream"))
        elif handler.runs is Runs.INLINE and not self._wrappers:
            try:
                if handler.checks:
                    check_inline(handler, self._peer)
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
        """A request's task: answers it, with an error if there is one."""
        try:
            await answer(*arguments)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            self._refuse(request, error)
        except Exception as error:
            self._refuse(request, error)
        finally:
            self._done(request.id)

    async def _answer(self, handler: Handler, request: Request) -> None:
        peer, operation = self._peer, request.operation
        if handler.checks or self._wrappers:
            call = partial(handler.call, peer, operation, request.payload, self._run_blocking)
            result = await enter(handler, self._wrappers, peer, operation, call)
        else:
            result = await handler.call(peer, operation, request.payload, self._run_blocking)
        payload = handler.encode(result)
        if not self._connection.is_clear:
            # The handler has kept to its time; what is left is the remote's.
            self._answered[request.id], _ = self._running.pop(request.id)
            await self._connection.way_out_for_answer(len(payload))
        self._session.answer(request.id, payload)

    def _refuse(self, request: AnyRequest, error: BaseException) -> None:
        if not isinstance(error, OperationError | RetryLater):
            error = internal_error(f"the handler of {request.operation!r}", error)
        self._session.refuse(request.id, error)

    def _done(self, id: bytes) -> None:
        self._running.pop(id, None)
        self._answered.pop(id, None)
        stream = self._streams.pop(id, None)
        if stream is not None:
            stream.parts.discard()
        self._connection.schedule_flush()

    def cancel(self, id: bytes, reason: OperationError) -> None:
        """Cancel a request's task. Once it has ended, the answer is `reason`, unless the task has answered."""
        if id in self._streams:
            task = self._streams[id].task
        elif id in self._running:
            task, _ = self._running[id]
        elif id in self._answered:
            task = self._answered[id]
        else:
            return  # Its task has ended and its answer is about to leave.

        def refuse(task: asyncio.Task[None]) -> None:
            if task.cancelled():
                # A task that was cancelled before it began has not done this itself.
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
        parts = Parts(handler.decode, window, self._connection, lambda credit: self._grant(id, credit))
        stream = _Stream(parts, Credit(self._connection.window))
        if request.payload:
            stream.parts.put(request.payload)
        if not self._session.awaits_parts(id):
            stream.parts.end()
        self._streams[id] = stream
        stream.task = self._spawn(self._serve(request, self._stream, handler, request, stream))
        self._arm(stream.moved_at + self._limits.stream_timeout)

    async def _stream(self, handler: StreamHandler, request: AnyRequest, stream: _Stream) -> None:
        call = partial(self._call_stream, handler, request, stream)
        result = await enter(handler, self._wrappers, self._peer, request.operation, call)
        if handler.yields:
            self._session.answer_part(request.id, b"")
            return
        payload = handler.encode(result)
        await self._connection.way_out_for_answer(len(payload))
        self._answer_whole(request, payload)

    async def _call_stream(self, handler: StreamHandler, request: AnyRequest, stream: _Stream) -> Any:
        """Returns the single result, or None once every part was sent."""
        outcome = handler.function(*handler.arguments(self._peer, stream.parts))
        if not handler.yields:
            return await outcome
        async with aclosing(outcome) as values:
            async for value in values:
                payload = handler.encode(value)
                if not payload:
                    continue  # An empty part would be the end.
                await stream.credit.wait()
                await self._connection.way_out()
                self._session.answer_part(request.id, payload)
                stream.credit.spend(payload)
                self._connection.schedule_flush()
        return None

    def _answer_whole(self, request: AnyRequest, payload: bytes) -> None:
        if isinstance(request, Request) or self._session.features:
            self._session.answer(request.id, payload)
            return
        # A stock browser peer learns that an answer to its parts has ended from an empty part alone, and a stock
        # Go peer answers in no other way.
        if payload:
            self._session.answer_part(request.id, payload)
        self._session.answer_part(request.id, b"")

    def take_part(self, part: StreamPart) -> None:
        stream = self._streams.get(part.id)
        if stream is None:
            return  # Its handler has ended and its answer is about to leave.
        if not part.payload:
            stream.parts.end()
        else:
            stream.parts.put(part.payload)

    def granted(self, id: bytes, credit: int) -> None:
        stream = self._streams.get(id)
        if stream is not None:
            stream.credit.grant(credit)

    def announced(self) -> None:
        """The remote has said what it can do."""
        if self._connection.window is not None:
            for stream in self._streams.values():
                stream.credit.limit(self._connection.window)

    def _grant(self, id: bytes, credit: int) -> None:
        self._session.grant(id, credit, results=False)
        self._connection.schedule_flush()

    # --- heartbeats, time and end --------------------------------------------------------------------------

    def take_heartbeat(self, heartbeat: Heartbeat) -> None:
        for hook in self._handlers.heartbeat_hooks():
            try:
                hook(self._peer, heartbeat)
            except Exception as error:
                log_failure("a heartbeat hook", error)

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
        """Wait until every request is answered; each has its own deadline."""
        while unfinished := [task for task in self._tasks() if not task.done()]:
            await asyncio.wait(unfinished)

    def _tasks(self) -> list[asyncio.Task[None]]:
        running = (task for task, _ in self._running.values())
        return [*running, *self._answered.values(), *(each.task for each in self._streams.values())]
