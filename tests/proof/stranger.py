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
PATIENCE = 100.0
"""Seconds until they give up by themselves."""


class Told(NamedTuple):
    """What became of one connection."""

    status: int | None
    """Of its last answer."""
    sent: int
    """Bytes that the server took."""
    seconds: float


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
    return Told(status, len(request), time.monotonic() - began)


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


KINDS: dict[str, Callable[[int], Awaitable[list[Told]]]] = {each.__name__: each for each in (log_ins, pages)}


async def main(kind: str, port: str) -> None:
    print(json.dumps(await KINDS[kind](int(port))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
