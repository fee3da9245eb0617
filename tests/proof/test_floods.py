"""
Whoever floods a limit of the library's peer harms nobody else: another client's slowest answers stay what they are
at a quiet site. What a whole site knows is flooded in tests/floods/.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack

import pytest

from rpc import Client, connect
from tests.peers.conftest import running_site
from tests.proof.flooder import KINDS, SILENT
from tests.server import ROOT
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

SECONDS = short_or_whole(5, 10) / 10
RATIO = 15
"""How much slower an answer may be; without limits of rates it is 30 times and more."""


@pytest.fixture(scope="module")
def sites():
    """The addresses of one to be flooded, and of one that has the machine to share with it and nothing else."""
    with running_site("--rates") as flooded, running_site("--rates") as beside:
        yield flooded, beside


async def slowest_twentieth(client: Client) -> float:
    """The 95th percentile of the time for an answer, in seconds, over some seconds."""
    times = []
    end = time.perf_counter() + SECONDS
    while (started := time.perf_counter()) < end:
        await client.request("echo", timeout=20)
        times.append(time.perf_counter() - started)
        # At a person's speed, not a flooder's.
        await asyncio.sleep(0.006)
    return sorted(times)[len(times) * 95 // 100]


@pytest.mark.parametrize("kind", [*KINDS, SILENT])
def test_flood(sites, kind):
    """The ratio of two measurements at the same time, at the site that is flooded and at the other one."""

    async def scenario():
        host, port = sites[0]["tcp"].removeprefix("tcp://").split(":")
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(await connect(site["ws"])) for site in sites]
            command = ("-m", "tests.proof.flooder", kind, host, port, str(2 * SECONDS))
            flooder = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            assert await flooder.stdout.readline() == b"begun\n"
            flooded, beside = await asyncio.gather(*map(slowest_twentieth, clients))
            await flooder.communicate()
            assert flooder.returncode == 0
            assert flooded < RATIO * beside

    asyncio.run(scenario())
