"""A small site of its own under our Daphne, WebSocket and TCP: `python -m tests.peers.stock.site`."""

import asyncio
import os
import re
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

from tests.server import ROOT

NO_RATES: dict[str, Any] = {"messages_per_second": None, "bytes_per_second": None}

LIMITS: dict[str, dict[str, Any]] = {
    "/": NO_RATES,
    "/few/": {**NO_RATES, "max_requests_in_flight": 2},
    "/rate/": {"messages_per_second": 1, "messages_burst": 5},
    "/small/": {**NO_RATES, "max_payload_bytes": 1000},
    "/mute/": {"handshake_timeout": 0.2},
    "/idle/": {"idle_timeout": 0.3},
    "/beating/": {"heartbeat_interval": 0.05},
    "/narrow/": {**NO_RATES, "max_outbox_bytes": 100_000, "heartbeat_interval": 0.1},
}
"""The limits of each WebSocket path; over TCP are those of `/`."""


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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    # Importing our server installs Twisted's reactor.
    from project.server import HubtalkServer
    from rpc import Handlers, Limits, Peer, serve
    from rpc.consumers import GotalkConsumer

    handlers = Handlers()
    let_go = asyncio.Event()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("wait")
    async def wait() -> str:
        """Until somebody, here or elsewhere, asks to let go."""
        await let_go.wait()
        return "waited"

    @handlers.request("let go", inline=True)
    def let_all_go() -> None:
        let_go.set()
        let_go.clear()

    @handlers.request("call back")
    async def call_back(peer: Peer, operation: str) -> Any:
        return await peer.request(operation, "hi")

    @handlers.request("peak memory", inline=True)
    def peak_memory() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @handlers.stream("count slowly")
    async def count_slowly(parts: AsyncIterator[bytes]) -> int:
        number = 0
        async for part in parts:
            number += len(part)
            await asyncio.sleep(0.001)
        return number

    async def application(scope: Any, receive: Any, send: Any) -> None:
        limits = Limits(**LIMITS[scope["path"]])
        await GotalkConsumer.as_asgi(handlers=handlers, limits=limits)(scope, receive, send)

    beside = []

    async def start() -> None:
        beside.append(await serve("tcp://127.0.0.1:0", handlers, Limits(**NO_RATES)))

    async def drain() -> None:
        """It is killed."""

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
