"""Whatever a stranger floods a site with: others are answered and stay connected, the log stays short."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from statistics import median

import pytest
from websockets.asyncio.client import connect

from chat.doors.push.opcodes import Opcode
from project.logs import AT_ONCE
from project.routing import websocket_router
from rpc import default_handlers, describe
from tests.deadlines import DEADLINE
from tests.floods.kinds import LEFT_OUT, floods, paths
from tests.gotalk_client import Client
from tests.proof.figures import of_process
from tests.proof.witness import QUIET, ask
from tests.server import ROOT, Server, visitor_cookie
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

SECONDS = short_or_whole(100, 1000) / 1000
"""For which each flood goes on."""
RATIO = 15
"""How much slower the usual answer may be than at a site that has the same machine to itself."""
MOST_MIB = 300
MOST_THREADS = 40


@pytest.fixture
def sites(tmp_path):
    """One to be flooded, which takes the addresses of clients from this machine, and one beside it."""
    environment = {"TRUSTED_PROXIES": "127.0.0.1"}
    with Server(tmp_path / "data", environment=environment) as flooded, Server(tmp_path / "beside") as beside:
        yield flooded, beside


def test_everything_that_the_site_knows_is_flooded():
    """What is added is flooded too, or left out for a reason that is told."""
    names = {flood.name for flood in floods()}
    description = describe(default_handlers)
    assert len(names) == len(floods())
    assert {f"operation {name}" for name in description.operations} <= names
    assert {f"notification {name}" for name in description.notifications} <= names
    assert {f"opcode {opcode:d}" for opcode in Opcode} <= names
    assert len({path for path in paths() if f"frame 2 {path}" in names}) == len(websocket_router().routes)
    assert LEFT_OUT.match("admin/chat/user/") and not LEFT_OUT.match("admin/")
    for path in ("/", "/accounts/login/", "/api/rooms/animals/messages", "/settings/", "/gotalk/gotalk.js"):
        assert {f"GET {path}", f"POST {path}"} <= names


class Flooded:
    """What is seen while a stranger sends one flood after the other."""

    def __init__(self, server, beside):
        self._server = server
        self._beside = beside
        self.answers = {}
        """Seconds for answers to the second person, by what is flooded meanwhile: there, and at the other site."""
        self.quiet = []
        self.unheard = []
        """Floods that were not answered at all."""
        self.threads = 0

    def _socket(self, path, cookie):
        url, headers = self._server.websocket_url + path, {"Cookie": cookie}
        return connect(url, additional_headers=headers, origin=self._server.url)

    async def run(self):
        pid, url = self._server.process.pid, self._server.websocket_url
        cookie, own = [await asyncio.to_thread(visitor_cookie, self._server) for _ in range(2)]
        command = (sys.executable, "-m", "tests.floods.stranger", str(self._server.port), str(SECONDS), cookie)
        pipe = asyncio.subprocess.PIPE
        async with (
            Client(url) as second,
            Client(self._beside.websocket_url) as elsewhere,
            self._socket("/ws", own) as line,
            self._socket("/push", own) as push,
        ):
            self.quiet = [await ask(second) for _ in range(QUIET)]
            stranger = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
            try:
                for flood in floods():
                    stranger.stdin.write(flood.to_json().encode() + b"\n")
                    told = asyncio.create_task(stranger.stdout.readline())
                    answers = self.answers[flood.name] = []
                    while not told.done():
                        answers.append((await ask(second), await ask(elsewhere)))
                        self.threads = max(self.threads, of_process(pid, "Threads"))
                        await asyncio.wait([told], timeout=0.005)
                    name, heard = json.loads(await told)
                    assert name == flood.name
                    if not heard:
                        self.unheard.append(name)
            finally:
                stranger.kill()
                await stranger.communicate()
            # Who has nothing to do with it is still connected, and heard.
            for socket in (line, push):
                await asyncio.wait_for(await socket.ping(), DEADLINE)


def test_floods(sites):
    """Each in turn, at twice its limit, by someone who reads the answers and goes away in the middle."""
    began = time.monotonic()
    site, beside = sites
    seen = Flooded(site, beside)
    asyncio.run(seen.run())
    seconds = time.monotonic() - began
    during, elsewhere = (
        median(answers[which] for each in seen.answers.values() for answers in each) for which in (0, 1)
    )
    most = of_process(site.process.pid, "VmHWM") // 1024
    print(f"{len(seen.answers)} floods in {seconds:.0f} s; {most} MiB, {seen.threads} threads")
    print(f"echo before {median(seen.quiet) * 1000:.2f} ms, during {during * 1000:.2f} ms", end="")
    print(f", elsewhere {elsewhere * 1000:.2f} ms")
    medians = {name: median(here for here, _ in each) for name, each in seen.answers.items()}
    for name in sorted(medians, key=lambda name: medians[name], reverse=True)[:10]:
        print(f"{medians[name] * 1000:8.2f} ms: {name}")
    causes = Counter(re.sub(r"^\S+ \S+ |\d+", "", line) for line in site.output)
    for cause, number in causes.most_common(10):
        print(f"{number:6} {cause}")
    # Of a traceback.
    assert [line for line in site.output if line.startswith(" ")] == []
    assert during < RATIO * elsewhere
    assert most < MOST_MIB
    assert seen.threads < MOST_THREADS
    assert seen.unheard == []
    assert {cause: number for cause, number in causes.items() if number > AT_ONCE + seconds} == {}
