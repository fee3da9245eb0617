"""The door that sends everything back, for trying out a client, a proxy or a network. Nobody needs to log in."""

import asyncio
from collections.abc import Mapping
from typing import Any

from channels.consumer import AsyncConsumer

from chat.doors.query import number_of, query_of
from chat.doors.socket import DoorSocket, Receive
from chat.realtime.clients import Wire
from rpc import CloseCode
from rpc.transports.websocket_server import AsgiSend

HEARTBEAT = "heartbeat from server"
MAX_HEARTBEAT_SECONDS = 300


class EchoDoor(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """Text comes back as text, binary as binary; `?heartbeat=2` also sends `HEARTBEAT` every two seconds."""

    max_frame_bytes = 1024 * 1024

    def __init__(self, max_frame_bytes: int | None = None) -> None:
        if max_frame_bytes is not None:
            self.max_frame_bytes = max_frame_bytes

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        async with DoorSocket(scope, receive, send, door="echo", wire=Wire()) as socket:
            seconds = number_of(query_of(scope), "heartbeat", 1, MAX_HEARTBEAT_SECONDS)
            if seconds is not None:
                socket.spawn(_beat(socket, seconds))
            async for message in socket:
                if len(message if isinstance(message, bytes) else message.encode()) > self.max_frame_bytes:
                    socket.close(CloseCode.TOO_BIG, f"a frame has at most {self.max_frame_bytes} bytes")
                elif isinstance(message, bytes):
                    socket.send_bytes(message)
                else:
                    socket.send_text(message)


async def _beat(socket: DoorSocket, seconds: int) -> None:
    while True:
        await asyncio.sleep(seconds)
        socket.send_text(HEARTBEAT)
