"""Requests to the remote, and who waits for their answers."""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Protocol

from rpc.errors import MessageTooBig, RequestFailed, RequestTimeout, RetryLater, RpcError
from rpc.limits import part_cost
from rpc.messages import ErrorResult, Result, RetryResult, StreamResult
from rpc.peer.connection import Connection
from rpc.peer.flow_control import Credit
from rpc.protocol.codec import Oversized
from rpc.protocol.payloads import UNREADABLE, decoder, read_refusal, to_json
from rpc.protocol.session import MAX_RETRY_MS, MIN_RETRY_MS, Answer

RETRIES = 5
"""How often a request is repeated when the remote asks for it."""


class OpenStream(Protocol):
    """A call whose answer is read in parts: `rpc.peer.streams.Stream`, as far as it is known here."""

    operation: str
    credit: Credit

    def answered(self, answer: Answer) -> None:
        """A single answer came, which ends the call."""

    def result_part(self, payload: bytes) -> None:
        """A part of the result came; the empty one ends the call."""

    def failed(self, error: Exception) -> None:
        """No more will come, because of `error`."""


class Requester:
    """
    Args:
        connection: the remote's.
    """

    __slots__ = ("_collected", "_known", "_loop", "_session", "_streams", "_waiting", "connection", "limits")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.limits = connection.limits
        self._session = connection.session
        self._loop = connection.loop
        self._waiting: dict[bytes, asyncio.Future[Answer]] = {}
        self._collected: dict[bytes, bytearray] = {}
        """What came so far of answers in parts that are read as one."""
        self._streams: dict[bytes | OpenStream, OpenStream] = {}
        """By their ids; those that are not open yet by themselves."""
        # Made when someone waits: most connections never do.
        self._known: asyncio.Event | None = None

    # --- requests ------------------------------------------------------------------------------------------

    async def request(
        self, operation: str, params: Any, result_type: Any, timeout: float | None, retries: int
    ) -> Any:
        """See `rpc.peer.peer.Peer.request`."""
        seconds = self.limits.request_timeout if timeout is None else timeout
        payload = to_payload(params)
        try:
            async with asyncio.timeout(seconds) as deadline:
                while True:
                    answer: Answer = await self._ask(operation, payload)
                    if not isinstance(answer, RetryResult) or retries <= 0:
                        break
                    retries -= 1
                    wait = min(max(answer.retry_after_ms, MIN_RETRY_MS), MAX_RETRY_MS) / 1000
                    wait *= 1 + random.random() / 2
                    if self._loop.time() + wait >= (deadline.when() or 0):
                        break
                    await asyncio.sleep(wait)
        except TimeoutError:
            raise RequestTimeout(operation, seconds) from None
        if isinstance(answer, Result):
            return self.read(operation, decoder(result_type), answer.payload)
        raise self.error_of(operation, answer)

    async def _ask(self, operation: str, payload: bytes) -> Answer:
        if not self.connection.is_clear:
            await self.connection.way_out()
        id = self._session.request(operation, payload)
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[id] = future
        self.connection.schedule_flush()
        try:
            return await future
        finally:
            if self._waiting.pop(id, None) is not None:
                self.give_up(id)

    def give_up(self, id: bytes) -> None:
        """Nobody waits for the answer any more."""
        self._streams.pop(id, None)
        self._collected.pop(id, None)
        self._session.give_up(id)
        self.connection.schedule_flush()

    @staticmethod
    def read(operation: str, decode: Callable[[bytes], Any], payload: bytes) -> Any:
        try:
            return decode(payload)
        except UNREADABLE as error:
            raise RequestFailed(operation, f"unexpected result: {error}") from None

    def error_of(self, operation: str, answer: Answer) -> RpcError:
        """The error that stands for an answer other than a result."""
        if isinstance(answer, ErrorResult | RetryResult):
            refusal = read_refusal(answer.payload, structured="errors" in self._session.features)
            if isinstance(answer, RetryResult):
                return RetryLater(answer.retry_after_ms, refusal.error, refusal.code or "retry")
            return RequestFailed(operation, refusal.error, refusal.code, refusal.field)
        assert isinstance(answer, Oversized)
        return MessageTooBig(answer.size, self.limits.max_payload_bytes)

    def take_answer(self, answer: Answer) -> None:
        stream = self._streams.pop(answer.id, None)
        if stream is not None:
            stream.answered(answer)
            return
        self._collected.pop(answer.id, None)
        self._settle(answer)

    def _settle(self, answer: Answer) -> None:
        future = self._waiting.pop(answer.id)
        if not future.done():
            future.set_result(answer)

    def take_result_part(self, part: StreamResult) -> None:
        stream = self._streams.get(part.id)
        if stream is not None:
            if not part.payload:
                del self._streams[part.id]
            stream.result_part(part.payload)
        elif part.payload:
            self._collect(part)
        else:
            self._settle(Result(part.id, bytes(self._collected.pop(part.id, b""))))

    def _collect(self, part: StreamResult) -> None:
        collected = self._collected.setdefault(part.id, bytearray())
        collected += part.payload
        if len(collected) > self.limits.max_payload_bytes:
            self.give_up(part.id)
            self._settle(Oversized(ord("S"), part.id, len(collected), text=False))
        else:
            self.grant(part.id, part_cost(part.payload))

    # --- streams -------------------------------------------------------------------------------------------

    def granted(self, id: bytes, credit: int) -> None:
        stream = self._streams.get(id)
        if stream is not None:
            stream.credit.grant(credit)

    def announced(self) -> None:
        """The remote has said what it can do."""
        if self._known is not None:
            self._known.set()
        if self.connection.window is not None:
            for stream in self._streams.values():
                stream.credit.limit(self.connection.window)

    def grant(self, id: bytes, credit: int) -> None:
        self._session.grant(id, credit, results=True)
        self.connection.schedule_flush()

    def expect(self, stream: OpenStream) -> None:
        """A stream will be opened, and waits for its result already: it is told if the connection ends before."""
        if self._session.ended is None:
            self._streams[stream] = stream
        else:
            stream.failed(self._session.closed_error())

    def forget(self, stream: OpenStream) -> None:
        """It was expected, and will not be opened."""
        self._streams.pop(stream, None)

    async def open_stream(self, stream: OpenStream, first: bytes) -> bytes:
        """Send the first part of a stream request, or none; returns its id."""
        await self._wait_until_known()
        if self.connection.window is not None:
            stream.credit.limit(self.connection.window)
        id = self._session.stream(stream.operation, first)
        self.forget(stream)
        self._streams[id] = stream
        self.connection.schedule_flush()
        return id

    def ask_for_stream(self, stream: OpenStream, payload: bytes) -> bytes:
        """Send a single request whose answer is read as a stream; returns its id."""
        id = self._session.request(stream.operation, payload)
        self._streams[id] = stream
        self.connection.schedule_flush()
        return id

    async def send_part(self, id: bytes, payload: bytes) -> None:
        """Send one more part of a stream request, when there is room; the empty part ends it."""
        await self.connection.way_out()
        self._session.part(id, payload)
        self.connection.schedule_flush()

    async def _wait_until_known(self) -> None:
        """A stock browser peer must not get a stream request: wait for the remote to say what it can do."""
        if self._session.takes_streams or self._session.ended is not None:
            return
        self._known = self._known or asyncio.Event()
        try:
            async with asyncio.timeout(self.limits.handshake_timeout):
                await self._known.wait()
        except TimeoutError:
            pass  # It announces nothing: sending fails with the reason.

    def lost(self) -> None:
        """The connection is over."""
        waiting, self._waiting = self._waiting, {}
        streams, self._streams = self._streams, {}
        self._collected.clear()
        for future in waiting.values():
            if not future.done():
                future.set_exception(self._session.closed_error())
        for stream in streams.values():
            stream.failed(self._session.closed_error())
        if self._known is not None:
            self._known.set()


def to_payload(params: Any) -> bytes:
    """Bytes as they are, everything else as JSON."""
    return params if isinstance(params, bytes) else to_json(params)
