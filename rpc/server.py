"""A gotalk server on byte streams: TCP, TLS, unix sockets."""

import asyncio
import logging
import ssl as tls
from types import TracebackType
from typing import Any, Self

from rpc.addresses import Address
from rpc.admission import Admission, NoRoom
from rpc.close_codes import CloseCode
from rpc.limits import Limits
from rpc.peer.handler import RunBlocking
from rpc.peer.handlers import Handlers, default_handlers
from rpc.peer.peer import Peer
from rpc.transports.tcp import SocketTransport
from rpc.transports.unix import SocketFile

logger = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that may wait to be accepted: all clients come back at once after a restart."""
ACCEPTS_AT_ONCE = 16
"""Connections that are accepted in one turn of the loop; asyncio would accept a whole backlog of them."""

_FULL = b"01f00000000"
"""What is sent to a connection for which there is no room: our version, and `f` 0."""


class Server:
    """Made by `serve`. `url` is where it listens, with the real port; leave its block or `close()` to end it."""

    url: str

    def __init__(
        self,
        address: Address,
        handlers: Handlers,
        limits: Limits,
        admission: Admission,
        run_blocking: RunBlocking,
    ) -> None:
        self._address = address
        self._handlers = handlers
        self._limits = limits
        self._admission = admission
        self._run_blocking = run_blocking
        self._connections: dict[asyncio.Task[None], Peer] = {}
        self._closing = False
        self._file: SocketFile | None = None
        """Of a unix socket."""

    async def listen(self, ssl: tls.SSLContext | None) -> None:
        """See `serve`."""
        loop = asyncio.get_running_loop()
        address = self._address

        def make() -> SocketTransport:
            return SocketTransport(self._accept)

        if address.scheme == "unix":
            self._file = SocketFile(address.path)
            self._file.make_way()
            self._server = await loop.create_unix_server(make, address.path, backlog=ACCEPTS_AT_ONCE)
            self._file.made()
            self.url = address.url
        else:
            timeouts: dict[str, Any] = {}
            if ssl is not None:
                timeouts["ssl_handshake_timeout"] = self._limits.handshake_timeout
                timeouts["ssl_shutdown_timeout"] = self._limits.close_timeout
            self._server = await loop.create_server(
                make, address.host, address.port, ssl=ssl, backlog=ACCEPTS_AT_ONCE, **timeouts
            )
            self.url = address.with_port(self._server.sockets[0].getsockname()[1])
        for listening in self._server.sockets:
            with listening.dup() as duplicate:
                duplicate.listen(BACKLOG)

    def __len__(self) -> int:
        """Number of connections."""
        return len(self._connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self, timeout: float = 5.0) -> None:
        """
        Stop listening, wait until running requests are answered, for at most `timeout` seconds, and close every
        connection; the remotes get as long again to close theirs. A second call does nothing.
        """
        if self._closing:
            return
        self._closing = True
        self._server.close()
        if self._file is not None:
            self._file.remove()
        connections = dict(self._connections)
        if connections:
            await asyncio.wait(
                [asyncio.ensure_future(self._finish(peer, timeout)) for peer in connections.values()]
            )
            _, unfinished = await asyncio.wait(connections, timeout=min(timeout, self._limits.close_timeout))
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    @staticmethod
    async def _finish(peer: Peer, timeout: float) -> None:
        await peer.finish(timeout)
        peer.close(CloseCode.RESTARTING, "restarting")

    def _accept(self, transport: SocketTransport) -> None:
        if self._closing:
            transport.refuse(_FULL)
            return
        client = transport.client
        try:
            transport.place = place = self._admission.enter("" if client is None else client[0])
        except NoRoom:
            transport.refuse(_FULL)
            return
        scope: dict[str, Any] = {"type": "gotalk", "scheme": self._address.scheme, "client": client, "headers": []}
        peer = Peer(self._handlers, transport, self._limits, scope=scope, run_blocking=self._run_blocking)
        task = asyncio.get_running_loop().create_task(transport.run(peer, self._limits))
        self._connections[task] = peer
        place.ends_by(lambda: peer.close(CloseCode.TOO_FAST, "too much of unfinished messages"))

        def ended(task: asyncio.Task[None]) -> None:
            del self._connections[task]
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("a connection failed", exc_info=error)

        task.add_done_callback(ended)


async def serve(
    url: str,
    handlers: Handlers = default_handlers,
    limits: Limits | None = None,
    *,
    ssl: tls.SSLContext | None = None,
    admission: Admission | None = None,
    run_blocking: RunBlocking = asyncio.to_thread,
) -> Server:
    """
    Listen for gotalk peers and serve them until the server is closed.

    Args:
        url: `tcp://host:port` (port 0: a free one), `tls://host:port` or `unix:///path`.
        handlers: what peers may ask for; its `opened` and `closed` hooks run for each connection.
        limits: what each peer may use.
        ssl: for tls, a context with a certificate.
        admission: counts the connections, together with other servers that it is given to; one for which there is
            no room is sent `f` 0 and closed.
        run_blocking: runs handlers that are plain functions.

    Raises:
        ValueError: the URL is not an address, or its scheme does not go with `ssl`.
        OSError: the address cannot be listened on, such as EADDRINUSE.
    """
    address = Address.parse(url)
    if address.scheme not in ("tcp", "tls", "unix"):
        raise ValueError(f"{address.scheme} is served by an HTTP server, not here: {url}")
    if (address.scheme == "tls") != (ssl is not None):
        raise ValueError("tls:// needs an ssl context with a certificate, and nothing else takes one")
    server = Server(
        address,
        handlers,
        Limits() if limits is None else limits,
        Admission() if admission is None else admission,
        run_blocking,
    )
    await server.listen(ssl)
    return server
