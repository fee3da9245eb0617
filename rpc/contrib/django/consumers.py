"""The door for WebSockets: a Channels consumer around a `Peer`."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from channels.consumer import AsyncConsumer

from rpc.close_codes import CloseCode
from rpc.contrib.django.conf import run_in_database_thread, site_limits
from rpc.limits import Limits
from rpc.peer.handlers import Handlers, default_handlers
from rpc.peer.peer import Peer
from rpc.transports.websocket_server import AsgiSend, accept_event, websocket_transport

FAILURES = frozenset((CloseCode.PROTOCOL_ERROR, CloseCode.NOT_UTF8, CloseCode.TOO_BIG))
"""A client whose frames are at fault has not closed: it waits for the answers to what it asked before."""


class GotalkConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """
    gotalk on a WebSocket: `GotalkConsumer.as_asgi()`, or `as_asgi(handlers=…, limits=…)`.

    Unlike Channels' own dispatch it makes no thread hop and no task for a message, and a slow request does
    not hold the next message: the peer runs it beside.
    """

    handlers: Handlers = default_handlers
    limits: Limits | None = None
    """None: the defaults, without rates where the setting RATE_LIMITS is off."""
    subprotocols: Collection[str] = ("gotalk",)
    """The names of what it speaks, of which a client may ask for one."""

    peer: Peer

    def __init__(self, handlers: Handlers | None = None, limits: Limits | None = None) -> None:
        if handlers is not None:
            self.handlers = handlers
        if limits is not None:
            self.limits = limits

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: AsgiSend) -> None:
        self.scope, self.base_send = scope, send
        await self.websocket_connect(await receive())
        peer = Peer(
            self.handlers,
            websocket_transport(scope, send),
            site_limits() if self.limits is None else self.limits,
            scope=scope,
            run_blocking=run_in_database_thread,
        )
        async with peer as self.peer:
            await peer.open()
            while (event := await receive())["type"] == "websocket.receive":
                await self.websocket_receive(event)
            code = event.get("code", CloseCode.ABNORMAL)
            if code in FAILURES:
                await peer.finish(peer.limits.close_timeout)
            peer.lost(code, event.get("reason", ""))
            await peer.hear_out()
            await self.websocket_disconnect(event)

    async def websocket_connect(self, event: Mapping[str, Any]) -> None:
        """Accept at once: a browser learns the reason of a refusal only from an open socket's close code."""
        await self.send(accept_event(self.scope, self.subprotocols))

    async def websocket_receive(self, event: Mapping[str, Any]) -> None:
        data = event.get("bytes")
        self.peer.receive(event["text"] if data is None else data)

    async def websocket_disconnect(self, event: Mapping[str, Any]) -> None:
        """Nothing to do: the peer ends, with its `closed` hooks, when `__call__` leaves its block."""
