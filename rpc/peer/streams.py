"""A call in parts: those of its request and of its result go over the connection one by one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rpc.errors import LocalProtocolError, RequestFailed, RequestTimeout, RpcError
from rpc.messages import Result
from rpc.peer.flow_control import Credit, Parts
from rpc.peer.requester import Requester, to_payload
from rpc.protocol.payloads import decoder
from rpc.protocol.session import Answer

NOTHING = object()
"""No single request: the parts are sent one by one."""


class Stream:
    """
    Made by `Peer.stream`. Enter it, then in any order, also at the same time: `await send(value)`,
    `await end()`, and iterate over it for the parts of the result; a single result is one part. Leaving the
    block before the result has ended cancels the request.

    The first part, or the end, opens the request: until then the remote knows nothing of it, and a reader waits.

    All of these raise RequestFailed, RetryLater, RequestTimeout, ConnectionClosed or MessageTooBig once the
    stream has failed.
    """

    def __init__(
        self, requester: Requester, operation: str, params: Any, result_type: Any, timeout: float | None
    ) -> None:
        self.operation = operation
        self._requester = requester
        self._params = params
        self._timeout = requester.limits.stream_timeout if timeout is None else timeout
        self._loop = asyncio.get_running_loop()
        decode = decoder(result_type)
        self._results = Parts(
            lambda payload: requester.read(operation, decode, payload),
            requester.limits.stream_window,
            requester.connection,
            self._grant,
        )
        self.credit = Credit(requester.connection.window)
        self._id: bytes | None = None
        self._opening = asyncio.Lock()
        self._request_ended = False
        self._over = False
        """Answered, failed or given up."""
        self._waits = 0
        self._waits_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        if self._params is NOTHING:
            self._requester.expect(self)
        else:
            self._request_ended = True
            self._id = self._requester.ask_for_stream(self, to_payload(self._params))
        self._watch()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_up()
        self._results.discard()

    async def send(self, value: Any) -> None:
        """
        Send a part of the request: as JSON, or as it is if it is bytes. Waits while the remote is slow.
        One task at a time.

        Raises:
            LocalProtocolError: the remote takes no streams, the request has ended, or the part is empty.
        """
        payload = to_payload(value)
        if not payload or self._request_ended:
            raise LocalProtocolError("the request has ended" if payload else "an empty part would be the end")
        with self._waiting():
            await self.credit.wait()
            await self._put(payload)
        self.credit.spend(payload)

    async def end(self) -> None:
        """No more parts will be sent."""
        if self._request_ended or self._over:
            return
        with self._waiting():
            await self._put(b"")
        self._request_ended = True

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        with self._waiting():
            return await anext(self._results)

    async def _put(self, payload: bytes) -> None:
        """Send a part, the first of which opens the request, or the end, which needs an open one."""
        # Opening may have to wait, and the end may come meanwhile.
        async with self._opening:
            if self._id is None:
                self._id = await self._open(payload)
                if payload:
                    return
        await self._requester.send_part(self._id, payload)

    async def _open(self, first: bytes) -> bytes:
        try:
            return await self._requester.open_stream(self, first)
        except RpcError as error:
            self.failed(error)
            raise

    # --- what comes in -------------------------------------------------------------------------------------

    def answered(self, answer: Answer) -> None:
        if isinstance(answer, Result):
            self._results.put(answer.payload)
            self._ended()
        else:
            self.failed(self._requester.error_of(self.operation, answer))

    def result_part(self, payload: bytes) -> None:
        if payload:
            self._results.put(payload)
        else:
            self._ended()

    def failed(self, error: Exception) -> None:
        self._finish(error, error)

    def _ended(self) -> None:
        self._finish(None, RequestFailed(self.operation, "it is answered and takes no more parts", "ended"))

    def _finish(self, to_reader: Exception | None, to_writer: Exception) -> None:
        self._stop()
        self._results.end(to_reader)
        self.credit.stop(to_writer)

    def _give_up(self) -> None:
        if self._id is None:
            self._requester.forget(self)
        elif not self._over:
            self._requester.give_up(self._id)
        self._stop()

    def _stop(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()

    def _grant(self, credit: int) -> None:
        if self._id is not None:
            self._requester.grant(self._id, credit)

    # --- time ----------------------------------------------------------------------------------------------

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Silence counts only while someone waits."""
        if not self._waits:
            self._waits_since = self._loop.time()
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1

    def _watch(self) -> None:
        """End the stream when nothing moves for too long."""
        now = self._loop.time()
        quiet_since = max(self._results.moved_at, self.credit.moved_at, self._waits_since) if self._waits else now
        if now >= quiet_since + self._timeout:
            self._give_up()
            self.failed(RequestTimeout(self.operation, self._timeout))
        else:
            self._timer = self._loop.call_at(quiet_since + self._timeout, self._watch)
