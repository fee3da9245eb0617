"""
Stands between clients and a server of byte streams, passes their bytes on as they are, and tells what they mean.

Nothing that goes by is changed, put off or refused, and no size that somebody declares costs memory: of a
payload the first `KEPT_BYTES` are kept.
"""

import asyncio
import ssl as tls
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

import msgspec

from rpc.addresses import Address
from rpc.errors import RemoteProtocolError
from rpc.protocol.codec import VERSION, Header, read_header
from rpc.transports.unix import SocketFile

CHUNK_BYTES = 64 * 1024
KEPT_BYTES = 64 * 1024
CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 5.0

Sender = Literal["client", "server"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that went by: a message, `version`, or what is none.

    type: `request`, `result` and so on; `malformed`, the bytes that are no message, `bytes`, those after them;
        `end`, the sender will send no more; `unreachable`, the server is not there.
    size: bytes of the payload, or of what is no message.
    payload: what there is of it, at most `KEPT_BYTES`.
    reason: what is wrong.
    """

    type: str
    id: bytes | None = None
    name: str | None = None
    size: int | None = None
    payload: bytes = b""
    retry_after_ms: int | None = None
    load: int | None = None
    sent_at: int | None = None
    code: int | None = None
    reason: str | None = None


class Reader:
    """One direction of a connection: give it bytes, cut anywhere, and it says what they mean."""

    def __init__(self) -> None:
        self._read: Callable[[bytes, int], tuple[int, Seen | None] | None] = self._read_version
        """Reads what begins at a place: returns where it ends and what it is, or None until there is more."""
        self._unread = b""
        self._header: Header | None = None
        self._missing = 0
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[Seen]:
        """Returns what became complete."""
        data = self._unread + data
        at = 0
        every: list[Seen] = []
        while at < len(data) and (read := self._read(data, at)) is not None:
            at, seen = read
            if seen is not None:
                every.append(seen)
        self._unread = data[at:]
        return every

    def end(self) -> list[Seen]:
        """Nothing more will come; returns what that means."""
        every: list[Seen] = []
        if self._header is not None:
            payload = bytes(self._kept)
            size = self._header.size - self._missing
            every.append(Seen(type="malformed", size=size, payload=payload, reason="ends within a payload"))
        elif self._unread:
            size = len(self._unread)
            every.append(Seen(type="malformed", size=size, payload=self._unread, reason="ends within a header"))
        return [*every, Seen(type="end")]

    def _read_version(self, data: bytes, at: int) -> tuple[int, Seen | None] | None:
        end = at + len(VERSION)
        if len(data) < end:
            return None
        if data[at:end] != VERSION:
            return self._lose(data, at, "no version")
        self._read = self._read_header
        return end, Seen(type="version", name=VERSION.decode())

    def _read_header(self, data: bytes, at: int) -> tuple[int, Seen | None] | None:
        try:
            header = read_header(data, at)
        except RemoteProtocolError as error:
            return self._lose(data, at, error.text)
        if header is None:
            return None
        if header.kind in b"hf" or not header.size:
            return header.end, _seen(header, b"")
        self._header, self._missing = header, header.size
        self._read = self._read_payload
        return header.end, None

    def _read_payload(self, data: bytes, at: int) -> tuple[int, Seen | None]:
        header = self._header
        assert header is not None
        end = min(at + self._missing, len(data))
        self._missing -= end - at
        self._kept += data[at : min(end, at + KEPT_BYTES - len(self._kept))]
        if self._missing:
            return end, None
        payload = bytes(self._kept)
        self._kept.clear()
        self._header = None
        self._read = self._read_header
        return end, _seen(header, payload)

    def _lose(self, data: bytes, at: int, reason: str) -> tuple[int, Seen]:
        """Where the next message begins cannot be known any more."""
        self._read = self._read_bytes
        return len(data), Seen(type="malformed", size=len(data) - at, payload=_kept(data, at), reason=reason)

    @staticmethod
    def _read_bytes(data: bytes, at: int) -> tuple[int, Seen]:
        return len(data), Seen(type="bytes", size=len(data) - at, payload=_kept(data, at))


def _kept(data: bytes, at: int) -> bytes:
    return data[at : at + KEPT_BYTES]


_TYPES = {
    b"r": "request",
    b"s": "stream-request",
    b"p": "stream-part",
    b"R": "result",
    b"S": "stream-result",
    b"E": "error",
    b"e": "retry",
    b"n": "notification",
}


def _seen(header: Header, payload: bytes) -> Seen:
    kind = bytes((header.kind,))
    if kind == b"h":
        return Seen(type="heartbeat", load=header.number, sent_at=header.size)
    if kind == b"f":
        return Seen(type="fault", code=header.number)
    return Seen(
        type=_TYPES[kind],
        id=header.id or None,
        name=header.name or None,
        size=header.size,
        payload=payload,
        retry_after_ms=header.number if kind == b"e" else None,
    )


class Tap:
    """Made by `tap`. `url` is where it listens, with the real port; leave its block to end it."""

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

    async def listen(self, address: Address) -> None:
        """See `tap`."""
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
            pass  # It was told; what breaks off on one side does so on the other.
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


async def tap(
    address: Address,
    target: Address,
    seen: Callable[[int, Sender, Seen], None],
    *,
    ssl: tls.SSLContext | None = None,
) -> Tap:
    """
    Listen at `address` and connect each client on to `target`.

    Args:
        address: tcp or unix.
        target: tcp, tls or unix.
        seen: called with the number of the connection, who sent it, and what it is, in order; never waits.
        ssl: for a tls target.

    Raises:
        ValueError: a scheme that is no byte stream, or that cannot be listened on.
        OSError: it cannot be listened on, such as EADDRINUSE.
    """
    if address.scheme not in ("tcp", "unix"):
        raise ValueError(f"a tap listens on tcp:// or unix://, not on {address.scheme}://")
    if target.scheme not in ("tcp", "tls", "unix"):
        raise ValueError(f"a tap reads byte streams (tcp, tls, unix), not {target.scheme}://")
    made = Tap(target, seen, ssl)
    await made.listen(address)
    return made


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await writer.wait_closed()
        except TimeoutError:
            writer.transport.abort()
