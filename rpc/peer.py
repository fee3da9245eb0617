"""
One connection on asyncio: reads the session's events, runs handlers, keeps deadlines, sends.

The door (a consumer, a server, a client) makes a `Peer` for a connection, holds it open with `async with`,
awaits `open()`, and then gives it what arrives with `receive()`. Leaving the block ends everything that
belongs to the connection: one `TaskGroup` holds all its tasks, and the `closed` hooks come last.

A request runs inline, in a task or in a thread, as its handler was registered; requests run side by side,
the session bounds their number. Notifications run one after the other, in a task that lives while some
wait. No exception of a handler leaves the task or the loop it stands in: one request fails, nothing else.

Nothing is written at once: what is to be sent in one turn of the loop leaves in one write, at its end. So
answers of many requests share a system call, and for `joined` ends a WebSocket frame. `send()` is the
exception: its bytes are encoded already and go straight to the transport, behind what was waiting.

All methods belong to the event loop's thread.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

from rpc.codec import ABNORMAL, Oversized
from rpc.errors import (
    MessageTooBig,
    OperationError,
    Refused,
    RequestFailed,
    RequestTimeout,
    RetryLater,
)
from rpc.handlers import Handler, Handlers, Runs
from rpc.limits import Limits
from rpc.messages import ErrorResult, Notification, Request, Result, RetryResult
from rpc.payloads import UNREADABLE, decoder, read_refusal, to_json
from rpc.prepared import Prepared
from rpc.session import TOO_FAST, Announced, Answer, Cancelled, Chunk, Session
from rpc.transport import Transport

logger = logging.getLogger(__name__)

TOO_SLOW = 4408
"""Close code for an end that does not read what it is sent."""

_LOST = 1006
"""The code that WebSockets give a connection that ended without a close (RFC 6455, section 7.1.5)."""

RunBlocking = Callable[..., Awaitable[Any]]
"""Calls a function with arguments in a worker thread; returns what it returns."""


class Peer:
    """
    Args:
        handlers: what the other end may ask for.
        transport: the way out.
        limits: what the other end may use.
        scope: what the door knows of the connection, such as the ASGI scope.
        run_blocking: runs handlers that are plain functions.
    """

    __slots__ = (
        "__weakref__",
        "_closing",
        "_deadline",
        "_flush_scheduled",
        "_group",
        "_loop",
        "_notifications",
        "_notifier",
        "_run_blocking",
        "_running",
        "_session",
        "_tasks",
        "_timer",
        "_transport",
        "_unchecked",
        "_waiting",
        "data",
        "handlers",
        "limits",
        "scope",
    )

    _deadline: asyncio.Timeout
    _group: asyncio.TaskGroup
    _loop: asyncio.AbstractEventLoop
    _session: Session

    def __init__(
        self,
        handlers: Handlers,
        transport: Transport,
        limits: Limits | None = None,
        *,
        scope: Mapping[str, Any] | None = None,
        run_blocking: RunBlocking = asyncio.to_thread,
    ) -> None:
        self.handlers = handlers
        self.limits = Limits() if limits is None else limits
        self.scope: Mapping[str, Any] = {} if scope is None else scope
        self.data: Any = None
        """Free for the application."""
        self._transport = transport
        self._run_blocking = run_blocking
        self._running: dict[bytes, tuple[asyncio.Task[None], float]] = {}
        """Requests that run as tasks and when their time is up, the oldest first."""
        self._waiting: dict[bytes, asyncio.Future[Answer]] = {}
        # Not a deque: it holds a few, and an empty deque is 700 bytes of every idle connection.
        self._notifications: list[tuple[Handler, Notification]] = []
        self._notifier: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        """All tasks but those of requests."""
        self._timer: asyncio.TimerHandle | None = None
        self._unchecked = 0
        """Bytes written since the outbox was last looked at."""
        self._flush_scheduled = False
        self._closing = False

    @property
    def features(self) -> frozenset[str]:
        """What the other end announced of the features we know."""
        return self._session.features

    # --- life ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._session = Session(self.limits, now, framed=self._transport.framed, spread=random.random())
        self._deadline = await asyncio.timeout(None).__aenter__()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._transport.start(self._spawn)
        self._flush()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stop()
        abandoned = False
        try:
            await self._deadline.__aexit__(kind, error, trace)
        except TimeoutError:
            # The other end did not finish our close in time.
            self._transport.abort()
            abandoned = True
        try:
            # Its tasks raise nothing; the block's own exception is not the group's to wrap.
            await self._group.__aexit__(None, None, None)
        finally:
            await self._run_closed_hooks()
        return abandoned

    async def open(self) -> None:
        """Run the `opened` hooks. Messages that came before are to be given to `receive` after this."""
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                for hook in self.handlers.opened_hooks():
                    await hook(self)
        except Refused as refusal:
            self.close(refusal.close_code, refusal.text)
        except Exception:
            logger.exception("an opened hook failed")
            self._session.fail(ABNORMAL, "internal error")
            self._finish()
        if not self._closing:
            self._session.reading_from(self._loop.time())
            self._arm(self._session.next_deadline())

    def close(self, code: int, text: str = "") -> None:
        """
        Close the connection after what was sent; `code` is a WebSocket close code from 4000 to 4999.

        A second call does nothing.
        """
        self._session.close(code, text)
        self._finish()

    async def _run_closed_hooks(self) -> None:
        for hook in self.handlers.closed_hooks():
            try:
                async with asyncio.timeout(self.limits.close_timeout):
                    await hook(self)
            except Exception:
                logger.exception("a closed hook failed")

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _finish(self) -> None:
        """The session has ended: send what is left, close, and give the other end time to answer."""
        ended = self._session.ended
        if ended is None or self._closing:
            return
        self._closing = True
        logger.info("closing with %d: %s", ended.close_code, ended.text)
        self._flush()
        self._transport.close(ended.close_code, ended.text)
        self._deadline.reschedule(self._loop.time() + self.limits.close_timeout)

    def _stop(self) -> None:
        """The connection is gone: nothing of it goes on."""
        self._closing = True
        self._session.close(_LOST, "connection lost")
        if self._timer is not None:
            self._timer.cancel()
        for task in (*self._tasks, *(task for task, _ in self._running.values())):
            task.cancel()
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(self._session.closed_error())

    # --- what comes in -------------------------------------------------------------------------------------

    async def read(self, chunks: AsyncIterable[Chunk]) -> None:
        """Receive chunks until there are no more."""
        async for chunk in chunks:
            self.receive(chunk)

    def receive(self, chunk: Chunk) -> None:
        """Take a WebSocket message (str: text, bytes: binary), or bytes of a stream."""
        session = self._session
        if isinstance(chunk, str):
            session.receive_data(chunk.encode(), self._loop.time(), text=True)
        else:
            session.receive_data(chunk, self._loop.time())
        next_event = session.next_event
        while (event := next_event()) is not None:
            if isinstance(event, Request):
                self._take_request(event)
            elif isinstance(event, Notification):
                self._take_notification(event)
            elif isinstance(event, Cancelled):
                self._cancel(event.id, OperationError("cancelled", "cancelled"))
            elif isinstance(event, Announced):
                self._transport.joined = "joined" in event.features
            else:
                self._take_answer(event)
        if session.ended is not None:
            self._finish()
        elif session.has_data_to_send:
            self._schedule_flush()

    def _take_request(self, request: Request) -> None:
        operation = request.operation
        handler = self.handlers.find_request(operation)
        if handler is None:
            self._session.refuse(
                request.id, OperationError(f'unknown operation "{operation}"', "unknown_operation")
            )
        elif handler.runs is Runs.INLINE:
            try:
                result = handler.function(*handler.arguments(self, operation, request.payload))
                self._session.answer(request.id, handler.encode(result))
            except Exception as error:
                self._refuse(request, error)
        else:
            deadline = self._loop.time() + self.limits.request_timeout
            self._running[request.id] = self._group.create_task(self._answer(handler, request)), deadline
            self._arm(deadline)

    async def _answer(self, handler: Handler, request: Request) -> None:
        try:
            result = await self._call(handler, request.operation, request.payload)
            self._session.answer(request.id, handler.encode(result))
        except asyncio.CancelledError as error:
            if _is_called_off():
                raise
            self._refuse(request, error)
        except Exception as error:
            self._refuse(request, error)
        finally:
            self._running.pop(request.id, None)
            self._schedule_flush()

    async def _call(self, handler: Handler, name: str, payload: bytes) -> Any:
        arguments = handler.arguments(self, name, payload)
        if handler.runs is Runs.TASK:
            return await handler.function(*arguments)
        if handler.runs is Runs.THREAD:
            return await self._run_blocking(handler.function, *arguments)
        return handler.function(*arguments)

    def _refuse(self, request: Request, error: BaseException) -> None:
        if not isinstance(error, OperationError | RetryLater):
            error = OperationError(f"internal error ({_log(request.operation, error)})", "internal")
        self._session.refuse(request.id, error)

    def _cancel(self, id: bytes, reason: OperationError) -> None:
        """End a request's task; it is answered with `reason` when it has ended, unless it answers itself."""
        running = self._running.get(id)
        if running is None:
            return  # It was cancelled already and is about to be answered.
        task, _ = running

        def refuse(task: asyncio.Task[None]) -> None:
            if task.cancelled():
                # A task that never began has not done this itself.
                self._running.pop(id, None)
                self._session.refuse(id, reason)
                self._schedule_flush()

        if not task.cancelling():
            task.cancel()
            task.add_done_callback(refuse)

    def _take_notification(self, notification: Notification) -> None:
        handler = self.handlers.find_notification(notification.name)
        if handler is None:
            return
        if handler.runs is Runs.INLINE and self._notifier is None:
            try:
                handler.function(*handler.arguments(self, notification.name, notification.payload))
            except Exception as error:
                _log(notification.name, error)
        elif len(self._notifications) >= self.limits.max_notifications_queued:
            self._session.close(TOO_FAST, "too many notifications")
        else:
            self._notifications.append((handler, notification))
            if self._notifier is None:
                self._notifier = self._spawn(self._notify_in_order())

    async def _notify_in_order(self) -> None:
        while self._notifications:
            handler, notification = self._notifications.pop(0)
            try:
                async with asyncio.timeout(self.limits.request_timeout):
                    await self._call(handler, notification.name, notification.payload)
            except asyncio.CancelledError as error:
                if _is_called_off():
                    raise
                _log(notification.name, error)
            except Exception as error:
                _log(notification.name, error)
        self._notifier = None

    # --- what goes out -------------------------------------------------------------------------------------

    async def request(
        self, operation: str, params: Any = None, result_type: Any = Any, *, timeout: float | None = None
    ) -> Any:
        """
        Ask the other end and await its answer.

        Args:
            operation: its name, 1 to 255 bytes.
            params: becomes JSON; bytes are sent as they are.
            result_type: what the result's JSON is read as; `bytes` for the result as it is.
            timeout: seconds; None is the limit `request_timeout`.

        Raises:
            RequestFailed: the other end answered with an error, or not with a `result_type`.
            RetryLater: the same request may succeed later.
            RequestTimeout: no answer in time.
            ConnectionClosed: the connection ended, or was closed already.
            MessageTooBig: the answer is over the limit, or the params are.
        """
        seconds = self.limits.request_timeout if timeout is None else timeout
        id = self._session.request(operation, _payload(params))
        future = self._waiting[id] = self._loop.create_future()
        self._schedule_flush()
        try:
            async with asyncio.timeout(seconds):
                answer = await future
        except TimeoutError:
            raise RequestTimeout(operation, seconds) from None
        finally:
            if self._waiting.pop(id, None) is not None:
                self._session.give_up(id)
                self._schedule_flush()
        return self._result(operation, answer, result_type)

    def notify(self, name: str, params: Any = None) -> None:
        """
        Send a notification, as JSON or, if `params` is bytes, as it is. Never waits; a closed connection
        drops it.

        Raises:
            LocalProtocolError: the name or the payload does not fit.
        """
        self._session.notify(name, _payload(params))
        self._schedule_flush()

    def send(self, prepared: Prepared) -> None:
        """Send what was encoded for many peers. Never waits; a closed connection drops it."""
        if self._closing:
            return
        if self._session.has_data_to_send:
            self._flush()
        self._count(self._transport.write_prepared(prepared))

    def _take_answer(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.id)
        if not future.done():
            future.set_result(answer)

    def _result(self, operation: str, answer: Answer, result_type: Any) -> Any:
        if isinstance(answer, Result):
            try:
                return decoder(result_type)(answer.payload)
            except UNREADABLE as error:
                raise RequestFailed(operation, f"unexpected result: {error}") from None
        if isinstance(answer, Oversized):
            raise MessageTooBig(answer.size, self.limits.max_payload_bytes)
        if isinstance(answer, ErrorResult | RetryResult):
            refusal = read_refusal(answer.payload, structured="errors" in self.features)
            if isinstance(answer, RetryResult):
                raise RetryLater(answer.retry_after_ms, refusal.error, refusal.code or "retry")
            raise RequestFailed(operation, refusal.error, refusal.code, refusal.field)
        raise RequestFailed(operation, "the result is a stream, which is not supported")

    def _schedule_flush(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        chunks = self._session.data_to_send()
        if chunks:
            self._count(self._transport.write(chunks))

    def _count(self, size: int) -> None:
        self._unchecked += size
        # Asking each time would cost more than the write; so an outbox may grow a quarter over.
        if self._unchecked > self.limits.max_outbox_bytes // 4:
            self._check_outbox()

    def _check_outbox(self) -> None:
        self._unchecked = 0
        if self._transport.buffered() > self.limits.max_outbox_bytes:
            self._transport.abort()
            self.close(TOO_SLOW, "too slow")

    # --- time ----------------------------------------------------------------------------------------------

    def _arm(self, when: float) -> None:
        """Be called at `when`, unless the timer comes earlier anyway."""
        if self._timer is None or when < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._loop.time()
        self._session.handle_timer(now, int(time.time()))
        if self._session.ended is not None:
            self._finish()
            return
        next_deadline = self._session.next_deadline()
        for id, (_, deadline) in tuple(self._running.items()):
            if deadline > now:
                next_deadline = min(next_deadline, deadline)
                break
            self._cancel(id, OperationError("timed out", "timeout"))
        self._check_outbox()
        self._flush()
        if not self._closing:
            self._arm(next_deadline)


def _payload(params: Any) -> bytes:
    return params if isinstance(params, bytes) else to_json(params)


def _is_called_off() -> bool:
    """Whether a CancelledError was meant for the running task; else the handler raised it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _log(name: str, error: BaseException) -> str:
    """Log a handler's failure; returns the id by which it is found."""
    log_id = secrets.token_hex(4)
    logger.error("the handler of %r failed (%s)", name, log_id, exc_info=error)
    return log_id
