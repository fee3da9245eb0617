"""The site under plain Daphne: no frames of our own, the same chat."""

import asyncio
import subprocess
import sys
import urllib.request

import pytest
from websockets.asyncio.client import connect

from tests.deadlines import DEADLINE
from tests.gotalk_client import Client
from tests.ports import accepts, free_port, wait_until
from tests.server import ROOT, Server


@pytest.fixture
def port(tmp_path):
    """`daphne project.asgi:application` on a free port, over a site with rooms."""
    site = Server(tmp_path / "data")
    site.prepare()
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-p", str(port), "project.asgi:application"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=site.environment(), **quiet) as process:
        try:
            wait_until(lambda: accepts(port), process)
            yield port
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("path", "named", "chosen"),
    [
        ("/gotalk/", "mqtt, gotalk", "gotalk"),
        ("/ws", "hubtalk.push, hubtalk.text", "hubtalk.text"),
        ("/push", "hubtalk.push", "hubtalk.push"),
        ("/echo", "gotalk, mqtt", None),
    ],
)
def test_plain_daphne_answers_with_the_subprotocol(port, path, named, chosen):
    """The first that the door knows, or none."""

    async def scenario():
        async with connect(f"ws://127.0.0.1:{port}{path}", subprotocols=named.split(", ")) as client:
            assert client.subprotocol == chosen

    asyncio.run(scenario())


def test_plain_daphne_serves_the_chat(port):
    """The page, and a post from one socket to another."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=DEADLINE) as response:
        assert b"chat/page" in response.read()

    async def scenario():
        url = f"ws://127.0.0.1:{port}"
        async with Client(url) as alice, Client(url) as bob:
            for client in (alice, bob):
                await client.wait_for(lambda seen: "username" in dict(seen))
            receipt = await alice.request("send-message", {"room": "animals", "message": {"body": "hello"}})
            await bob.wait_for(lambda seen: "newmsg" in dict(seen))
            assert bob.values("newmsg")[0]["message"]["id"] == receipt["id"]
            text = "x" * 200_000 + "\0🎈你好"
            assert await alice.request("echo", text) == text

    asyncio.run(scenario())
