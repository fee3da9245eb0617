"""
A site that never says anything of its own, so that only its server's pings keep a WebSocket open:
`python -m tests.proxy.pinging_site SECONDS` between two pings.
"""

import sys
from typing import Any

from project.daphne.server import HubtalkServer


async def application(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def nothing() -> None:
    """There is nothing to start, and nothing to drain."""


if __name__ == "__main__":
    server = HubtalkServer(
        application,
        host="127.0.0.1",
        port=0,
        max_message_bytes=1024,
        start=nothing,
        drain=nothing,
        listening=lambda port: print(port, flush=True),
    )
    server.ping_interval = int(sys.argv[1])
    server.run()
