"""The end of a serving process: everyone is told, nothing that was acknowledged is lost."""

import asyncio
import signal
import socket
import sqlite3
from contextlib import closing

import pytest

from tests.deadlines import DEADLINE
from tests.gotalk_client import Client, Failed
from tests.server import Server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_tells_every_peer_closes_with_4503_and_exits_0(server, number):
    """A peer hears that it is a restart, and gets a close code that is no clean close."""

    async def scenario():
        async with Client(server.websocket_url) as one, Client(server.websocket_url) as other:
            for client in (one, other):
                await client.wait_for(lambda seen: "username" in dict(seen))
            receipt = await one.request("send-message", {"room": "animals", "message": {"body": "last words"}})
            code = await asyncio.to_thread(server.stop, number)
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
    """Each post of the last moment is either stored and acknowledged, or refused and not stored."""
    answers = asyncio.run(post_around_the_signal(server))
    acknowledged = {body for body, refusal in answers.items() if refusal is None}
    refused = answers.keys() - acknowledged
    assert acknowledged >= {"first", "in flight 0", "in flight 1", "in flight 2"}
    assert {answers[body] for body in refused} <= {"busy"}
    server.kill()
    server.start()

    async def read():
        async with Client(server.websocket_url) as client:
            return [message["body"] for message in await client.request("list-messages", "jokes")]

    stored = asyncio.run(read())
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored)
    assert not refused & set(stored)


async def post_around_the_signal(server):
    """
    Post before the signal, at it and after it.

    Returns what became of each text: None for an acknowledgement, else the code of the refusal. A post without an
    answer raises ConnectionError.
    """
    answers = {}

    async def post(body):
        try:
            await client.request("send-message", {"room": "jokes", "message": {"body": body}})
            answers[body] = None
        except Failed as refusal:
            answers[body] = refusal.code

    async with Client(server.websocket_url) as client, asyncio.TaskGroup() as group:
        await post("first")
        # Nothing can be stored, so nothing can be acknowledged, before the lock is gone.
        with closing(sqlite3.connect(server.data / "hubtalk.sqlite3", isolation_level=None)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            for number in range(3):
                group.create_task(post(f"in flight {number}"))
            assert await client.request("echo", "the posts were read") == "the posts were read"
            assert list(answers) == ["first"]
            server.process.send_signal(signal.SIGTERM)
            await client.wait_for(lambda seen: "notice" in dict(seen))
            for number in range(3):
                group.create_task(post(f"late {number}"))
            assert await client.request("echo", "these too") == "these too"
        assert await asyncio.to_thread(server.process.wait, DEADLINE) == 0
    return answers


def test_half_a_request_does_not_keep_the_process(server):
    """A body that never comes is nobody's to wait for."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as half:
        half.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nusername=")
        assert server.stop() == 0


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
    assert "set another PORT" in "\n".join(second.output)
    assert second.process.wait(DEADLINE) == 1
    second.kill()
