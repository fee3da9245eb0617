"""Someone in the browser and a program over TCP, in one room."""

import asyncio
import threading

import pytest

from rpc import Handlers, connect
from tests.browser.visitor import Visitor
from tests.deadlines import DEADLINE
from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def tcp_site(tmp_path):
    environment = {"RATE_LIMITS": "off", "GOTALK_LISTEN": "tcp://127.0.0.1:0"}
    with Server(tmp_path / "data", environment=environment) as server:
        yield server


class Program(threading.Thread):
    """Says twenty lines over TCP, then listens until somebody says "over"."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.heard: list[str] = []
        self.history: list[str] = []

    def run(self) -> None:
        asyncio.run(self._talk())

    async def _talk(self) -> None:
        over = asyncio.Event()
        handlers = Handlers()

        @handlers.notification("newmsg")
        async def newmsg(params: dict) -> None:
            self.heard.append(params["message"]["body"])
            if self.heard[-1] == "over":
                over.set()

        async with asyncio.timeout(DEADLINE), await connect(self._url, handlers=handlers) as client:
            for number in range(20):
                await client.request("send-message", {"room": "animals", "message": {"body": f"tcp {number}"}})
            await over.wait()
            messages = await client.request("list-messages", {"room": "animals", "limit": 24})
            self.history = [message["body"] for message in messages]


def test_what_a_program_says_appears_in_the_browser_and_the_other_way_round(browser, tcp_site):
    """Both show every message once, in the same order."""
    context = browser.new_context()
    tess = Visitor.arrive(context.new_page(), tcp_site.url, "animals")
    tess.say("from the browser")
    tess.sees("from the browser")
    program = Program(tcp_site.gotalk_url)
    program.start()
    tess.sees("tcp 19")
    for text in ("one", "two", "over"):
        tess.say(text)
    tess.sees("over")
    program.join(DEADLINE)
    said = [*(f"tcp {number}" for number in range(20)), "one", "two", "over"]
    assert program.heard == said
    assert program.history == ["from the browser", *said]
    assert [line["text"] for line in tess.shown][-24:] == program.history
    assert tess.complaints == []
    context.close()
