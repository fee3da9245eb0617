"""The bot of docs/rpc.md: whatever happens to the server, it is itself, misses nothing and repeats nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.deadlines import DEADLINE
from tests.documents import named, read
from tests.ports import free_port, wait_until
from tests.server import ROOT, Server

pytestmark = pytest.mark.peers

PEOPLE = """
from chat.models import Token, User
from chat.services.tokens import make_token
for name in ("Alice", "Robot"):
    user = User.objects.create_user(name.lower(), name=name)
    print(make_token(Token(user=user, name="program", scopes=["read", "post", "rpc"])))
"""


class Room:
    """The room of the bot, as a person sees it over HTTP."""

    def __init__(self, server: Server, token: str) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self._ask({"body": text})
        self.said.append(text)

    def answers(self) -> list[tuple[str, str]]:
        """Author and text of all that was said since the first line, but for what this person said."""
        messages = self._ask(None)["messages"]
        first = next(index for index, message in enumerate(messages) if message["body"] == self.said[0])
        return [(each["author"], each["body"]) for each in messages[first:] if each["author"] != "Alice"]

    def is_answered(self) -> bool:
        return len(self.answers()) >= len(self.said)

    def expected(self) -> list[tuple[str, str]]:
        return [("Robot", f"heard: {text[1:]}") for text in self.said]

    def _ask(self, posted: object) -> dict:
        data = json.dumps(posted).encode() if posted is not None else None
        url = f"{self._server.url}/api/rooms/animals/messages?limit=200"
        with urlopen(Request(url, data, self._headers), timeout=DEADLINE) as answer:
            return json.load(answer)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """At ports that stay the same when it starts again, and called by names that it does not know."""
    environment = {
        "GOTALK_LISTEN": f"tcp://127.0.0.1:{free_port()}",
        "ALLOWED_HOSTS": "127.0.0.1,chat.example.org",
        "RATE_LIMITS": "off",
    }
    with Server(tmp_path / "data", port=free_port(), environment=environment) as server:
        yield server


@pytest.mark.parametrize("transport", ["WebSocket", "TCP"])
def test_bot(server, tmp_path, transport):
    """Stopped, killed and started again, the server has one answer of the bot to each line, in their order."""
    alice, robot = server.manage("shell", "-v0", "-c", PEOPLE).split()
    room = Room(server, alice)
    source = named(read("docs/rpc.md"), "bot.py").source
    address = "ws://127.0.0.1:8000/gotalk/"
    assert address in source
    # By a name that ALLOWED_HOSTS does not have.
    url = f"ws://localhost:{server.port}/gotalk/" if transport == "WebSocket" else server.gotalk_url
    (tmp_path / "bot.py").write_text(source.replace(address, url))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "TOKEN": robot}
    with subprocess.Popen([sys.executable, "bot.py"], cwd=tmp_path, env=environment) as bot:
        try:
            room.say("!before the bot came")
            wait_until(room.is_answered, bot)
            for end in (server.stop, server.kill):
                room.say("!before the server ends")
                end()
                server.kill()
                server.start()
                room.say("!before the bot is back")
                wait_until(room.is_answered, bot)
                room.say("!after it is back")
            wait_until(room.is_answered, bot)
        finally:
            bot.kill()
    assert room.answers() == room.expected()
