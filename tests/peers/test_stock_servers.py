"""Servers with the public Go package, asked by our clients: they get what a Go client gets there."""

import pytest

from rpc import connect
from tests.peers.stock import GoServer, alone

pytestmark = pytest.mark.peers


@alone
async def test_websocket_of_a_go_server():
    """It refuses whoever sends no Origin; ours does."""
    async with GoServer({"greet": lambda payload: b'"Hello ' + payload[1:]}) as server:
        async with await connect(server.websocket_url) as client:
            assert await client.request("greet", "Ann") == "Hello Ann"
        with pytest.raises(ConnectionError, match="403"):
            await connect(server.websocket_url, headers={"Origin": ""})
