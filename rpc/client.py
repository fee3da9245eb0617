"""A gotalk client: one connection, or one that is opened again whenever it is lost."""

import asyncio
import logging
import random
import ssl as tls
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rpc.addresses import Address
from rpc.close_codes import CloseCode
from rpc.errors import ConnectionClosed
from rpc.limits import Limits
from rpc.peer.handlers import Handlers
from rpc.peer.peer import Peer
from rpc.peer.requester import RETRIES
from rpc.peer.streams import NOTHING, Stream
from rpc.transports.tcp import SocketTransport

if TYPE_CHECKING:
    from rpc.transports.websocket_client import WebSocketTransport

logger = logging.getLogger(__name__)

FIRST_CEILING, LAST_CEILING = 0.5, 10.0
"""Seconds: the wait before a reconnect is random, below a ceiling that doubles from the first to the last."""
HEALTHY_SECONDS = 60.0
"""A connection that lasts so long is healthy: the ceiling starts anew."""
CONNECT_TIMEOUT = 10.0

REFUSALS = frozenset(
    (
        CloseCode.UNSUPPORTED_VERSION,
        CloseCode.INVALID_MESSAGE,
        CloseCode.BAD_MESSAGE,
        CloseCode.LOG_IN,
        CloseCode.NOT_ALLOWED,
        CloseCode.NO_SUCH_ROOM,
    )
)
"""Close codes after which another try would end as this one did."""


