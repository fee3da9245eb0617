"""Real servers with people and rooms, and figures of their processes."""

import asyncio
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.gotalk_client import Client
from tests.proof.figures import METRICS_TOKEN, connections, of_process
from tests.proof.wires.conversation import Site
from tests.server import Server

PEOPLE, ROOMS = 40, 6
SETTLE_SECONDS = 2.5
"""A server forgets a connection, such as that of who looks, up to two seconds after its end."""

MAKE = f"""
from chat.models import Room, Token, User
from chat.services.tokens import make_token
for number in range({ROOMS}):
    Room.objects.create(name=f"den-{{number}}")
for number in range({PEOPLE}):
    user = User.objects.create_user(f"person{{number}}", name=f"Person {{number}}")
    print(make_token(Token(user=user, name="fuzz", scopes=["read", "post", "rpc"])))
"""


class RunningSite:
    """
    Args:
        tokens: those of its people.
        rates: whether it limits rates.
    """

    def __init__(self, server: Server, tokens: list[str], *, rates: bool) -> None:
        self.server = server
        host, port = server.gotalk_url.removeprefix("tcp://").split(":")
        rooms = [f"den-{number}" for number in range(ROOMS)]
        self.site = Site(("127.0.0.1", server.port), (host, int(port)), tokens, rooms, rates, {})

    def memory_kib(self) -> int:
        return of_process(self.server.process.pid, "VmRSS")

    def faults(self) -> list[str]:
        """The lines of the log that tell of a failure."""
        return [
            line for line in self.server.output if "Traceback" in line or re.search(r" (ERROR|CRITICAL) ", line)
        ]

    async def left(self) -> Counter[str]:
        """What the process has of clients that are gone, and of nobody else."""
        async with Client(self.server.websocket_url) as client:
            left = Counter(await client.request("left"))
        await asyncio.sleep(SETTLE_SECONDS)
        return left + self._descriptors() + Counter(connections=await connections(self.server))

    def _descriptors(self) -> Counter[str]:
        """What the process has open, but for the database: each of its threads opens that when it first reads."""
        folder = Path(f"/proc/{self.server.process.pid}/fd")
        open_now = Counter(re.sub(r":\[\d+\]$", "", os.readlink(each)) for each in folder.iterdir())
        return Counter({path: count for path, count in open_now.items() if "sqlite3" not in path})


@contextmanager
def running_sites(folder: Path) -> Iterator[list[RunningSite]]:
    """One without limits of rates, and one with them."""
    servers = [_server(folder / "without-rates", "off"), _server(folder / "with-rates", "on")]
    tokens = servers[0].manage("shell", "-v", "0", "-c", MAKE).split()[-PEOPLE:]
    shutil.copytree(servers[0].data, servers[1].data)
    with ExitStack() as stack:
        yield [
            RunningSite(stack.enter_context(server), tokens, rates=rates)
            for server, rates in zip(servers, (False, True), strict=True)
        ]


def _server(folder: Path, rates: str) -> Server:
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.proof.wires.site.settings",
        "RATE_LIMITS": rates,
        "GOTALK_LISTEN": "tcp://127.0.0.1:0",
        "METRICS_TOKEN": METRICS_TOKEN,
    }
    return Server(folder, environment=environment)
