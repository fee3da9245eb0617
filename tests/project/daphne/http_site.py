"""An application under our server, in this process, and clients without a library."""

import asyncio
import contextlib
import json

from twisted.internet import reactor

from project.daphne import internals
from project.daphne.server import HubtalkServer

DEADLINE = 10.0
LIMIT = 1000
"""Bytes of a body, but for paths below /large/."""
LARGE = 10 * 2**20


def refusal(path, status):
    return [(b"content-type", b"text/plain")], f"{path} {status.value}".encode()


class Site:
    """
    A server, where it listens, and what it was asked.

    Its application tells the path and the length of the body, below /wait/ once `go_on` is set.
    """

    def __init__(self):
        self.asked = []
        self.go_on = asyncio.Event()
        nothing = dict.fromkeys(("start", "drain", "listening"))
        self.server = HubtalkServer(
            self._application,
            host="127.0.0.1",
            port=0,
            max_message_bytes=2**20,
            max_body_bytes=lambda path: LARGE if path.startswith("/large/") else LIMIT,
            refusal=refusal,
            **nothing,
        )
        self.listener = reactor.listenTCP(0, self.server.http_factory, interface="127.0.0.1")
        self.port = self.listener.getHost().port

    async def _application(self, scope, receive, send):
        path = scope["path"]
        self.asked.append(path)
        size, more = 0, True
        while more:
            event = await receive()
            size, more = size + len(event["body"]), event["more_body"]
        if path.startswith("/wait/"):
            await self.go_on.wait()
        body = json.dumps([path, size]).encode()
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

    async def lost(self):
        """Wait until all connections on which something was asked are lost."""
        while any(internals.lost_at(details) is None for details in self.server.connections.values()):
            await asyncio.sleep(0)

    async def end(self):
        self.go_on.set()
        await self.listener.stopListening().asFuture(asyncio.get_running_loop())
        await self.lost()
        applications = filter(None, map(internals.application_of, self.server.connections.values()))
        await asyncio.gather(*applications)


@contextlib.asynccontextmanager
async def site():
    running = Site()
    try:
        yield running
    finally:
        await running.end()


@contextlib.asynccontextmanager
async def dialled(running, opening=b""):
    """A connection, and what it says first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(opening)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


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