class Client:
    """
    Made by `connect`. It makes calls as `Peer` does; `peer` is the present connection, None while there is none.
    """

    def __init__(
        self,
        address: Address,
        handlers: Handlers,
        limits: Limits,
        ssl: tls.SSLContext | None,
        headers: Mapping[str, str],
        timeout: float,
        reconnect: bool,
    ) -> None:
        self.peer: Peer | None = None
        self._address = address
        self._handlers = handlers
        self._limits = limits
        self._ssl = ssl
        self._headers = headers
        self._timeout = timeout
        self._reconnect = reconnect
        self._closing = False
        self._changed = asyncio.Event()
        """The connection is open, or there will be none."""
        self._error: ConnectionClosed | None = None
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"gotalk client of {address.url}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def connected(self) -> None:
        """
        Wait for the first connection.

        Raises:
            OSError, TimeoutError: there is none.
        """
        await asyncio.shield(self._first)

    async def close(self) -> None:
        """End the connection and stop opening others."""
        self._closing = True
        if self.peer is not None:
            self.peer.close(CloseCode.NORMAL)
            await asyncio.wait([self._task], timeout=self._limits.close_timeout)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def wait_closed(self) -> ConnectionClosed:
        """Wait until the connection is over, with `reconnect` for good; returns why."""
        await asyncio.wait([self._task])
        return self._error or ConnectionClosed()

    # --- calls ---------------------------------------------------------------------------------------------

    @property
    def features(self) -> frozenset[str]:
        """What the remote announced of the features we know."""
        return self.peer.features if self.peer is not None else frozenset()

    async def request(
        self,
        operation: str,
        params: Any = None,
        result_type: Any = Any,
        *,
        timeout: float | None = None,
        retries: int = RETRIES,
    ) -> Any:
        """As `Peer.request`; with `reconnect` it first waits for a connection, at most as long again."""
        peer = await self._present(self._limits.request_timeout if timeout is None else timeout)
        return await peer.request(operation, params, result_type, timeout=timeout, retries=retries)

    def stream(
        self, operation: str, params: Any = NOTHING, result_type: Any = Any, *, timeout: float | None = None
    ) -> Stream:
        """
        As `Peer.stream`.

        Raises:
            ConnectionClosed: there is no connection now.
        """
        return self._now().stream(operation, params, result_type, timeout=timeout)

    def notify(self, name: str, params: Any = None) -> bool:
        """
        As `Peer.notify`.

        Raises:
            ConnectionClosed: there is no connection now.
        """
        return self._now().notify(name, params)

    async def drained(self) -> None:
        """
        As `Peer.drained`.

        Raises:
            ConnectionClosed: there is no connection now.
        """
        await self._now().drained()

    def _now(self) -> Peer:
        if self.peer is None:
            raise self._error or ConnectionClosed()
        return self.peer

    async def _present(self, timeout: float) -> Peer:
        if self._reconnect:
            try:
                async with asyncio.timeout(timeout):
                    while self.peer is None and not self._task.done():
                        self._changed.clear()
                        await self._changed.wait()
            except TimeoutError:
                pass  # `_now` says why the last connection ended.
        return self._now()

    # --- life ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        attempt = 0
        try:
            while True:
                opened_at = loop.time()
                try:
                    await self._connect_once()
                except (OSError, TimeoutError) as error:
                    logger.info("cannot connect to %s: %s", self._address.url, error)
                    if not self._first.done():
                        self._first.set_exception(error)
                        return
                if not self._reconnect or self._closing or self._is_refused():
                    return
                attempt = 0 if loop.time() - opened_at >= HEALTHY_SECONDS else attempt + 1
                await asyncio.sleep(random.random() * min(FIRST_CEILING * 2**attempt, LAST_CEILING))
        finally:
            self._changed.set()

    async def _connect_once(self) -> None:
        """Open a connection and hold it until it is over."""
        async with asyncio.timeout(self._timeout):
            transport = await self._dial()
        scope: dict[str, Any] = {"type": "gotalk", "scheme": self._address.scheme, "headers": []}
        peer = Peer(self._handlers, transport, self._limits, scope=scope)

        def opened() -> None:
            self.peer = peer
            self._changed.set()
            if not self._first.done():
                self._first.set_result(None)

        try:
            await transport.run(peer, self._limits, opened)
        finally:
            self.peer = None
            self._error = peer.closed_error()

    async def _dial(self) -> "SocketTransport | WebSocketTransport":
        address = self._address
        loop = asyncio.get_running_loop()
        if address.scheme in ("ws", "wss"):
            # Not on top: a program that uses no WebSocket does not need the library.
            from rpc.transports.websocket_client import open_websocket

            return await open_websocket(address, self._headers, self._ssl, self._limits)
        if address.scheme == "unix":
            _, transport = await loop.create_unix_connection(SocketTransport, address.path)
        else:
            context = (self._ssl or tls.create_default_context()) if address.scheme == "tls" else None
            _, transport = await loop.create_connection(SocketTransport, address.host, address.port, ssl=context)
        return transport

    def _is_refused(self) -> bool:
        """Whether the remote would refuse this client again."""
        return self._error is not None and self._error.code in REFUSALS


async def connect(
    url: str,
    *,
    handlers: Handlers | None = None,
    limits: Limits | None = None,
    ssl: tls.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = CONNECT_TIMEOUT,
    reconnect: bool = False,
) -> Client:
    """
    Connect to a gotalk server; use the result with `async with`.

    Args:
        url: `tcp://host:port`, `tls://host:port`, `unix:///path`, `ws://…` or `wss://…`.
        handlers: what the remote may ask for; nothing without them.
        limits: what the remote may use.
        ssl: for tls and wss; by default certificates are checked against the system's.
        headers: more HTTP headers, for ws and wss.
        timeout: seconds to connect.
        reconnect: open the connection again whenever it is lost, after a random wait that grows, unless the
            remote refused it.

    Raises:
        ValueError: the URL is not an address.
        OSError, TimeoutError: there is no connection.
    """
    client = Client(
        Address.parse(url),
        Handlers() if handlers is None else handlers,
        Limits() if limits is None else limits,
        ssl,
        headers or {},
        timeout,
        reconnect,
    )
    try:
        await client.connected()
    except BaseException:
        await client.close()
        raise
    return client
