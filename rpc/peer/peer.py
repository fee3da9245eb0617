"""
One connection on asyncio: gives the session what arrives, its events to handlers and to who asked, and ends.

The door (a consumer, a server, a client) makes a `Peer` for a connection, holds it open with `async with`,
awaits `open()`, and then gives it what arrives with `receive()`. Leaving the block ends everything that
belongs to the connection: one `TaskGroup` holds all its tasks, and the `closed` hooks come last.

What the other end asks is `rpc.peer.dispatcher`'s, what this end asks `rpc.peer.requester`'s, and
`rpc.peer.connection` writes. All methods belong to the event loop's thread.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

from rpc.close_codes import CloseCode
from rpc.errors import ConnectionClosed, Refused
from rpc.limits import Limits
from rpc.messages import Heartbeat, Notification, Request, StreamPart, StreamRequest, StreamResult
from rpc.peer.connection import Line
from rpc.peer.dispatcher import RunBlocking, Serving
from rpc.peer.handlers import Handlers
from rpc.peer.prepared import Prepared
from rpc.peer.requester import RETRIES, Asking, to_payload
from rpc.peer.streams import NOTHING, Stream
from rpc.peer.transport import Transport
from rpc.protocol.codec import ABNORMAL
from rpc.protocol.session import Announced, Cancelled, Chunk, Granted, Session

logger = logging.getLogger(__name__)

_REQUESTS = (Request, StreamRequest)
"""Not a union in its place: that would be made anew for every message."""


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
        "_asking",
        "_deadline",
        "_group",
        "_line",
        "_loop",
        "_run_blocking",
        "_serving",
        "_session",
        "_tasks",
        "_timer",
        "_transport",
        "data",
        "handlers",
        "limits",
        "scope",
    )

    _asking: Asking
    _deadline: asyncio.Timeout
    _group: asyncio.TaskGroup
    _line: Line
    _loop: asyncio.AbstractEventLoop
    _serving: Serving
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
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def features(self) -> frozenset[str]:
        """What the other end announced of the features we know."""
        return self._session.features

    @property
    def in_flight(self) -> int:
        """Number of requests of the other end that have no answer yet."""
        return self._session.in_flight

    # --- life ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._session = Session(self.limits, now, framed=self._transport.framed, spread=random.random())
        self._deadline = await asyncio.timeout(None).__aenter__()
        self._group = await asyncio.TaskGroup().__aenter__()
        self._line = Line(
            self._session, self._transport, self.limits, read_on=self._take_events, finish=self._finish
        )
        self._asking = Asking(self._line, self.limits)
        self._serving = Serving(self, self._line, self._spawn, self._run_blocking, self._arm)
        self._transport.start(self._spawn, self._line.drained, self._line.filled)
        self._line.flush()
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
        if not self._line.closing:
            self._session.reading_from(self._loop.time())
            self._arm(self._session.next_deadline())

    def close(self, code: int, text: str = "") -> None:
        """
        Close the connection after what was sent; `code` is a WebSocket close code from 4000 to 4999.

        A second call does nothing.
        """
        self._session.close(code, text)
        self._finish()

    def lost(self, code: int, text: str) -> None:
        """The other end has closed, with this close code and reason; who still asks learns them."""
        self._session.lost(code, text)

    def closed_error(self) -> ConnectionClosed:
        """Why the connection ended."""
        return self._session.closed_error()

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

    async def finish(self, timeout: float) -> None:
        """Refuse new requests and wait until what came is done, for at most `timeout` seconds."""
        if self._line.closing:
            return
        self._session.drain()
        try:
            async with asyncio.timeout(timeout):
                await self._serving.finish()
        except TimeoutError:
            logger.info("requests were still running after %g s", timeout)
        self._line.flush()

    async def hear_out(self) -> None:
        """The other end has left: let the handlers of what it told before finish, within the close timeout."""
        try:
            async with asyncio.timeout(self.limits.close_timeout):
                await self._serving.hear_out()
        except TimeoutError:
            logger.info("notifications were still being heard at the end")

    def _finish(self) -> None:
        """The session has ended: send what is left, close, and give the other end time to answer."""
        ended = self._session.ended
        if ended is None or self._line.closing:
            return
        logger.info("closing with %d: %s", ended.close_code, ended.text)
        self._line.close()
        self._line.flush()
        self._transport.close(ended.close_code, ended.text)
        self._deadline.reschedule(self._loop.time() + self.limits.close_timeout)

    def _stop(self) -> None:
        """The connection is gone: nothing of it goes on."""
        self._session.lost(CloseCode.ABNORMAL, "connection lost")
        self._line.close()
        if self._timer is not None:
            self._timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        self._asking.lost()

    # --- what comes in -------------------------------------------------------------------------------------

    async def read(self, chunks: AsyncIterable[Chunk]) -> None:
        """Receive chunks until there are no more, and none while reading must wait."""
        async for chunk in chunks:
            self.receive(chunk)
            await self._line.readable()

    def receive(self, chunk: Chunk) -> None:
        """Take a WebSocket message (str: text, bytes: binary), or bytes of a stream."""
        if self._line.feed(chunk):
            self._take_events()

    def _take_events(self) -> None:
        line, session = self._line, self._session
        next_event = session.next_event
        while not line.holds and (event := next_event()) is not None:
            if isinstance(event, _REQUESTS):
                self._serving.take_request(event)
            elif isinstance(event, Notification):
                self._serving.take_notification(event)
            elif isinstance(event, StreamPart):
                self._serving.take_part(event)
            elif isinstance(event, StreamResult):
                self._asking.take_result_part(event)
            elif isinstance(event, Granted):
                (self._serving if event.results else self._asking).granted(event.id, event.credit)
            elif isinstance(event, Cancelled):
                self._serving.cancel(event.id, event.reason)
            elif isinstance(event, Heartbeat):
                self._serving.take_heartbeat(event)
            elif isinstance(event, Announced):
                self._take_announced(event)
            else:
                self._asking.take_answer(event)
        if session.ended is not None:
            self._finish()
            return
        if session.has_data_to_send:
            line.schedule_flush()
        if not line.holds and (seconds := session.pause(self._loop.time())):
            line.hold_for(seconds)

    def _take_announced(self, announced: Announced) -> None:
        self._transport.joined = "joined" in announced.features
        if "flow" in announced.features:
            self._line.window = announced.window
            self._serving.announced(announced.window)
        self._asking.announced()

    # --- what goes out -------------------------------------------------------------------------------------

    async def request(
        self,
        operation: str,
        params: Any = None,
        result_type: Any = Any,
        *,
        timeout: float | None = None,
        retries: int = RETRIES,
    ) -> Any:
        """
        Ask the other end and await its answer.

        Args:
            operation: its name, 1 to 255 bytes.
            params: becomes JSON; bytes are sent as they are.
            result_type: what the result's JSON is read as; `bytes` for the result as it is.
            timeout: seconds for all of it; None is the limit `request_timeout`.
            retries: how often the request is repeated when the other end asks for that.

        Raises:
            RequestFailed: the other end answered with an error, or not with a `result_type`.
            RetryLater: the same request may succeed later.
            RequestTimeout: no answer in time.
            ConnectionClosed: the connection ended, or was closed already.
            MessageTooBig: the answer is over the limit, or the params are.
        """
        return await self._asking.request(operation, params, result_type, timeout, retries)

    def stream(
        self, operation: str, params: Any = NOTHING, result_type: Any = Any, *, timeout: float | None = None
    ) -> Stream:
        """
        Ask the other end in parts, or with `params` in one, and read its answer in parts.

        Args:
            operation, params, result_type: as in `request`; `result_type` is that of a part.
            timeout: seconds without a part in either direction; None is the limit `stream_timeout`.
        """
        return Stream(self._asking, operation, params, result_type, timeout)

    def notify(self, name: str, params: Any = None) -> None:
        """
        Send a notification, as JSON or, if `params` is bytes, as it is. Never waits; a closed connection
        drops it.

        Raises:
            LocalProtocolError: the name or the payload does not fit.
        """
        self._session.notify(name, to_payload(params))
        self._line.schedule_flush()

    def send(self, prepared: Prepared) -> None:
        """Send what was encoded for many peers. Never waits; a closed connection drops it."""
        if not self._line.closing:
            self._line.send(prepared)

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
        if self._line.holds:
            self._session.still_alive(now)
        self._session.handle_timer(now, int(time.time()))
        if self._session.ended is not None:
            self._finish()
            return
        next_deadline = min(self._session.next_deadline(), self._serving.end_what_is_due(now))
        self._line.check_outbox()
        self._line.flush()
        if not self._line.closing:
            self._arm(next_deadline)
