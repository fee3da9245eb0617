"""The end of a serving process: everyone is told, nothing that was acknowledged is lost."""

import asyncio
import signal
import socket
import time

import pytest

from tests.gotalk_client import Client
from tests.server import Server

DEADLINE = 10.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_tells_every_peer_closes_with_4503_and_exits_0(server, number):
    """A peer hears that it is a restart, and gets a close code that is no clean close."""

    async def scenario():
        async with Client(server.websocket_url) as one, Client(server.websocket_url) as other:
            for client in (one, other):
                await client.wait_for(lambda seen: "username" in dict(seen))
            receipt = await one.request("send-message", {"room": "animals", "message": {"body": "last words"}})
            started = time.monotonic()
            code = await asyncio.to_thread(server.stop, number)
            assert time.monotonic() - started < DEADLINE
            for client in (one, other):
                await client.wait_for(lambda seen: "notice" in dict(seen))
                await client.socket.wait_closed()
                assert client.values("notice")[0]["level"] == "restart"
                assert client.socket.close_code == 4503
            return code, receipt

    code, receipt = asyncio.run(scenario())
    assert code == 0
    server.kill()
    server.start()

    async def after():
        async with Client(server.websocket_url) as client:
            return await client.request("list-messages", "animals")

    assert asyncio.run(after())[-1]["id"] == receipt["id"]


def test_posts_in_flight_are_answered_or_refused_never_left(server):
    """Each post of the last moment is either stored and acknowledged, or neither."""

    async def scenario():
        async with Client(server.websocket_url) as client:
            await client.wait_for(lambda seen: "username" in dict(seen))
            await client.request("send-message", {"room": "jokes", "message": {"body": "first"}})
            posts = [
                asyncio.create_task(client.request("send-message", {"room": "jokes", "message": {"body": f"{n}"}}))
                for n in range(20)
            ]
            await asyncio.sleep(0)
            await asyncio.to_thread(server.stop)
            return await asyncio.gather(*posts, return_exceptions=True)

    answers = asyncio.run(scenario())
    acknowledged = [answer["id"] for answer in answers if isinstance(answer, dict)]
    server.kill()
    server.start()

    async def after():
        async with Client(server.websocket_url) as client:
            return [message["id"] for message in await client.request("list-messages", "jokes")]

    stored = asyncio.run(after())
    assert set(acknowledged) <= set(stored)


def test_half_a_request_does_not_keep_the_process(server):
    """A body that never comes is nobody's to wait for."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as half:
        half.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nusername=")
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < DEADLINE


def test_new_connections_are_refused_once_it_ends(server):
    """The port is free for the next process at once."""
    assert server.stop() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)


def test_taken_port_is_one_sentence(server, tmp_path):
    """Who starts a second one reads what to do, and no traceback."""
    second = Server(tmp_path / "second", port=server.port)
    with pytest.raises(AssertionError, match="Address already in use"):
        second.start()
    assert "Traceback" not in "\n".join(second.output)
    assert "set PORT to another one" in "\n".join(second.output)
    assert second.process.wait(DEADLINE) == 1
    second.kill()
