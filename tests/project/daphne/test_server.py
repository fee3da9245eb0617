"""One connection's trouble stays its own."""

import asyncio
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.deadlines import DEADLINE
from tests.server import ROOT

LET_GO = 4.0
"""Seconds in which the checkers, which come round once a second, end a socket without an application."""


@pytest.fixture
def site():
    """The port of a site whose applications fail, and its process."""
    command = [sys.executable, "-m", "tests.project.daphne.faulty_site"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process
        process.kill()


def get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE) as response:
        return response.read()


async def closed(port, path, *, say=False):
    """Open a socket and wait until the server ends it; returns the close code."""
    async with connect(f"ws://127.0.0.1:{port}{path}") as socket:
        if say:
            await socket.send("now")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(socket.recv(), LET_GO)
        return socket.close_code


def test_failure_on_an_open_socket_closes_it(site):
    """An application that fails leaves a close code, not a socket that nobody serves."""
    port, _ = site
    assert asyncio.run(closed(port, "/open", say=True)) == 1011


def test_application_that_returns_closes_its_socket(site):
    """Nobody is left on a socket without an application."""
    port, _ = site
    assert asyncio.run(closed(port, "/return")) == 1011


def test_nothing_keeps_a_connection_that_is_over(site):
    """Not even the last one, at a server that nobody comes to any more."""
    port, process = site

    async def scenario():
        assert await closed(port, "/watched") == 1011
        try:
            return await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), DEADLINE)
        finally:
            # Ends the thread that reads.
            process.kill()

    assert asyncio.run(scenario()) == "forgotten\n"


def test_failure_amid_an_answer_breaks_that_connection_only(site):
    """Half an answer ends in a broken connection; the checkers go on for the others."""
    port, _ = site
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as client:
        client.sendall(b"GET /amid HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        try:
            while part := client.recv(4096):
                received += part
        except ConnectionResetError:
            pass
    assert b"half" in received
    assert get(port, "/well") == b"well"
    assert asyncio.run(closed(port, "/open", say=True)) == 1011


def test_subprotocol_that_was_not_offered_breaks_that_connection_only(site):
    """A handshake that cannot be finished does not stop the checkers."""
    port, _ = site

    async def handshake():
        async with connect(f"ws://127.0.0.1:{port}/subprotocol", open_timeout=DEADLINE):
            pass

    with pytest.raises((InvalidHandshake, EOFError, ConnectionError)):
        asyncio.run(handshake())
    assert asyncio.run(closed(port, "/open", say=True)) == 1011


def test_second_signal_ends_at_once(site):
    """Whoever will not wait for a drain that hangs sends another."""
    port, process = site

    async def scenario():
        async with connect(f"ws://127.0.0.1:{port}/never"):
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.stdout.readline) == "draining\n"
            process.send_signal(signal.SIGTERM)
            return await asyncio.to_thread(process.wait, LET_GO)

    assert asyncio.run(scenario()) == 1


def test_drain_that_hangs_ends_within_ten_seconds(site):
    """The process that supervises us would kill; better to end by ourselves."""
    port, process = site

    async def scenario():
        async with connect(f"ws://127.0.0.1:{port}/never"):
            process.send_signal(signal.SIGTERM)
            return await asyncio.to_thread(process.wait, 10.0)

    assert asyncio.run(scenario()) == 0


def test_message_over_the_limit_ends_the_connection(site):
    """What is too large is not gathered in memory."""
    port, _ = site

    async def scenario():
        async with connect(f"ws://127.0.0.1:{port}/never") as socket:
            with pytest.raises(ConnectionClosed):
                await socket.send(b"x" * 2048)
                await asyncio.wait_for(socket.recv(), LET_GO)

    asyncio.run(scenario())
