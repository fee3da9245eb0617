"""A WebSocket of the `websockets` library as a client's transport."""

import ssl as tls
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Origin

from rpc.addresses import Address
from rpc.close_codes import CloseCode
from rpc.limits import Limits
from rpc.peer.peer import Peer
from rpc.protocol.frames import MAX_JOINED_BYTES
from rpc.protocol.session import Chunk
from rpc.transports.outbox import OutboxTransport

MAX_CHUNKS_QUEUED = 16
"""WebSocket messages that wait while reading is held; then the library leaves the socket unread."""


REFUSALS = frozenset((HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN))
"""Who asks again with the same header is answered the same (RFC 9110, sections 15.5.2 and 15.5.4)."""


class WebSocketTransport(OutboxTransport):
    """Run it with a peer."""

    connects = True
    __slots__ = ("_websocket",)

    def __init__(self, websocket: Connection) -> None:
        super().__init__()
        self._websocket = websocket

    async def run(self, peer: Peer, limits: Limits, opened: Callable[[], None] = lambda: None) -> None:
        """Hold the peer open until the connection is over; `opened` is called once it can be used."""
        websocket = self._websocket
        try:
            async with peer:
                await peer.open()
                opened()
                with suppress(ConnectionClosed):
                    await peer.read(websocket)
                peer.lost(websocket.close_code or CloseCode.ABNORMAL, websocket.close_reason or "")
                await peer.hear_out()
        finally:
            await websocket.close()

    async def deliver(self, chunk: Chunk) -> None:
        await self._websocket.send(chunk)

    async def deliver_close(self, code: int, text: str) -> None:
        await self._websocket.close(code, text)

    def abort(self) -> None:
        super().abort()
        self._websocket.transport.abort()


async def open_websocket(
    address: Address, headers: Mapping[str, str], ssl: tls.SSLContext | None, limits: Limits
) -> WebSocketTransport:
    """
    Args:
        headers: beside those of the handshake. An `Origin` among them replaces that of the address; an empty one is
            not sent.

    Raises:
        OSError: there is no connection, or no WebSocket server; `PermissionError` if it does not let us in.
    """
    more = Headers(headers)
    # A program need not send one (RFC 6455, section 4.1), but servers of the public Go package refuse without.
    origin = more.pop("Origin", address.origin)
    try:
        websocket = await connect(
            address.url,
            origin=Origin(origin) if origin else None,
            additional_headers=more,
            ssl=ssl if address.scheme == "wss" else None,
            compression=None,
            open_timeout=None,
            close_timeout=limits.close_timeout,
            max_size=max(limits.max_payload_bytes, MAX_JOINED_BYTES) * 2,
            max_queue=MAX_CHUNKS_QUEUED,
        )
    except (InvalidHandshake, InvalidURI) as error:
        if isinstance(error, InvalidStatus) and error.response.status_code in REFUSALS:
            raise PermissionError(f"{address.url}: {error}") from None
        raise ConnectionError(f"{address.url}: {error}") from None
    return WebSocketTransport(websocket)
