"""An application under our server, in this process, and clients without a library."""

import asyncio
import contextlib
import json
import socket

from twisted.internet import reactor

from project.daphne import internals
from project.daphne.protocols import HubtalkWebSocket
from project.daphne.server import HubtalkServer

LIMIT = 1000
"""Bytes of a body, but for paths below /large/."""
LARGE = 10 * 2**20
LONG = 60_000
"""Bytes of the answer to /long/: less than makes Twisted pause the application."""
TURNS = 100
"""Of the loop, after which what has not changed is taken to be done."""


def refusal(path, status):
    return [(b"content-type", b"text/plain")], f"{path} {status.value}".encode()


class Site:
    """
    A server, where it listens, and what it was asked.

    Its application tells the path and the length of the body. Below /wait/ it does so once `go_on` is set; below
    /endless/ it sends blocks for as long as it may. Below /pieces/ it answers in two, with the status that the path
    names.
    """

    def __init__(self, **options):
        self.asked = []
        self.heard = []
        """What WebSockets said, text and bytes."""
        self.accepting = asyncio.Event()
        self.accepting.set()
        self.at_once = self.most_at_once = 0
        self.blocks = 0
        self.left = asyncio.Event()
        self.go_on = asyncio.Event()
        nothing = dict.fromkeys(("start", "drain", "listening"))
        self.server = HubtalkServer(
            self._count,
            host="127.0.0.1",
            port=0,
            max_message_bytes=2**20,
            max_body_bytes=lambda path: LARGE if path.startswith("/large/") else LIMIT,
            refusal=refusal,
            **nothing,
            **options,
        )
        self.listener = reactor.listenTCP(0, self.server.http_factory, interface="127.0.0.1")
        self.port = self.listener.getHost().port

    async def _count(self, scope, receive, send):
        self.asked.append(scope["path"])
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if scope["type"] == "websocket":
                await self._listen(receive, send)
            else:
                await self._answer(scope["path"], receive, send)
        finally:
            self.at_once -= 1

    async def _listen(self, receive, send):
        """Accept a WebSocket once `accepting` is set, and hear what it says."""
        await receive()
        await self.accepting.wait()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            self.heard.append(event.get("text") or event.get("bytes"))

    async def asked_for(self, path):
        """Wait until its application was."""
        while path not in self.asked:
            await asyncio.sleep(0)

    async def websocket(self):
        """The server's one WebSocket, as soon as it is open."""
        while True:
            for protocol in self.server.connections:
                if isinstance(protocol, HubtalkWebSocket) and internals.is_open(protocol):
                    return protocol
            await asyncio.sleep(0)

    async def _answer(self, path, receive, send):
        size, more = 0, True
        while more:
            event = await receive()
            size, more = size + len(event["body"]), event["more_body"]
        if path.startswith("/wait/"):
            await asyncio.wait(
                [asyncio.create_task(receive()), asyncio.create_task(self.go_on.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not self.go_on.is_set():
                self.left.set()
                return
        if path.startswith("/endless/"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not self.go_on.is_set():
                await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
                self.blocks += 1
                await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b""})
            return
        if path.startswith("/pieces/"):
            await send({"type": "http.response.start", "status": int(path.split("/")[2]), "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await send({"type": "http.response.body", "body": b"two"})
            return
        body = json.dumps([path, size]).encode() + (bytes(LONG) if path == "/long/" else b"")
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def channel(self):
        """The HTTP channel of the server's one connection."""
        while True:
            for request in self.server.connections:
                if request.channel is not None:
                    return request.channel
            await asyncio.sleep(0)

    async def channel_not_read(self, writer):
        """As `channel`; its client reads no more, and the kernel keeps little of what is written to it."""
        writer.transport.pause_reading()
        channel = await self.channel()
        channel.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        return channel

    async def end(self):
        self.go_on.set()
        await self.listener.stopListening().asFuture(asyncio.get_running_loop())
        while any(internals.lost_at(details) is None for details in self.server.connections.values()):
            await asyncio.sleep(0)
        applications = filter(None, map(internals.application_of, self.server.connections.values()))
        await asyncio.gather(*applications)


@contextlib.asynccontextmanager
async def site(**options):
    """`options` are those of the server."""
    running = Site(**options)
    try:
        yield running
    finally:
        await running.end()


@contextlib.asynccontextmanager
async def dialled(running, opening=b"", *, narrow=False):
    """A connection, and what it says first; for a narrow one the client's kernel keeps little."""
    raw = socket.socket()
    if narrow:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    raw.connect(("127.0.0.1", running.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=2**16)
    writer.write(opening)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def lost(channel):
    """Wait until its connection is gone."""
    while not channel.transport.disconnected:
        await asyncio.sleep(0)


async def steady(figure):
    """Wait until a figure no longer changes; returns it."""
    last, turns = figure(), 0
    while turns < TURNS:
        await asyncio.sleep(0)
        turns = turns + 1 if figure() == last else 0
        last = figure()
    return last


async def exchange(running, data):
    """All that is answered, until the server ends the connection."""
    async with dialled(running, data) as (reader, _):
        return await reader.read()


def request(path="/", *, method=b"POST", body=b"", headers=b"Connection: close\r\n"):
    length = b"Content-Length: %d\r\n" % len(body)
    return b"%b %b HTTP/1.1\r\nHost: x\r\n%b%b\r\n%b" % (method, path.encode(), length, headers, body)


def chunked(path, *chunks, headers=b"Connection: close\r\n"):
    encoded = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%b\r\n" % (path.encode(), headers)
    return head + encoded + b"0\r\n\r\n"


def parts(answer):
    """Status, headers and body of one answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body
