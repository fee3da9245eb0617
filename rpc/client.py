"""
A gotalk client: one connection, or one that is opened again whenever it is lost.

On each connection the token is shown first, then `on_connect` runs. Only then may the application use it.
"""

import asyncio
import logging
import random
import re
import ssl as tls
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rpc.addresses import Address
from rpc.close_codes import CloseCode
from rpc.errors import ConnectionClosed, Refused, RequestFailed, RpcError
from rpc.failures import log_failure
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

LOGIN = "login"
"""The operation to which a token goes, as a JSON string, where no header can carry it: docs/protocol.md."""
FAILURES_OF_THE_SERVER = frozenset(("internal", "timeout"))
"""Codes of an error that says nothing about what was asked."""
TOKEN = re.compile(r"[!-~]+")
"""What a header can carry, without spaces. RFC 6750 (section 2.1) allows less."""

OnConnect = Callable[[Peer], Awaitable[object]]

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
    Made by `connect`. It makes calls as `Peer` does.
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
        token: str | None,
        on_connect: OnConnect | None,
    ) -> None:
        self._peer: Peer | None = None
        self._address = address
        self._handlers = handlers
        self._limits = limits
        self._ssl = ssl
        self._headers = headers
        self._timeout = timeout
        self._reconnect = reconnect
        self._token = token
        """For `LOGIN`; None where a header carries it."""
        self._on_connect = on_connect
        self._closing = False
        self._changed = asyncio.Event()
        """The connection may be used, or there will be none."""
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
        Wait until the first connection may be used.

        Raises:
            OSError, TimeoutError, ConnectionClosed: there is none, and whatever `on_connect` raises.
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
    def peer(self) -> Peer | None:
        """The present connection, if it may be used."""
        return None if self._peer is None or self._peer.is_over else self._peer

    @property
    def features(self) -> frozenset[str]:
        """What the remote announced of the features we know."""
        return frozenset() if self.peer is None else self.peer.features

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
        if self._peer is None:
            raise self._error or ConnectionClosed()
        if self._peer.is_over:
            raise self._peer.closed_error()
        return self._peer

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
                except Exception as error:
                    if not self._first.done():
                        self._first.set_exception(error)
                        return
                    self._note(error)
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
        opened = asyncio.Event()
        preparing = asyncio.create_task(self._prepare(peer, opened), name=f"login at {self._address.url}")
        try:
            await transport.run(peer, self._limits, opened.set)
        finally:
            self._peer = None
            self._error = peer.closed_error()
            preparing.cancel()
            await asyncio.gather(preparing, return_exceptions=True)
        if preparing.cancelled():
            raise self._error
        preparing.result()

    async def _prepare(self, peer: Peer, opened: asyncio.Event) -> None:
        """
        Do what comes first on a connection, then let the application use it.

        Raises:
            ConnectionClosed, TimeoutError: the token was refused, the connection ended, or it took too long; and
                whatever `on_connect` raises. The connection is closed then.
        """
        await opened.wait()
        try:
            if self._token is not None:
                await _log_in(peer, self._token)
            if self._on_connect is not None:
                async with asyncio.timeout(self._limits.request_timeout):
                    await self._on_connect(peer)
        except Refused as refusal:
            peer.close(refusal.close_code, refusal.text)
            raise peer.closed_error() from None
        except Exception:
            peer.close(CloseCode.NORMAL)
            raise
        self._peer = peer
        self._changed.set()
        if not self._first.done():
            self._first.set_result(None)

    def _note(self, error: Exception) -> None:
        """There is no connection, once more."""
        if isinstance(error, PermissionError) and error.errno is None:
            # It was the server that said no, and not the system, as behind a firewall.
            self._error = ConnectionClosed(CloseCode.NOT_ALLOWED, str(error))
        if isinstance(error, OSError | TimeoutError | RpcError):
            logger.info("cannot connect to %s: %s", self._address.url, str(error) or "timed out")
        else:
            log_failure(f"a client of {self._address.url}", error)

    async def _dial(self) -> "SocketTransport | WebSocketTransport":
        address = self._address
        loop = asyncio.get_running_loop()
        if address.is_websocket:
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


async def _log_in(peer: Peer, token: str) -> None:
    """
    Raises:
        Refused: the remote does not take the token.
        RpcError: it does not know yet.
    """
    try:
        await peer.request(LOGIN, token)
    except RequestFailed as failure:
        if failure.code in FAILURES_OF_THE_SERVER:
            raise
        raise Refused(CloseCode.LOG_IN, failure.text) from None


async def connect(
    url: str,
    *,
    handlers: Handlers | None = None,
    limits: Limits | None = None,
    ssl: tls.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = CONNECT_TIMEOUT,
    reconnect: bool = False,
    token: str | None = None,
    on_connect: OnConnect | None = None,
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
        token: who this is. For ws and wss it goes in the header `Authorization: Bearer`, else to the operation
            `login`, first of all on each connection. A client whose token is refused does not try again.
        on_connect: awaited with the peer of each new connection, behind the login and before every request of the
            client. Within the limit `request_timeout` it may ask for what belongs to a connection, and for what
            was missed; it may raise `Refused`. If it raises, the connection is closed.

    Raises:
        ValueError: the URL is not an address, or the token cannot be one or stands beside a header like it.
        OSError, TimeoutError: there is no connection.
        ConnectionClosed: it ended before it could be used, such as when the token was refused.
        Exception: what `on_connect` raises.
    """
    address, more = Address.parse(url), dict(headers or {})
    if token is not None:
        if TOKEN.fullmatch(token) is None:
            raise ValueError("a token has only visible ASCII characters")
        if "authorization" in map(str.lower, more):
            raise ValueError("either a token or a header Authorization")
        if address.is_websocket:
            more["Authorization"] = f"Bearer {token}"
            token = None
    client = Client(
        address,
        Handlers() if handlers is None else handlers,
        Limits() if limits is None else limits,
        ssl,
        more,
        timeout,
        reconnect,
        token,
        on_connect,
    )
    try:
        await client.connected()
    except BaseException:
        await client.close()
        raise
    return client
