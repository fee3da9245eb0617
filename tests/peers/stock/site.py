"""A small site under our Daphne, WebSocket and TCP: `python -m tests.peers.stock.site`."""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from rpc import Handlers, Limits, OperationError, Peer, RetryLater, serve
from tests.server import ROOT

NO_RATES: dict[str, Any] = {"messages_per_second": None, "bytes_per_second": None}

LIMITS: dict[str, dict[str, Any]] = {
    "/": NO_RATES,
    "/few/": {**NO_RATES, "max_requests_in_flight": 2},
    "/rate/": {"messages_per_second": 1, "messages_burst": 5},
    "/small/": {**NO_RATES, "max_payload_bytes": 1000},
    "/mute/": {"handshake_timeout": 0.4},
    "/idle/": {"handshake_timeout": 0.4, "idle_timeout": 0.4},
    "/beating/": {"heartbeat_interval": 0.05},
    "/impatient/": {**NO_RATES, "stall_timeout": 0.1},
}
"""The limits of each WebSocket path; over TCP are those of `/`."""


def site_handlers() -> Handlers:
    """What stock peers ask of a server in these tests."""
    handlers = Handlers()
    let_go = asyncio.Event()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("megabyte", inline=True)
    def megabyte() -> bytes:
        return bytes(1024 * 1024)

    @handlers.request("wait")
    async def wait() -> str:
        """Until somebody, on whatever connection, asks to let go."""
        await let_go.wait()
        return "waited"

    @handlers.request("let go", inline=True)
    def let_all_go() -> None:
        let_go.set()
        let_go.clear()

    @handlers.request("later", inline=True)
    def later(milliseconds: int) -> None:
        raise RetryLater(milliseconds, "not now")

    noted: Counter[Peer] = Counter()
    more_noted = asyncio.Condition()

    @handlers.notification("note")
    async def note(peer: Peer) -> None:
        async with more_noted:
            noted[peer] += 1
            more_noted.notify_all()

    @handlers.request("noted")
    async def wait_until_noted(peer: Peer, number: int) -> int:
        """Until so many notes of this connection were taken."""
        async with more_noted:
            await more_noted.wait_for(lambda: noted[peer] >= number)
        return noted[peer]

    @handlers.request("call back")
    async def call_back(peer: Peer, operation: str) -> Any:
        return await peer.request(operation, "hi")

    @handlers.request("call back in parts")
    async def call_back_in_parts(peer: Peer, operation: str) -> Any:
        async with peer.stream(operation) as stream:
            await stream.send("a")
            await stream.send("b")
            await stream.end()
            return [part async for part in stream]

    @handlers.stream("upper")
    async def upper(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part.upper()

    @handlers.stream("size")
    async def size(parts: AsyncIterator[bytes]) -> int:
        return sum([len(part) async for part in parts])

    @handlers.stream("size, later")
    async def size_later(parts: AsyncIterator[bytes]) -> int:
        await let_go.wait()
        return sum([len(part) async for part in parts])

    @handlers.stream("size, slowly")
    async def size_slowly(parts: AsyncIterator[bytes]) -> int:
        sum = 0
        async for part in parts:
            sum += len(part)
            # Many more turns of the loop than it takes to read a part.
            for _ in range(20):
                await asyncio.sleep(0)
        return sum

    @handlers.stream("first")
    async def first(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield await anext(parts)

    @handlers.stream("until bad")
    async def until_bad(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            if part == b"bad":
                raise OperationError("a bad part", "bad")
            yield part

    return handlers


class Site:
    """The site in a subprocess: started by entering it, killed by leaving it."""

    url: str
    tcp_url: str

    def __enter__(self) -> "Site":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.peers.stock.site"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        found = re.fullmatch(r"(http://\S+) (tcp://\S+)\n", self._process.stdout.readline())
        assert found is not None
        self.url, self.tcp_url = found[1], found[2]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def peak_memory(self) -> int | None:
        """The most memory it ever had, in bytes; None where the system does not tell."""
        status = Path(f"/proc/{self._process.pid}/status")
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        return int(found[1]) * 1024 if found is not None else None


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    # Importing our server installs Twisted's reactor.
    from project.daphne.server import HubtalkServer
    from rpc.contrib.django.consumers import GotalkConsumer

    handlers = site_handlers()
    doors = {
        path: GotalkConsumer.as_asgi(handlers=handlers, limits=Limits(**limits)) for path, limits in LIMITS.items()
    }
    beside = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await doors[scope["path"]](scope, receive, send)

    async def start() -> None:
        beside.append(await serve("tcp://127.0.0.1:0", handlers, Limits(**NO_RATES)))

    async def drain() -> None:
        """Nothing: it is killed."""

    HubtalkServer(
        application,
        host="127.0.0.1",
        port=0,
        max_message_bytes=4 * 1024 * 1024,
        start=start,
        drain=drain,
        listening=lambda port: print(f"http://127.0.0.1:{port} {beside[0].url}", flush=True),
    ).run()


if __name__ == "__main__":
    main()
