"""A gotalk peer for tests over a real WebSocket: small, and independent of the code under test."""

import asyncio
import itertools
import json
import re
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests.deadlines import DEADLINE


class Failed(Exception):
    """The server answered with an error: `code` and `text`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code


class Client:
    """
    Requests and notifications as a stock browser peer sends them: header and payload in two frames.

    Enter it to connect. `seen` holds every notification, as (name, value), in order of arrival.
    """

    def __init__(
        self, url: str, *, cookie: str | None = None, bearer: str | None = None, address: str | None = None
    ) -> None:
        self._url = url + "/gotalk/"
        # Cookies count with an Origin only.
        origin = re.sub(r"^ws(s?://[^/]+).*", r"http\1", url)
        self._options: dict[str, Any] = {
            "origin": origin,
            "additional_headers": {
                **({"Cookie": cookie} if cookie else {}),
                **({"Authorization": f"Bearer {bearer}"} if bearer else {}),
                # As a proxy does, for the client that called it.
                **({"X-Forwarded-For": address} if address else {}),
            },
        }
        self._ids = itertools.count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._arrived = asyncio.Condition()
        self.seen: list[tuple[str, Any]] = []

    async def __aenter__(self) -> "Client":
        hello = json.dumps({"agent": "test", "features": ["errors"]}).encode()
        try:
            self.socket: ClientConnection = await connect(self._url, max_size=None, **self._options)
            await self.socket.send(b"01")
            await self.socket.send(b"n006$hello%08x" % len(hello))
            await self.socket.send(hello)
        except (InvalidMessage, ConnectionClosed):
            # The server went away within the handshake.
            raise ConnectionError from None
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()
        await self._reader

    async def request(self, operation: str, params: Any = None) -> Any:
        """
        Raises:
            Failed: the server answered with an error.
            ConnectionError: the connection ended first.
        """
        id = f"{next(self._ids):04x}"
        payload = json.dumps(params).encode()
        name = operation.encode()
        future = self._waiting[id] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(b"r%b%03x%b%08x" % (id.encode(), len(name), name, len(payload)))
            await self.socket.send(payload)
        except ConnectionClosed:
            self._waiting.pop(id, None)
            future.cancel()
            raise ConnectionError from None
        return await asyncio.wait_for(future, DEADLINE)

    async def history(self, room: str) -> list[Any]:
        """All messages of a room, oldest first."""
        messages: list[Any] = []
        page = {"room": room, "limit": 200}
        while found := await self.request(
            "list-messages", {**page, "after_seq": messages[-1]["seq"] if messages else 0}
        ):
            messages += found
        return messages

    async def wait_for(self, condition: Any) -> Any:
        """Wait until `condition(seen)` is true; returns it."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: condition(self.seen)), DEADLINE)
        return condition(self.seen)

    def values(self, name: str) -> list[Any]:
        """The values of all notifications of a name so far."""
        return [value for seen, value in self.seen if seen == name]

    async def _read(self) -> None:
        try:
            assert await self.socket.recv(decode=False) == b"01"
            while True:
                header: bytes = await self.socket.recv(decode=False)
                kind = header[:1]
                if kind in b"hf":
                    continue
                payload = b"" if header[-8:] == b"00000000" else await self.socket.recv(decode=False)
                if kind == b"n":
                    async with self._arrived:
                        self.seen.append((header[4:-8].decode(), json.loads(payload)))
                        self._arrived.notify_all()
                else:
                    future = self._waiting.pop(header[1:5].decode(), None)
                    if future is None or future.done():
                        continue
                    value = json.loads(payload) if payload else None
                    if kind == b"R":
                        future.set_result(value)
                    else:
                        future.set_exception(Failed(value["code"], value["error"]))
        except (ConnectionClosed, AssertionError):
            pass
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError())
            self._waiting.clear()
