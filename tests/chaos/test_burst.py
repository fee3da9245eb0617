"""A burst to someone who is busy is a delay, not a loss."""

import asyncio
from contextlib import AsyncExitStack

from tests.gotalk_client import Client
from tests.server import Server

BURST = 150
POSTERS = 3
"""Each keeps fewer requests in flight than the limit of a connection."""


def test_burst_to_a_client_that_is_busy(tmp_path):
    """150 messages at once reach a client that reads nothing while they are posted, all and in order."""
    with Server(tmp_path / "data", environment={"RATE_LIMITS": "off"}) as server:
        asyncio.run(burst(server.websocket_url))


async def burst(url: str) -> None:
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(Client(url))
        posters = [await stack.enter_async_context(Client(url)) for _ in range(POSTERS)]
        await reader.wait_for(lambda seen: "username" in dict(seen))
        reader.socket.transport.pause_reading()
        posts = [
            posters[number % POSTERS].request(
                "send-message", {"room": "jokes", "message": {"body": f"burst {number}"}}
            )
            for number in range(BURST)
        ]
        receipts = await asyncio.gather(*posts)
        reader.socket.transport.resume_reading()
        await reader.wait_for(lambda seen: sum(name == "newmsg" for name, _ in seen) >= BURST)
        versions = [value["message"]["version"] for value in reader.values("newmsg")]
        assert versions == sorted(receipt["version"] for receipt in receipts)
        assert {value["message"]["body"] for value in reader.values("newmsg")} == {
            f"burst {number}" for number in range(BURST)
        }
