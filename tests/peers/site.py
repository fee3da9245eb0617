"""
A site on every transport, in one process: `python -m tests.peers.site FOLDER [--rates]`.

The folder holds cert.pem and key.pem and gets the unix socket. Prints one JSON object of addresses.
"""

import json
import ssl
import sys
from pathlib import Path
from typing import Any

import django
from django.conf import settings

settings.configure(RATE_LIMITS="--rates" in sys.argv)
django.setup()

from project.daphne.server import HubtalkServer  # noqa: E402
from rpc import Server, serve  # noqa: E402
from rpc.contrib.django.conf import site_limits  # noqa: E402
from rpc.contrib.django.consumers import GotalkConsumer  # noqa: E402
from rpc.contrib.django.joining import gotalk_script  # noqa: E402
from tests.peers.operations import handlers  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {
    "/gotalk.js": gotalk_script,
    "/peer.js": (ROOT / "tests/peers/peer.js").read_text,
    "/behaviours.js": (ROOT / "tests/js/behaviours.js").read_text,
}
PAGE = b'<!doctype html><title>peer</title><link rel="icon" href="data:,"><script src="/gotalk.js"></script>'

gotalk = GotalkConsumer.as_asgi(handlers=handlers)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await gotalk(scope, receive, send)
        return
    read = SCRIPTS.get(scope["path"])
    body, kind = (read().encode(), b"text/javascript") if read is not None else (PAGE, b"text/html")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})


def main(folder: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    servers: list[Server] = []

    async def start() -> None:
        servers.append(await serve("tcp://127.0.0.1:0", handlers, site_limits()))
        servers.append(await serve("tls://127.0.0.1:0", handlers, site_limits(), ssl=context))
        servers.append(await serve(f"unix://{folder}/gotalk.sock", handlers, site_limits()))

    async def drain() -> None:
        for server in servers:
            await server.close(0.1)

    def say_where(port: int) -> None:
        urls = {server.url.split(":")[0]: server.url for server in servers}
        print(json.dumps({"http": f"http://127.0.0.1:{port}", "ws": f"ws://127.0.0.1:{port}/gotalk/", **urls}))
        sys.stdout.flush()

    HubtalkServer(
        application,
        host="127.0.0.1",
        port=0,
        max_message_bytes=4 * 1024 * 1024,
        limits=site_limits(),
        start=start,
        drain=drain,
        listening=say_where,
    ).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
