"""
Stands between clients and a server of byte streams, passes their bytes on unchanged, and reports what they mean.

Nothing that goes by is changed, deferred or refused.
"""

import asyncio
import ssl as tls
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from rpc.addresses import Address
from rpc.cli.traffic import Reader, Seen, Sender
from rpc.transports.unix import SocketFile

CHUNK_BYTES = 64 * 1024
CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 5.0


class Relay:
    """Made by `Relay.listen`. `url` is where it listens, with the real port; leave its block to end it."""

    url: str

    def __init__(
        self, target: Address, seen: Callable[[int, Sender, Seen], None], ssl: tls.SSLContext | None
    ) -> None:
        self._target = target
        self._seen = seen
        self._ssl = ssl
        self._last_number = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._file: SocketFile | None = None

    @classmethod
    async def listen(
        cls,
        address: Address,
        target: Address,
        seen: Callable[[int, Sender, Seen], None],
        *,
        ssl: tls.SSLContext | None = None,
    ) -> Self:
        """
        Listen at `address` and connect each client on to `target`.

        Args:
            address: tcp or unix.
            target: tcp, tls or unix.
            seen: called with the number of the connection, the sender and what it sent, in order; never waits.
            ssl: for a tls target.

        Raises:
            ValueError: the scheme is not one of a byte stream, or cannot be listened on.
            OSError: the address cannot be listened on, such as EADDRINUSE.
        """
        if address.scheme not in ("tcp", "unix"):
            raise ValueError(f"a tap listens on tcp:// or unix://, not on {address.scheme}://")
        if target.scheme not in ("tcp", "tls", "unix"):
            raise ValueError(f"a tap reads byte streams (tcp, tls, unix), not {target.scheme}://")
        relay = cls(target, seen, ssl)
        await relay._listen(address)
        return relay

    async def _listen(self, address: Address) -> None:
        if address.scheme == "unix":
            self._file = SocketFile(address.path)
            self._file.make_way()
            self._server = await asyncio.start_unix_server(self._accept, address.path, limit=CHUNK_BYTES)
            self._file.made()
            self.url = address.url
            return
        self._server = await asyncio.start_server(self._accept, address.host, address.port, limit=CHUNK_BYTES)
        self.url = address.with_port(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        if self._file is not None:
            self._file.remove()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._last_number += 1
        task = asyncio.get_running_loop().create_task(self._relay(self._last_number, reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _relay(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._dial()
        except OSError as error:
            self._seen(number, "server", Seen(type="unreachable", reason=str(error) or "no answer"))
            await _close(writer)
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(number, "client", reader, far_writer))
                group.create_task(self._pass_on(number, "server", far_reader, writer))
        except* OSError:
            pass  # It was reported. What breaks off on one side does so on the other.
        finally:
            await _close(far_writer)
            await _close(writer)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        target = self._target
        async with asyncio.timeout(CONNECT_TIMEOUT):
            if target.scheme == "unix":
                return await asyncio.open_unix_connection(target.path, limit=CHUNK_BYTES)
            return await asyncio.open_connection(target.host, target.port, limit=CHUNK_BYTES, ssl=self._ssl)

    async def _pass_on(
        self, number: int, sender: Sender, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        meaning = Reader()
        try:
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                for seen in meaning.feed(data):
                    self._seen(number, sender, seen)
                await writer.drain()
        except OSError as error:
            self._seen(number, sender, Seen(type="end", reason=error.strerror or str(error)))
            raise
        for seen in meaning.end():
            self._seen(number, sender, seen)
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await writer.wait_closed()
        except TimeoutError:
            writer.transport.abort()
