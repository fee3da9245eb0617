"""A WebSocket of the `websockets` library as a client's transport."""

import ssl as tls
from collections.abc import Callable, Mapping
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from rpc.close_codes import CloseCode
from rpc.limits import Limits
from rpc.peer.peer import Peer
from rpc.protocol.frames import MAX_JOINED_BYTES
from rpc.protocol.session import Chunk
from rpc.transports.outbox import OutboxTransport

MAX_CHUNKS_QUEUED = 16
"""WebSocket messages that wait while reading is held; then the library leaves the socket unread."""


class WebSocketTransport(OutboxTransport):
    """Run it with a peer."""

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
    url: str, headers: Mapping[str, str], ssl: tls.SSLContext | None, limits: Limits
) -> WebSocketTransport:
    """
    Raises:
        OSError: there is no connection, or no WebSocket server.
    """
    try:
        websocket = await connect(
            url,
            additional_headers=headers,
            ssl=ssl if url.startswith("wss:") else None,
            compression=None,
            open_timeout=None,
            close_timeout=limits.close_timeout,
            max_size=max(limits.max_payload_bytes, MAX_JOINED_BYTES) * 2,
            max_queue=MAX_CHUNKS_QUEUED,
        )
    except (InvalidHandshake, InvalidURI) as error:
        raise ConnectionError(f"{url}: {error}") from None
    return WebSocketTransport(websocket)
