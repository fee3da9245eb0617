"""
One WebSocket of a door: its way out, what comes in, the tasks that belong to it, and its one end.

What is sent goes straight to the server's socket, or to a bounded outbox where the server gives no access to
its frames. Who does not read is cut off; nobody else waits for him. What comes in waits with the server, which
stops reading when too much does, and is taken no faster than the site's rates allow.

Whoever calls `close()` first closes the socket. After that nothing is sent and no message is given to the
door any more, and the other end has `CLOSE_TIMEOUT` to finish.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from chat.realtime.clients import Wire
from rpc import CloseCode, Refused
from rpc.contrib.django.conf import site_limits
from rpc.limits import CHUNK_COST, TokenBucket
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend, websocket_transport

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_UNREAD_BYTES = 1024 * 1024
"""What the other end may leave unread when there is more to send."""
MAX_UNREAD_SECONDS = 10
"""How long what was sent may wait to be read: the classic hub's deadline of a write."""
CLOSE_TIMEOUT = 5.0
"""Seconds for the other end to finish our close."""


class DoorSocket:
    """
    Entering it accepts the socket, leaving it ends everything of the connection. `Refused` that is raised
    inside closes it with that code, any other error with 1011. Iterating gives the messages: str for text,
    bytes for binary.

    Args:
        scope, receive, send: of the ASGI application.
        door: what messages and the list of connections call the door.
        wire: turns what happens into `Frames`.
    """

    _deadline: asyncio.Timeout
    _life: AbstractAsyncContextManager[Self]

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend, *, door: str, wire: Wire
    ) -> None:
        self.door = door
        self.scope = scope
        self.wire = wire
        self.closing = False
        """Nothing is sent, and no message is given out, any more."""
        self._receive = receive
        self._accept = send
        self._transport = websocket_transport(scope, send)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone = False
        self._drained = asyncio.Event()
        self._written = 0
        self._marks: deque[int] = deque(maxlen=MAX_UNREAD_SECONDS)
        """Bytes that were written until each of the last seconds in which something lay unread."""
        self._watch: asyncio.TimerHandle | None = None
        limits, now = site_limits(), self._loop.time()
        self._messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now)
        self._bytes = TokenBucket(limits.bytes_per_second, limits.bytes_burst, now)

    # --- life ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._life = self._live()
        return await self._life.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._life.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[Self]:
        try:
            async with asyncio.timeout(None) as self._deadline:
                await self._receive()
                await self._accept({"type": "websocket.accept"})
                self._transport.start(self.spawn, self._drained.set, self._watch_unread)
                try:
                    yield self
                except Refused as refusal:
                    self.close(refusal.close_code, refusal.text)
                except Exception:
                    logger.exception("a %s socket failed", self.door)
                    self.close(CloseCode.INTERNAL_ERROR, "internal error")
                self.close(CloseCode.NORMAL)
                async for _ in self:
                    """What comes between our close and the other end's counts no longer."""
        except TimeoutError:
            # The other end did not finish our close in time.
            self._transport.abort()
        finally:
            await self._end()

    async def _end(self) -> None:
        self.closing = True
        self._drained.set()
        if self._watch is not None:
            self._watch.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task that ends with the connection; one that fails ends the connection."""
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def close(self, code: int, text: str = "") -> None:
        """Close after what was sent, with a WebSocket close code and a reason. A second call does nothing."""
        if self.closing:
            return
        self.closing = True
        self._drained.set()
        if not self._gone:
            logger.info("closing a %s socket with %d: %s", self.door, code, text)
            self._transport.close(code, text)
        self._deadline.reschedule(self._loop.time() + CLOSE_TIMEOUT)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a task of a %s socket failed", self.door, exc_info=error)
            self.close(CloseCode.INTERNAL_ERROR, "internal error")

    # --- what comes in -------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        while not self._gone:
            event = await self._receive()
            if event["type"] != "websocket.receive":
                self._gone = True
                break
            if self.closing:
                continue
            data = event.get("bytes")
            chunk: Chunk = event["text"] if data is None else data
            await self._pace(chunk)
            if not self.closing:
                return chunk
        raise StopAsyncIteration

    async def _pace(self, chunk: Chunk) -> None:
        """Wait as long as the other end is ahead of what it may send."""
        now = self._loop.time()
        for bucket, cost in ((self._messages, 1), (self._bytes, len(chunk) + CHUNK_COST)):
            bucket.refill(now)
            bucket.tokens -= cost
        wait = max(self._messages.wait, self._bytes.wait)
        if wait:
            await asyncio.sleep(wait)

    # --- what goes out -------------------------------------------------------------------------------------

    def send(self, payload: Any) -> None:
        """Write `Frames`, built for many sockets. Never waits; a closed socket drops it."""
        if self._may_write():
            self._wrote(self._transport.write_frames(payload))

    def send_text(self, text: str) -> None:
        if self._may_write():
            self._wrote(self._transport.write((text,)))

    def send_bytes(self, data: bytes) -> None:
        if self._may_write():
            self._wrote(self._transport.write((data,)))

    def lost_room(self, name: str) -> None:
        """What that means is the door's matter."""

    async def drained(self) -> None:
        """Wait until little of what was sent lies unread; for who has much to send. Ends when the socket does."""
        while not self._transport.writable and not self.closing:
            self._drained.clear()
            await self._drained.wait()

    def _may_write(self) -> bool:
        # Before a write, for one write may be as large as it is.
        if not self.closing and self._transport.buffered() > MAX_UNREAD_BYTES:
            self._cut_off()
        return not self.closing

    def _wrote(self, size: int) -> None:
        self._written += size
        if self._transport.buffered():
            self._watch_unread()

    def _watch_unread(self) -> None:
        if self._watch is None and not self.closing:
            self._watch = self._loop.call_later(1, self._look)

    def _look(self) -> None:
        """Once a second while something lies unread: cut off who has not read what is `MAX_UNREAD_SECONDS` old."""
        unread = self._transport.buffered()
        self._watch = None
        if not unread:
            self._marks.clear()
            self._drained.set()
            return
        if len(self._marks) == MAX_UNREAD_SECONDS and self._written - unread < self._marks[0]:
            self._cut_off()
            return
        self._marks.append(self._written)
        self._watch = self._loop.call_later(1, self._look)

    def _cut_off(self) -> None:
        """The other end does not read: it would not read a close either, nor let one through."""
        self._transport.abort()
        self.close(CloseCode.TOO_SLOW, "too slow")
