"""Someone who takes what HTTP gives them, in a process of their own: `python -m tests.proof.stranger KIND PORT`."""

import asyncio
import http.client
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlencode

HOST = "127.0.0.1"
PATIENCE = 60.0
"""Seconds until they give up by themselves."""
PIECE = bytes(256 * 1024)
GIGABYTE = 4096 * len(PIECE)


class Told(NamedTuple):
    """What became of one connection."""

    status: int | None
    """Of its last answer, if there was one."""
    sent: int
    """Bytes, as far as the server's kernel and their own took them."""
    seconds: float
    ended: bool
    """By the server, before they lost patience."""


async def answered(reader: asyncio.StreamReader) -> int | None:
    """The status of an answer, when the connection is over."""
    answer = b""
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            answer = answer or piece
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else None


async def ask(port: int, request: bytes) -> Told:
    """Ask once, and wait for the answer."""
    reader, writer = await asyncio.open_connection(HOST, port)
    began = time.monotonic()
    writer.write(request)
    async with asyncio.timeout(PATIENCE):
        status = await answered(reader)
    writer.close()
    return Told(status, len(request), time.monotonic() - began, ended=True)


async def send_on(
    port: int, opening: bytes, pieces: int, piece: bytes, *, ending: bytes = b"", pause: float = 0.0
) -> Told:
    """Say something, then the same again and again, until all is said or the server ends it."""
    reader, writer = await asyncio.open_connection(HOST, port)
    began, sent = time.monotonic(), 0
    writer.write(opening)
    status = asyncio.create_task(answered(reader))
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while sent < pieces and not status.done():
                writer.write(piece)
                await writer.drain()
                sent += 1
                await asyncio.wait([status], timeout=pause)
            writer.write(ending)
            await asyncio.wait([status])
    seconds, ended = time.monotonic() - began, status.done()
    writer.transport.abort()
    return Told(await status, sent * len(piece), seconds, ended)


async def long_body(port: int) -> list[Told]:
    """Two gigabytes for a page that takes nothing, by someone who does not wait for an answer."""
    pieces = 2 * GIGABYTE // len(PIECE)
    head = b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return [await send_on(port, head % (pieces * len(PIECE)), pieces, PIECE)]


async def long_chunks(port: int) -> list[Told]:
    """Four times a gigabyte for a form, without saying how much it will be."""
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    sending = [send_on(port, head, GIGABYTE // len(PIECE), chunk, ending=b"0\r\n\r\n") for _ in range(4)]
    return await asyncio.gather(*sending)


async def slow_heads(port: int) -> list[Told]:
    """A byte every five seconds, of a head that never ends."""
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
    return await asyncio.gather(*(send_on(port, head, 10**6, b"x", pause=5.0) for _ in range(20)))


async def slow_bodies(port: int) -> list[Told]:
    """A byte every five seconds, of a body that is allowed."""
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    return await asyncio.gather(*(send_on(port, head, 1000, b"x", pause=5.0) for _ in range(20)))


async def ask_without_reading(port: int) -> Told:
    """One request after the other for a large file, none of whose answers is read."""
    _, writer = await asyncio.open_connection(HOST, port)
    began, sent = time.monotonic(), 0
    requests = 100 * b"GET /static/admin/js/vendor/jquery/jquery.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    try:
        async with asyncio.timeout(PATIENCE):
            writer.transport.pause_reading()
            while True:
                writer.write(requests)
                await writer.drain()
                sent += len(requests)
    except ConnectionError:
        ended = True
    except TimeoutError:
        ended = False
    writer.transport.abort()
    return Told(None, sent, time.monotonic() - began, ended)


async def asking_without_reading(port: int) -> list[Told]:
    return await asyncio.gather(*(ask_without_reading(port) for _ in range(100)))


async def log_ins(port: int) -> list[Told]:
    """Forty wrong log-ins at once, each with a name of its own."""
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("GET", "/accounts/login/")
    response = connection.getresponse()
    cookie = response.headers["Set-Cookie"].split(";")[0]
    token = response.read().decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    connection.close()

    def request(number: int) -> bytes:
        form = {"csrfmiddlewaretoken": token, "username": f"nobody{number}", "password": "wrong password"}
        body = urlencode(form).encode()
        return (
            b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: %b\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
        ) % (cookie.encode(), len(body), body)

    return await asyncio.gather(*(ask(port, request(number)) for number in range(40)))


async def pages(port: int) -> list[Told]:
    """Three hundred pages at once."""
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    return await asyncio.gather(*(ask(port, request) for _ in range(300)))


KINDS: dict[str, Callable[[int], Awaitable[list[Told]]]] = {
    each.__name__: each
    for each in (long_body, long_chunks, slow_heads, slow_bodies, asking_without_reading, log_ins, pages)
}


async def main(kind: str, port: str) -> None:
    print(json.dumps(await KINDS[kind](int(port))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
