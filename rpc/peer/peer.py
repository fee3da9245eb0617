"""
One connection on asyncio: gives the session what arrives, its events to handlers and callers, and ends.

The door (a consumer, a server, a client) makes a `Peer` for a connection, holds it open with `async with`,
awaits `open()`, and then gives it what arrives with `receive()`. Leaving the block ends everything that
belongs to the connection: first all its tasks, then the `closed` hooks run.

`rpc.peer.dispatcher` answers the remote's requests, `rpc.peer.notifications` handles its notifications,
`rpc.peer.requester` has our own requests, and `rpc.peer.connection` writes. All methods belong to the event
loop's thread.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Self

from rpc.close_codes import CloseCode
from rpc.errors import ConnectionClosed, Refused
from rpc.failures import internal_error
from rpc.limits import Limits
from rpc.peer.connection import Connection
from rpc.peer.dispatcher import Dispatcher
from rpc.peer.handler import RunBlocking
from rpc.peer.handlers import Handlers
from rpc.peer.notifications import NotificationQueue
from rpc.peer.prepared import Prepared
from rpc.peer.requester import RETRIES, Requester, to_payload
from rpc.peer.routing import route_events
from rpc.peer.streams import NOTHING, Stream
from rpc.peer.tasks import Tasks
from rpc.peer.timer import Timer
from rpc.peer.transport import Transport
from rpc.protocol.codec import ABNORMAL
from rpc.protocol.session import Chunk, Session

logger = logging.getLogger(__name__)


class Peer:
    """
    Args:
        handlers: what the remote may ask for.
        transport: the way out.
        limits: what the remote may use.
        scope: what the door knows of the connection, such as the ASGI scope.
        run_blocking: runs handlers that are plain functions.
    """

    __slots__ = (
        *("__weakref__", "_connection", "_deadline", "_dispatcher", "_life", "_notifications"),
        *("_requester", "_run_blocking", "_session", "_timer", "_transport"),
        *("admitted", "data", "handlers", "limits", "scope"),
    )

    _connection: Connection
    _deadline: asyncio.Timeout
    _dispatcher: Dispatcher
    _notifications: NotificationQueue
    _requester: Requester
    _session: Session
    _timer: Timer

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
        self.admitted = not handlers.guarded
        """Whether more is called than what is public; where the handlers have a guard, the application sets it."""
        self._transport = transport
        self._run_blocking = run_blocking
        self._life = AsyncExitStack()

    @property
    def features(self) -> frozenset[str]:
        """What the remote announced of the features we know."""
        return self._session.features

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended, or is being closed."""
        return self._session.ended is not None

    @property
    def in_flight(self) -> int:
        """Number of requests of the remote that have no answer yet."""
        return self._session.in_flight

    # --- life ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        life, transport = self._life, self._transport
        life.push_async_callback(self.handlers.run_closed_hooks, self, self.limits.close_timeout)
        tasks = await life.enter_async_context(Tasks(lambda error: self._fail("a task of a connection", error)))
        life.push(self._abandon)
        self._deadline = await life.enter_async_context(asyncio.timeout(None))
        now = asyncio.get_running_loop().time()
        framed, greets, limits = transport.framed, transport.connects, self.limits
        session = Session(limits, now, framed=framed, greets=greets, spread=random.random())
        missed, end_by = partial(self.handlers.run_missed_hooks, self), self._deadline.reschedule
        connection = Connection(session, transport, limits, read_on=self._read_on, end_by=end_by, missed=missed)
        self._session, self._connection = session, connection
        spawn, run_blocking = tasks.spawn, self._run_blocking
        self._requester = Requester(connection)
        self._timer = Timer(connection, lambda now: self._dispatcher.end_what_is_due(now))
        self._dispatcher = Dispatcher(self, self.handlers, connection, spawn, run_blocking, self._timer.arm)
        self._notifications = NotificationQueue(self, self.handlers, connection, spawn, run_blocking)
        transport.start(spawn, connection.drained, connection.backlog.watch)
        connection.flush()
        return self

    async def __aexit__(self, *raised: Any) -> bool | None:
        self._session.lost(CloseCode.ABNORMAL, "connection lost")
        self._connection.stop()
        self._timer.cancel()
        self._requester.lost()
        return await self._life.__aexit__(*raised)

    async def open(self) -> None:
        """Run the `opened` hooks. Messages that came before are to be given to `receive` after this."""
        try:
            async with asyncio.timeout(self.limits.request_timeout):
                for hook in self.handlers.opened_hooks():
                    await hook(self)
        except Refused as refusal:
            self.close(refusal.close_code, refusal.text)
        except Exception as error:
            self._fail("an opened hook", error)
        self._timer.start()

    def close(self, code: int, text: str = "") -> None:
        """
        Close the connection after what was sent; `code` is a WebSocket close code from 4000 to 4999.

        A second call does nothing.
        """
        self._session.close(code, text)
        self._connection.finish()

    def lost(self, code: int, text: str) -> None:
        """The remote has closed, with this close code and reason; requests without an answer fail with them."""
        self._session.lost(code, text)

    def closed_error(self) -> ConnectionClosed:
        """Why the connection ended."""
        return self._session.closed_error()

    async def finish(self, timeout: float) -> None:
        """Refuse new requests and wait until those that came are answered, for at most `timeout` seconds."""
        if self._connection.closing:
            return
        self._session.drain()
        try:
            async with asyncio.timeout(timeout):
                await self._dispatcher.finish()
                await self._notifications.finish()
        except TimeoutError:
            logger.info("requests were still running after %g s", timeout)
        self._connection.flush()

    async def hear_out(self) -> None:
        """The remote has left: let the handlers of its last notifications finish, within the close timeout."""
        try:
            async with asyncio.timeout(self.limits.close_timeout):
                await self._notifications.finish()
        except TimeoutError:
            logger.info("handlers of notifications were still running at the end")

    def _fail(self, what: str, error: BaseException) -> None:
        self._session.fail(ABNORMAL, internal_error(what, error).text)
        self._connection.finish()

    def _abandon(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Whether the block ended because the remote did not finish our close in time."""
        if kind is not TimeoutError or not self._deadline.expired():
            return False
        self._transport.abort()
        return True

    # --- what comes in -------------------------------------------------------------------------------------

    async def read(self, chunks: AsyncIterable[Chunk]) -> None:
        """Receive chunks until there are no more, and none while reading must wait."""
        async for chunk in chunks:
            self.receive(chunk)
            await self._connection.readable()

    def receive(self, chunk: Chunk) -> None:
        """Take a WebSocket message (str: text, bytes: binary), or bytes of a stream."""
        if self._connection.feed(chunk):
            self._read_on()

    def _read_on(self) -> None:
        route_events(self._connection, self._requester, self._dispatcher, self._notifications)
        self._transport.keep(self._session.unfinished)
        if self._session.is_broken:
            self._timer.arm(self._session.next_deadline())

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
        Ask the remote and await its answer.

        Args:
            operation: its name, 1 to 255 bytes.
            params: becomes JSON; bytes are sent as they are.
            result_type: what the result's JSON is read as; `bytes` for the result as it is.
            timeout: seconds for all of it; None is the limit `request_timeout`.
            retries: how often the request is repeated when the remote asks for that.

        Raises:
            RequestFailed: the remote answered with an error, or with something else than a `result_type`.
            RetryLater: the same request may succeed later.
            RequestTimeout: no answer in time.
            ConnectionClosed: the connection ended, or was closed already.
            MessageTooBig: the answer is over the limit, or the params are.
        """
        return await self._requester.request(operation, params, result_type, timeout, retries)

    def stream(
        self, operation: str, params: Any = NOTHING, result_type: Any = Any, *, timeout: float | None = None
    ) -> Stream:
        """
        Ask the remote in parts, or with `params` in one, and read its answer in parts.

        Args:
            operation, params, result_type: as in `request`; `result_type` is that of a part.
            timeout: seconds without a part in either direction; None is the limit `stream_timeout`.
        """
        return Stream(self._requester, operation, params, result_type, timeout)

    def notify(self, name: str, params: Any = None) -> bool:
        """
        Send a notification, as JSON or, if `params` is bytes, as it is. Never waits.

        Returns:
            False when it was left out: the connection is closed, or the remote is behind by more than
            `max_outbox_bytes`; who sends many awaits `drained` in between.
        Raises:
            LocalProtocolError: the name or the payload does not fit.
        """
        payload = to_payload(params)
        connection = self._connection
        if connection.closing or not connection.may_notify():
            return False
        self._session.notify(name, payload)
        connection.schedule_flush()
        return True

    def send(self, prepared: Prepared) -> None:
        """
        Send what was encoded for many peers. Never waits: it is left out when the connection is closed, or the
        remote is behind by more than `max_outbox_bytes`.
        """
        if not self._connection.closing:
            self._connection.send(prepared)

    async def drained(self) -> None:
        """Wait until little of what was sent is unread, before sending much more. Ends when the connection does."""
        await self._connection.way_out()
