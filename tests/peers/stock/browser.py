"""gotalk.js 1.2.1 in a page, as a peer over WebSocket."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.peers.stock.common import DEADLINE, Failed, PeerBroken

HEARTBEAT_INTERVAL = 20.0
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"

HEADER = re.compile(
    rb"""
    (?P<named>[rsn]) (?P<named_id>(?<=n)|.{4}) (?P<name_size>[0-9a-f]{3}) (?P<name>.*) (?P<named_size>[0-9a-f]{8})
    | (?P<answer>[pRSE]) (?P<answer_id>.{4}) (?P<answer_size>[0-9a-f]{8})
    | (?P<retry>e) .{4} [0-9a-f]{8} (?P<retry_size>[0-9a-f]{8})
    | (?P<heartbeat>h) [0-9a-f]{12}
    | (?P<fault>f) (?P<code>[0-9a-f]{8})
    """,
    re.VERBOSE | re.DOTALL,
)
"""A received WebSocket message that is a header has to be one from its first byte to its last."""

Handler = Callable[[Any], Any]
Said = bytes | str


class StreamRequest:
    """A request in parts, made by `BrowserPeer.stream_request`: nothing is sent before its first `write`."""

    def __init__(self, peer: "BrowserPeer", operation: str, id: str) -> None:
        self._peer = peer
        self._operation = operation
        self._id = id
        self._started = self._ended = False
        self._answer: asyncio.Queue[Said | Exception | None] = asyncio.Queue()

    async def write(self, part: Said) -> None:
        """Send a part. The empty one is the last that it sends, also if it is the first."""
        if self._ended:
            return
        self._ended = not part
        await self._peer.send_part(self._id, None if self._started else self._operation, part)
        self._started = True

    async def end(self) -> None:
        await self.write("")

    def take(self, event: Said | Exception | None) -> None:
        """A part of the answer came; None is its end, an error too."""
        self._answer.put_nowait(event)

    async def read(self) -> list[str]:
        """
        The parts of the answer, once its end has come.

        Raises:
            Failed: answered by `E`.
        """
        parts = []
        async with asyncio.timeout(DEADLINE):
            while (event := await self._answer.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                parts.append(event if isinstance(event, str) else event.decode())
        return parts


class BrowserPeer:
    """
    Enter it to connect; leaving it closes, and raises `PeerBroken` if the server sent what gotalk.js cannot take.

    Args:
        url: http://host:port of the page.
        path: where gotalk is.
        text: text mode: headers are text messages too, and sizes are counted in UTF-16 units.
        handlers: what it answers, by operation, from and to JSON values.
        cookie: the page's.
    """

    def __init__(
        self,
        url: str,
        path: str = "/gotalk/",
        *,
        text: bool = False,
        handlers: Mapping[str, Handler] | None = None,
        cookie: str | None = None,
    ) -> None:
        self._url = url.replace("http:", "ws:") + path
        self._options: dict[str, Any] = {"origin": url, "max_size": None}
        if cookie is not None:
            self._options["additional_headers"] = {"Cookie": cookie}
        self._text = text
        self._handlers = dict(handlers or {})
        self._queued: dict[str, tuple[str, Said, asyncio.Future[Said]]] = {}
        """Requests without an answer, by id: operation, payload and who waits."""
        self._streams: dict[str, StreamRequest] = {}
        """Those in parts whose answer has not ended."""
        self._broken: PeerBroken | None = None
        self._heard = asyncio.Condition()
        self._sending = asyncio.Lock()
        self.notifications: list[tuple[str, Any]] = []
        """Name and JSON value of each, in order of arrival."""
        self.heartbeats = 0
        self.received: list[Said] = []
        """Every WebSocket message of this connection."""
        self.answers: list[tuple[Said, Said]] = []
        """Header and payload of every answer, over all connections."""
        self.fault: int | None = None
        """The code of `f`, if one came."""

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()
        await self._reading
        if self._broken is not None:
            raise self._broken

    async def reconnect(self) -> None:
        """Connect again after the end; what was queued is sent again, with ids from 0."""
        await self._reading
        resent = list(self._queued.values())
        self._queued.clear()
        await self._connect()
        for operation, payload, answered in resent:
            await self._send_request(operation, payload, answered)

    def lose_connection(self) -> None:
        """As when a laptop leaves its network, but that the server learns of it."""
        self.socket.transport.abort()

    async def _connect(self) -> None:
        self.socket: ClientConnection = await connect(self._url, **self._options)
        self._ids = itertools.count()
        self._stream_ids = itertools.count()
        self.received.clear()
        self._reading = asyncio.create_task(self._read())
        await self._send("01")

    # --- what it asks --------------------------------------------------------------------------------------

    async def request(self, operation: str, params: Any = None) -> Any:
        """
        Ask with JSON, which leaves as a text message in either mode.

        Raises:
            Failed: answered by `E`.
            ConnectionError: the connection ended first.
        """
        answer = await self._answer_to(await self.ask(operation, _json(params)))
        return json.loads(answer) if answer else None

    async def request_buffer(self, operation: str, payload: Said = b"") -> Said:
        """The same with a payload as it is; a string leaves as a text message, a buffer as a binary one."""
        return await self._answer_to(await self.ask(operation, payload))

    async def ask(self, operation: str, payload: Said = b"") -> asyncio.Future[Said]:
        """Send a request; its answer, or why there is none, is still to come."""
        answered: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        await self._send_request(operation, payload, answered)
        return answered

    @staticmethod
    async def _answer_to(answered: asyncio.Future[Said]) -> Said:
        async with asyncio.timeout(DEADLINE):
            return await answered

    async def _send_request(self, operation: str, payload: Said, answered: asyncio.Future[Said]) -> None:
        id = _id(next(self._ids))
        self._queued[id] = operation, payload, answered
        try:
            await self._send(f"r{id}{self._size(operation):03x}{operation}{self._size(payload):08x}", payload)
        except ConnectionError as error:
            if not answered.done():
                answered.set_exception(error)

    def stream_request(self, operation: str) -> StreamRequest:
        """A request in parts; its ids count apart from those of the others."""
        id = "!" + _id(next(self._stream_ids))[1:]
        self._streams[id] = stream = StreamRequest(self, operation, id)
        return stream

    async def send_part(self, id: str, operation: str | None, part: Said) -> None:
        """Send a part of a request, the first one with its operation."""
        opening = f"p{id}" if operation is None else f"s{id}{self._size(operation):03x}{operation}"
        await self._send(f"{opening}{self._size(part):08x}", part)

    async def notify(self, name: str, params: Any = None) -> None:
        payload = _json(params)
        await self._send(f"n{self._size(name):03x}{name}{self._size(payload):08x}", payload)

    async def heartbeat(self, load: int = 0, time: int = 0x5FC3B2A0) -> None:
        """What it sends by itself every 20 s."""
        await self._send(f"h{load:04x}{time:08x}")

    async def say(self, *messages: Said) -> None:
        """
        Send literal WebSocket messages.

        Raises:
            ConnectionError: there is no connection.
        """
        async with self._sending:
            try:
                for message in messages:
                    await self.socket.send(message)
            except ConnectionClosed:
                raise ConnectionError from None

    def stop_reading(self) -> None:
        """As a page that hangs; what it sends still leaves."""
        self.socket.transport.pause_reading()

    async def _send(self, header: str, payload: Said = b"") -> None:
        await self.say(header if self._text else header.encode(), *([payload] if self._size(payload) else []))

    def _size(self, data: Said) -> int:
        """The size that gotalk.js declares, which is often not that of what it sends."""
        if isinstance(data, bytes):
            return len(data)
        if self._text:
            return len(data.encode("utf-16-le")) // 2
        # A surrogate half counts 3, and the count stops at NUL.
        return sum(6 if unit > "\uffff" else len(unit.encode()) for unit in data.partition("\0")[0])

    # --- what it hears -------------------------------------------------------------------------------------

    async def hear(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` is true; it is asked again after every message."""
        async with self._heard, asyncio.timeout(DEADLINE):
            await self._heard.wait_for(lambda: condition() or self._reading.done())
        assert condition()

    def values(self, name: str) -> list[Any]:
        """The values of all notifications of a name so far."""
        return [value for each, value in self.notifications if each == name]

    async def closed(self) -> int:
        """Wait until the connection is over; returns the close code. To an `f` this peer closes by itself."""
        async with asyncio.timeout(DEADLINE):
            await asyncio.shield(self._reading)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def _read(self) -> None:
        try:
            if await self._receive() not in ("01", b"01"):
                raise PeerBroken("the version does not stand alone")
            while True:
                await self._take(await self._receive())
                async with self._heard:
                    self._heard.notify_all()
        except ConnectionClosed:
            pass
        except PeerBroken as broken:
            self._broken = broken
            with suppress(ConnectionError):
                await self._send("f00000002")
            await self.socket.close(4002)
        finally:
            self._broken_off()

    def _broken_off(self) -> None:
        """Whoever waits is told now; what was queued is sent again all the same if there is a next time."""
        for _, _, answered in self._queued.values():
            if not answered.done():
                answered.set_exception(ConnectionError())

    async def _receive(self) -> Said:
        message = await self.socket.recv()
        self.received.append(message)
        return message

    async def _take(self, header: Said) -> None:
        found = HEADER.fullmatch(header.encode() if isinstance(header, str) else header)
        if found is None:
            raise PeerBroken(f"not one header: {header!r}")
        if found["heartbeat"]:
            self.heartbeats += 1
            return
        if found["fault"]:
            self.fault = int(found["code"], 16)
            await self.socket.close(4000 + self.fault)
            return
        kind = found["named"] or found["answer"] or found["retry"]
        size = int(found["named_size"] or found["answer_size"] or found["retry_size"], 16)
        payload = await self._receive() if size else b""
        real = len(payload.encode() if isinstance(payload, str) else payload)
        if real != size:
            raise PeerBroken(f"{header!r} is followed by {real} bytes")
        if kind == b"n":
            if int(found["name_size"], 16) != len(found["name"]) or not found["name"]:
                raise PeerBroken(f"not one header: {header!r}")
            if found["name"].startswith(b"$"):
                raise PeerBroken(f"its handler for all names is told {header!r}")
            # None has a handler: kept for the test, never acted on.
            self.notifications.append((found["name"].decode(), json.loads(payload or "null")))
        elif kind == b"r":
            await self._answer(found["named_id"], found["name"].decode(), payload)
        elif kind in (b"R", b"S", b"E"):
            self.answers.append((header, payload))
            self._take_answer(kind, found["answer_id"].decode(), payload)
        else:
            raise PeerBroken(f"nothing takes {header!r}")

    def _take_answer(self, kind: bytes, id: str, payload: Said) -> None:
        if id in self._streams:
            self._take_part(kind, id, payload)
            return
        if id not in self._queued or kind == b"S":
            return  # Nobody waits for it, or for a part of it.
        _, _, answered = self._queued.pop(id)
        if answered.done():
            return
        if kind == b"R":
            answered.set_result(payload)
        else:
            answered.set_exception(Failed(payload if isinstance(payload, str) else payload.decode()))

    def _take_part(self, kind: bytes, id: str, payload: Said) -> None:
        # Whatever is no part takes the request out: then nothing tells the page that the answer has ended.
        stream = self._streams[id] if kind == b"S" and payload else self._streams.pop(id)
        if kind == b"E":
            stream.take(Failed(payload if isinstance(payload, str) else payload.decode()))
        else:
            stream.take(payload or None)

    async def _answer(self, id: bytes, name: str, payload: Said) -> None:
        handler = self._handlers.get(name)
        if handler is None:
            kind, answer = "E", f'unknown operation "{name}"'
        else:
            kind, answer = "R", _json(handler(json.loads(payload)))
        await self._send(f"{kind}{id.decode()}{self._size(answer):08x}", answer)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _id(number: int) -> str:
    digits = ""
    for _ in range(4):
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits
