"""The Go package 1.3.7, as a peer over TCP, and as a server over TCP and WebSocket."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.peers.stock.common import DEADLINE, Failed, PeerBroken

SHORTEST_READ = 13
"""Bytes that are awaited before the type of a message is looked at."""

READ_TIMEOUT = 30.0
MIN_WAIT_MS, MAX_WAIT_MS = 250, 12_500
"""This peer repeats for ever, and at once if it is told 0: a server has to keep within these."""

OVER = b"", 0, b""

Handler = Callable[[bytes], bytes]
Parts = asyncio.Queue[bytes | None]
"""What a handler of a stream reads: the first part as it came, perhaps empty, then the others; None is the end."""
StreamHandler = Callable[[Parts, Callable[[bytes], Awaitable[None]]], Awaitable[None]]
"""Reads parts and writes those of the result, of which an empty one is the end."""


class Pending:
    """A request without its whole answer."""

    def __init__(self, id: bytes) -> None:
        self.id = id
        self.answers: asyncio.Queue[tuple[bytes, int, bytes]] = asyncio.Queue()
        """Type, wait and payload of each message of the answer."""

    async def next(self) -> tuple[bytes, int, bytes]:
        """
        Raises:
            ConnectionError: the connection ended first.
        """
        async with asyncio.timeout(DEADLINE):
            answer = await self.answers.get()
        if answer is OVER:
            raise ConnectionError
        return answer

    async def parts(self) -> AsyncIterator[bytes]:
        """
        The answer in the parts in which it came; a single one is one part.

        Raises:
            Failed: `E` came.
        """
        while True:
            kind, _, payload = await self.next()
            if kind == b"E":
                raise Failed(payload.decode())
            if kind == b"R":
                yield payload
                return
            assert kind == b"S", kind
            if not payload:
                return
            yield payload


class GoPeer:
    """
    Enter it to connect; leaving it closes, and raises `PeerBroken` if the server sent what Go cannot take.

    Args:
        url: tcp://host:port; empty for the peer of a server, which adopts its connection.
        handlers: what it answers, by operation.
        streams: what it answers in parts, to requests in parts; it has no others.
        read_timeout: seconds of silence after which it drops the server.
        heartbeat_interval: seconds between its heartbeats; None, as of the peers of a server: it sends none.
        little_endian: how its ids count; both are seen, as Go writes an integer of the machine.
        pieces: cut all it writes into so many bytes; None writes header and payload, as Go does.
    """

    def __init__(
        self,
        url: str,
        handlers: Mapping[str, Handler] | None = None,
        *,
        streams: Mapping[str, StreamHandler] | None = None,
        read_timeout: float = READ_TIMEOUT,
        heartbeat_interval: float | None = None,
        little_endian: bool = False,
        pieces: int | None = None,
    ) -> None:
        self._address = url.removeprefix("tcp://").split(":")
        self._is_served = bool(url)
        self._handlers = dict(handlers or {})
        self._streams = dict(streams or {})
        self._read_timeout = read_timeout
        self._heartbeat_interval = heartbeat_interval
        self._reading_until: asyncio.Timeout | None = None
        self._writes_until: float | None = None
        """When it shuts down, by the loop's clock; after that nothing is written."""
        self._byteorder: Literal["little", "big"] = "little" if little_endian else "big"
        self._pieces = pieces
        self._numbers = itertools.count(1)
        self._waiting: dict[bytes, Pending] = {}
        self._stream_ids: set[bytes] = set()
        """Never freed: the second stream request of an id is a panic."""
        self._arriving: dict[bytes, Parts] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Condition()
        self._writing = asyncio.Lock()
        self._over = False
        self.notifications: list[tuple[str, bytes]] = []
        self.heartbeats = 0
        """When each came, on the monotonic clock."""
        self.waits: list[int] = []
        """Every wait that an `e` told, in milliseconds."""
        self.fault: int | None = None
        """The code of `f`, once it came and was seen."""

    async def __aenter__(self) -> Self:
        await self.adopt(*await asyncio.open_connection(*self._address))
        return self

    async def adopt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take over an open connection, instead of entering; leaving closes it all the same."""
        self._reader, self._writer = reader, writer
        self._reading = asyncio.create_task(self._read())
        await self._write(b"01")
        if self._heartbeat_interval is not None:
            self._serving.add(asyncio.create_task(self._beat(self._heartbeat_interval)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.transport.abort()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        try:
            await self._reading
        except PeerBroken:
            raise
        except ConnectionError:
            pass  # Our own abort, or the server's.

    # --- what it asks --------------------------------------------------------------------------------------

    async def request(self, operation: str, payload: bytes = b"") -> bytes:
        """
        Ask, and again whenever told so, for ever.

        Raises:
            Failed: answered by `E`.
        """
        while True:
            pending = await self.ask(operation, payload)
            kind, wait, answer = await pending.next()
            if kind == b"R":
                return answer
            if kind == b"E":
                raise Failed(answer.decode())
            if kind == b"S":
                return answer + b"".join([part async for part in pending.parts()]) if answer else b""
            await asyncio.sleep(wait / 1000)

    async def ask(self, operation: str, payload: bytes = b"", *, kind: bytes = b"r") -> Pending:
        """Send a request, or with `kind` s the first part of one; its answer is still to be read."""
        pending = Pending(next(self._numbers).to_bytes(4, self._byteorder))
        self._waiting[pending.id] = pending
        name = operation.encode()
        await self._write(b"%b%b%03x%b%08x" % (kind, pending.id, len(name), name, len(payload)), payload)
        return pending

    async def part(self, pending: Pending, payload: bytes) -> None:
        """Send one more part of a stream request; the empty one is the end."""
        await self._write(b"p%b%08x" % (pending.id, len(payload)), payload)

    async def notify(self, name: str, payload: bytes = b"") -> None:
        await self._write(b"n%03x%b%08x" % (len(name.encode()), name.encode(), len(payload)), payload)

    async def say(self, *written: bytes) -> None:
        """Write literal bytes."""
        await self._write(*written)

    def half_close(self) -> None:
        """Nothing more will be written; the answers are still read."""
        self._writer.write_eof()

    async def shut_down(self, timeout: float) -> None:
        """
        Wait until it is out: the read that is under way gets `timeout` seconds, and so does all that is written.
        But each message that still comes begins a read with the time of any other, for as long as messages come.
        """
        assert self._reading_until is not None
        self._writes_until = asyncio.get_running_loop().time() + timeout
        self._reading_until.reschedule(self._writes_until)
        await self.ended()

    def stop_reading(self) -> None:
        """As a program that is busy; what it writes still leaves."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def read_on(self) -> None:
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]

    # --- what it hears -------------------------------------------------------------------------------------

    async def hear(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` is true; it is asked again after every message."""
        async with self._heard, asyncio.timeout(DEADLINE):
            await self._heard.wait_for(lambda: condition() or self._over)
        assert condition()

    def values(self, name: str) -> list[bytes]:
        """The payloads of all notifications of a name so far."""
        return [payload for each, payload in self.notifications if each == name]

    async def ended(self) -> None:
        """Wait until the server has closed: the end of the stream, not a reset."""
        async with asyncio.timeout(DEADLINE):
            await asyncio.shield(self._reading)

    # --- the wire ------------------------------------------------------------------------------------------

    async def _beat(self, interval: float) -> None:
        with suppress(ConnectionError):
            while True:
                await self._write(b"h00005fc3b2a0")
                await asyncio.sleep(interval)

    async def _write(self, *buffers: bytes) -> None:
        if self._writes_until is not None and asyncio.get_running_loop().time() >= self._writes_until:
            raise ConnectionError("shut down")
        if self._pieces is not None:
            joined = b"".join(buffers)
            buffers = tuple(joined[at : at + self._pieces] for at in range(0, len(joined), self._pieces))
        async with self._writing:
            for buffer in filter(None, buffers):
                self._writer.write(buffer)
                await self._writer.drain()
                if self._pieces is not None:
                    # A turn of the loop for a server in the same one, so that it reads this piece alone.
                    await asyncio.sleep(0)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._read_timeout):
                if await self._reader.readexactly(2) != b"01":
                    raise PeerBroken("another version")
            while await self._read_message():
                async with self._heard:
                    self._heard.notify_all()
        except TimeoutError:
            if self._writes_until is not None:
                return
            self._writer.write(b"f00000003")
            raise PeerBroken(f"silent for {self._read_timeout:g} s") from None
        except ConnectionError:
            if self._writes_until is None:
                raise
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise PeerBroken(f"the end within a message: {error.partial!r}") from None
        finally:
            self._writer.transport.abort()
            self._over = True
            for pending in self._waiting.values():
                pending.answers.put_nowait(OVER)
            async with self._heard:
                self._heard.notify_all()

    async def _read_message(self) -> bool:
        """Returns whether more may follow."""
        try:
            async with asyncio.timeout(self._read_timeout) as self._reading_until:
                head = await self._reader.readexactly(SHORTEST_READ)
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return False
            if len(error.partial) == 9 and error.partial[:1] == b"f":
                self.fault = _number(error.partial[1:])
                return False
            raise
        kind = head[:1]
        if kind == b"f":
            raise PeerBroken(f"`f` swallowed what follows it: {head!r}")
        if kind == b"h":
            _number(head[1:5])
            _number(head[5:])
            self.heartbeats += 1
            return True
        id, name, wait = b"", "", 0
        if kind in b"rsn":
            at = 1 if kind == b"n" else 5
            id, size = head[1:at], _number(head[at : at + 3])
            if not size:
                raise PeerBroken(f"an empty name: {head!r}")
            head += await self._reader.readexactly(at + 3 + size + 8 - SHORTEST_READ)
            name = head[at + 3 : -8].decode()
        elif kind in b"pRSEe":
            id = head[1:5]
            if kind == b"e":
                wait = _number(head[5:])
                head += await self._reader.readexactly(8)
        else:
            raise PeerBroken(f"no message: {head!r}")
        payload = await self._reader.readexactly(_number(head[-8:]))
        if kind == b"p" and id not in self._arriving:
            return False  # It closes without a word.
        await self._take(kind, id, name, wait, payload)
        return True

    async def _take(self, kind: bytes, id: bytes, name: str, wait: int, payload: bytes) -> None:
        if kind == b"n":
            # Nothing tells a client of ours beforehand that it connects to a stock server.
            if name.startswith("$") and (self._is_served or name != "$hello"):
                raise PeerBroken(f"its handler for all names is told {name!r}")
            # None has a handler: kept for the test, never acted on.
            self.notifications.append((name, payload))
        elif kind == b"r":
            await self._answer(id, name, payload)
        elif kind == b"s":
            if id in self._stream_ids:
                raise PeerBroken(f"panic: a second stream request with the id {id!r}")
            await self._answer_in_parts(id, name, payload)
        elif kind == b"p":
            # Nothing else is read while a part waits to be taken.
            await self._arriving[id].put(payload or None)
        else:
            pending = self._waiting.get(id)
            if pending is None:
                raise PeerBroken(f"an answer to nothing: {id!r}")
            if kind == b"e":
                self.waits.append(wait)
                if not MIN_WAIT_MS <= wait <= MAX_WAIT_MS:
                    raise PeerBroken(f"told to wait {wait} ms")
            if kind != b"S" or not payload:
                del self._waiting[id]
            pending.answers.put_nowait((kind, wait, payload))

    async def _answer(self, id: bytes, name: str, payload: bytes) -> None:
        handler = self._handlers.get(name)
        if handler is None:
            kind, answer = b"E", f'unknown operation "{name}"'.encode()
        else:
            kind, answer = b"R", handler(payload)
        await self._write(b"%b%b%08x" % (kind, id, len(answer)), answer)

    async def _answer_in_parts(self, id: bytes, name: str, first: bytes) -> None:
        handler = self._streams.get(name)
        if handler is None:
            await self._answer(id, name, first)
            return
        self._stream_ids.add(id)
        parts: Parts = asyncio.Queue(maxsize=1)
        parts.put_nowait(first)
        self._arriving[id] = parts
        over = False

        async def write(part: bytes) -> None:
            nonlocal over
            over = over or not part
            await self._write(b"S%b%08x" % (id, len(part)), part)

        async def serve(handle: StreamHandler) -> None:
            try:
                await handle(parts, write)
            except Failed as failure:
                del self._arriving[id]
                text = failure.text.encode()
                await self._write(b"E%b%08x" % (id, len(text)), text)
            if not over:
                await write(b"")

        self._serving.add(asyncio.create_task(serve(handler)))


class GoServer:
    """
    A program that serves with the Go package, over TCP and over WebSocket. Enter it to listen; leaving it raises
    `PeerBroken` if a client sent what Go cannot take.

    Args:
        handlers, streams: as those of `GoPeer`.
    """

    def __init__(
        self, handlers: Mapping[str, Handler] | None = None, streams: Mapping[str, StreamHandler] | None = None
    ) -> None:
        self._answers = {"handlers": handlers, "streams": streams}
        self.accepted: asyncio.Queue[GoPeer] = asyncio.Queue()
        """Its end of each connection."""
        self._broken: PeerBroken | None = None

    async def __aenter__(self) -> Self:
        self._tcp = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._websockets: Server = await serve_websocket(
            self._relay, "127.0.0.1", 0, process_request=_check_origin, compression=None
        )
        port, websocket_port = (each.sockets[0].getsockname()[1] for each in (self._tcp, self._websockets))
        self.url = f"tcp://127.0.0.1:{port}"
        self.websocket_url = f"ws://127.0.0.1:{websocket_port}/gotalk/"
        self._address = "127.0.0.1", port
        return self

    async def __aexit__(self, *_: object) -> None:
        self._websockets.close()
        await self._websockets.wait_closed()
        self._tcp.close()
        await self._tcp.wait_closed()
        if self._broken is not None:
            raise self._broken

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = GoPeer("", **self._answers)  # type: ignore[arg-type]
        await peer.adopt(reader, writer)
        self.accepted.put_nowait(peer)
        try:
            with suppress(ConnectionError):
                await peer.ended()
            await peer.__aexit__(None, None, None)
        except PeerBroken as broken:
            self._broken = broken

    async def _relay(self, websocket: ServerConnection) -> None:
        """To it a WebSocket is a stream of bytes like any other."""
        reader, writer = await asyncio.open_connection(*self._address)

        async def send() -> None:
            while data := await reader.read(64 * 1024):
                await websocket.send(data)
            await websocket.close()

        sending = asyncio.create_task(send())
        with suppress(ConnectionClosed):
            async for message in websocket:
                writer.write(message.encode() if isinstance(message, str) else message)
        writer.transport.abort()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def _check_origin(connection: ServerConnection, request: Request) -> Response | None:
    """It wants an Origin that is a whole URL, whichever."""
    origin = urlsplit(request.headers.get("Origin", ""))
    if origin.scheme and origin.netloc:
        return None
    return connection.respond(HTTPStatus.FORBIDDEN, "")


def _number(digits: bytes) -> int:
    if not set(digits) <= set(b"0123456789abcdefABCDEF"):
        raise PeerBroken(f"no hex digits: {digits!r}")
    return int(digits, 16)
