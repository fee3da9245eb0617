"""
One WebSocket of a door: its way out, what comes in, the tasks that belong to it, and how it ends.

What is sent goes straight to the server's socket, or to an outbox where the server gives no access to its
frames. While a client is behind, none of its messages is taken; while it is far behind, what concerns many is left
out, and `missed` is called once it has read the rest. One that takes nothing is dropped (`rpc.peer.backlog`).
Nobody else waits for it. What it sends waits with the server, which stops reading when too much does, and is taken
no faster than the site's rate limits allow.

The first `close()` closes the socket. After it nothing is sent, no message is given to the door, and the
client has the limit `close_timeout` to finish.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from chat.realtime.clients import Wire
from rpc import CloseCode, Refused
from rpc.contrib.django.conf import site_limits
from rpc.failures import internal_error
from rpc.limits import CHUNK_COST, TokenBucket
from rpc.peer.backlog import Backlog
from rpc.peer.prepared import Frames
from rpc.peer.tasks import Tasks
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend, accept_event, websocket_transport

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class DoorSocket:
    """
    Entering it accepts the socket, or leaves that to the door, which calls `open()`; leaving it ends everything of
    the connection. `Refused` that is raised inside closes it with that code, any other error with 1011. Iterating
    gives the messages: str for text, bytes for binary.

    Args:
        scope, receive, send: of the ASGI application.
        door: what messages and the list of connections call the door, and after `hubtalk.` its subprotocol.
        wire: turns what happens into `Frames`.
    """

    opens_at_once = True
    """Whether it is accepted when it is entered."""
    _deadline: asyncio.Timeout

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
        self._loop = asyncio.get_running_loop()
        self._life = AsyncExitStack()
        self._tasks = Tasks(self._task_failed)
        self._is_open = False
        self._early: list[Chunk] = []
        """Sent before it was accepted."""
        self._closed_with: tuple[int, str] | None = None
        """Code and reason of our close."""
        self._gone = False
        self._has_missed = False
        self._drained = asyncio.Event()
        self._limits = limits = site_limits()
        self._transport = websocket_transport(scope, send)
        self._backlog = Backlog(self._transport, limits, self._drop)
        now = self._loop.time()
        self._messages = TokenBucket(limits.messages_per_second, limits.messages_burst, now)
        self._bytes = TokenBucket(limits.bytes_per_second, limits.bytes_burst, now)

    # --- life ----------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._life.enter_async_context(self._tasks)
        await self._life.enter_async_context(self._live())
        return self

    async def __aexit__(self, *raised: Any) -> bool | None:
        return await self._life.__aexit__(*raised)

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(None) as self._deadline:
                await self._receive()
                try:
                    if self.opens_at_once:
                        await self.open()
                    yield
                except Refused as refusal:
                    self.close(refusal.close_code, refusal.text)
                except Exception as error:
                    self._fail(f"a {self.door} socket", error)
                self.close(CloseCode.NORMAL)
                await self.open()
                async for _ in self:
                    """What comes between our close and the client's counts no longer."""
        except TimeoutError:
            # The client did not finish our close in time.
            self._transport.abort()
        finally:
            self._stop()

    async def open(self) -> None:
        """Accept it, and send what was to be sent before. A second call does nothing."""
        if self._is_open:
            return
        await self._accept(accept_event(self.scope, (f"hubtalk.{self.door}",)))
        self._transport.start(self.spawn, self._has_drained, self._backlog.watch)
        self._is_open = True
        if self._early:
            self._wrote(self._transport.write(self._early))
        if self._closed_with is not None:
            self._transport.close(*self._closed_with)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task that ends with the connection; one that fails ends the connection."""
        return self._tasks.spawn(coroutine)

    def close(self, code: int, text: str = "") -> None:
        """Close after what was sent, with a WebSocket close code and a reason. A second call does nothing."""
        if self.closing:
            return
        self._stop()
        if not self._gone:
            logger.info("closing a %s socket with %d: %s", self.door, code, text)
            self._closed_with = code, text
            if self._is_open:
                self._transport.close(code, text)
        self._deadline.reschedule(self._loop.time() + self._limits.close_timeout)

    def _stop(self) -> None:
        """Nobody needs to wait for anything any more."""
        self.closing = True
        self._backlog.stop()
        self._drained.set()

    def _task_failed(self, error: BaseException) -> None:
        self._fail(f"a task of a {self.door} socket", error)

    def _fail(self, what: str, error: BaseException) -> None:
        self.close(CloseCode.INTERNAL_ERROR, internal_error(what, error).text)

    def _drop(self) -> None:
        # It reads nothing, so it would not read a close either.
        self._transport.abort()
        self.close(CloseCode.TOO_SLOW, "too slow")

    # --- what comes in -------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        while not self._gone:
            # What it does not read it need not ask for either.
            await self.drained()
            event = await self._receive()
            if event["type"] != "websocket.receive":
                self._gone = True
                break
            if self.closing:
                continue
            data = event.get("bytes")
            chunk: Chunk = event["text"] if data is None else data
            await self._keep_to_rate(chunk)
            if not self.closing:
                return chunk
        raise StopAsyncIteration

    async def _keep_to_rate(self, chunk: Chunk) -> None:
        """Wait as long as the client is ahead of what it may send."""
        now = self._loop.time()
        for bucket, cost in ((self._messages, 1), (self._bytes, len(chunk) + CHUNK_COST)):
            bucket.refill(now)
            bucket.tokens -= cost
        wait = max(self._messages.wait, self._bytes.wait)
        if wait:
            await asyncio.sleep(wait)

    # --- what goes out -------------------------------------------------------------------------------------

    def send(self, payload: Any) -> None:
        """Write `Frames`, built for many sockets. Never waits: who is closed or far behind misses them."""
        self.show(payload)

    def show(self, frames: Frames) -> bool:
        """The same; returns whether they were written."""
        if self.closing:
            return False
        if self._backlog.full():
            self._has_missed = True
        if self._has_missed:
            return False
        self._wrote(self._transport.write_frames(frames))
        return True

    def send_text(self, text: str) -> None:
        self._send_chunk(text)

    def send_bytes(self, data: bytes) -> None:
        self._send_chunk(data)

    def missed(self) -> None:
        """The client reads again, after something was left out. Each door decides how it is made up for."""

    def lost_room(self, name: str) -> None:
        """Each door decides what that means."""

    async def drained(self) -> None:
        """Wait until little of what was sent is unread, before sending more of much. Ends when the socket does."""
        while not self._transport.writable and not self.closing:
            self._drained.clear()
            await self._drained.wait()

    def _has_drained(self) -> None:
        self._drained.set()
        if self._has_missed and not self.closing:
            self._has_missed = False
            self.missed()

    def _send_chunk(self, chunk: Chunk) -> None:
        if self.closing:
            return
        if self._is_open:
            self._wrote(self._transport.write((chunk,)))
        else:
            self._early.append(chunk)

    def _wrote(self, size: int) -> None:
        self._backlog.written += size
        self._backlog.watch()
