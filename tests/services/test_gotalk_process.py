"""`manage.py gotalk serve`: gotalk in a process of its own, beside the web server, is the same site."""

import asyncio
import signal
import subprocess
import sys

import pytest

from rpc import ConnectionClosed, Handlers, connect
from tests.deadlines import DEADLINE
from tests.gotalk_client import Client
from tests.server import ROOT, Server

pytestmark = pytest.mark.services


@pytest.fixture
def site(tmp_path, redis):
    """The web server of a site with Redis."""
    with Server(tmp_path / "data", environment={"REDIS_URL": f"redis://127.0.0.1:{redis.port}/0"}) as running:
        yield running


@pytest.fixture
def beside(site, tmp_path):
    """The second process, and where it listens."""
    url = f"unix://{tmp_path}/gotalk.sock"
    with subprocess.Popen(
        [sys.executable, "manage.py", "gotalk", "serve", url],
        cwd=ROOT,
        env=site.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == f"gotalk is at {url}\n"
        assert process.stdout.readline() == "Listening\n"
        yield process, url
        process.kill()


def test_both_processes_are_one_site(site, beside):
    """What is posted through one is heard through the other; the end is announced, and the exit code is 0."""
    process, url = beside
    heard = asyncio.Queue()
    handlers = Handlers()

    @handlers.notification("newmsg", inline=True)
    def newmsg(params) -> None:
        heard.put_nowait(params["message"]["body"])

    @handlers.notification("notice", inline=True)
    def notice(params) -> None:
        heard.put_nowait(params["level"])

    async def scenario():
        async with (
            asyncio.timeout(DEADLINE),
            await connect(url, handlers=handlers) as gotalk,
            Client(site.websocket_url) as web,
        ):
            await gotalk.request("whoami")
            await web.request("send-message", {"room": "animals", "message": {"body": "from the web"}})
            assert await heard.get() == "from the web"
            await gotalk.request("send-message", {"room": "animals", "message": {"body": "from gotalk"}})
            await web.wait_for(lambda seen: "from gotalk" in str(seen))
            process.send_signal(signal.SIGTERM)
            closed: ConnectionClosed = await gotalk.wait_closed()
            assert (closed.code, closed.text) == (4503, "restarting")
            assert await heard.get() == "from gotalk"
            assert await heard.get() == "restart"

    asyncio.run(scenario())
    assert process.wait(DEADLINE) == 0
