"""
A client that reads slowly while it is owed much: whether it gets all of it, what the server holds, who else waits.

    python -m bench.slow_reader [bytes a second]

It asks for echoes and for pages of history at once and reads at the given rate, 1,000,000 by default. Another
client asks for an echo of 64 bytes over and over, before and meanwhile.
"""

import asyncio
import itertools
import socket
import statistics
import sys
import time

from bench.load import pinned_server, print_machine
from bench.memory import resident_kilobytes
from tests.gotalk_client import Client

READ_BYTES = 64 * 1024
KIB = 1024
LOADS = ((64, 64 * KIB), (12, 1000 * KIB))
"""Requests in flight and the bytes of each echo."""
PAGES = 16
LONG_TEXT = "x" * 16_000


def request(number: int, operation: bytes, payload: bytes) -> bytes:
    return b"r%04x%03x%b%08x%b" % (number, len(operation), operation, len(payload), payload)


def frames(data: bytes) -> bytes:
    """Masked binary frames of at most 32 KiB (RFC 6455, section 5.2); the mask is zeros."""
    pieces = (data[start : start + 32 * KIB] for start in range(0, len(data), 32 * KIB))
    return b"".join(b"\x82\xfe" + len(piece).to_bytes(2) + bytes(4) + piece for piece in pieces)


async def slow_reader(port: int, rate: int, requests: bytes, answers: int) -> tuple[float, int]:
    """Ask for everything at once; returns the seconds until the last answer, and the bytes that were read."""
    loop = asyncio.get_running_loop()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        line.setblocking(False)
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(
            line,
            b"GET /gotalk/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        await loop.sock_recv(line, READ_BYTES)
        began = time.perf_counter()
        sending = asyncio.create_task(loop.sock_sendall(line, frames(b"01" + requests)))
        heard = size = 0
        kept = b""
        while heard < answers:
            data = await loop.sock_recv(line, READ_BYTES)
            if not data:
                raise ConnectionError(f"closed after {heard} of {answers} answers: {kept[-80:]!r}")
            size += len(data)
            found = kept + data
            # Nothing that is echoed contains the mark of an answer.
            heard += found.count(b"R00")
            kept = found[-2:]
            await asyncio.sleep(max(0.0, began + size / rate - time.perf_counter()))
        await sending
        return time.perf_counter() - began, size


async def round_trips(client: Client, until: asyncio.Event) -> list[float]:
    seconds = []
    while not until.is_set():
        began = time.perf_counter()
        await client.request("echo", "x" * 64)
        seconds.append(time.perf_counter() - began)
    return seconds


def shown(seconds: list[float]) -> str:
    p99 = statistics.quantiles(seconds, n=100)[-1]
    return f"p50 {statistics.median(seconds) * 1000:.2f} ms, p99 {p99 * 1000:.2f} ms"


async def measure(url: str, port: int, pid: int, rate: int) -> None:
    async with Client(url) as witness:
        await witness.request("create-room", "long")
        for _ in range(PAGES * 50):
            await witness.request("send-message", {"room": "long", "message": {"body": LONG_TEXT}})
        enough = asyncio.Event()
        asyncio.get_running_loop().call_later(3, enough.set)
        print(f"others alone: {shown(await round_trips(witness, enough))}")
        echoes = [(number, b'"%b"' % (b"x" * (size - 2))) for number, size in LOADS]
        works = [
            (f"{number} × {len(payload):,} bytes of echo", b"echo", number, payload) for number, payload in echoes
        ]
        works.append((f"{PAGES} pages of history", b"list-messages", PAGES, b'{"room":"long","limit":50}'))
        for name, operation, number, payload in works:
            ids = itertools.count()
            asked = b"".join(request(next(ids), operation, payload) for _ in range(number))
            before = peak = resident_kilobytes(pid)
            over = asyncio.Event()
            others = asyncio.create_task(round_trips(witness, over))
            reading = asyncio.create_task(slow_reader(port, rate, asked, number))
            while not reading.done():
                await asyncio.sleep(0.05)
                peak = max(peak, resident_kilobytes(pid))
            over.set()
            seconds, size = await reading
            print(
                f"{name}: {number} answers, {size / 1e6:.1f} MB in {seconds:.1f} s, "
                f"the server grew by {(peak - before) / 1024:.1f} MiB; others: {shown(await others)}"
            )


def main() -> None:
    rate = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print_machine()
    with pinned_server() as server:
        asyncio.run(measure(server.websocket_url, server.port, server.process.pid, rate))


if __name__ == "__main__":
    main()
