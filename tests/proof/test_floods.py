"""Whoever floods a limit harms nobody else: another client's slowest answers stay what they were."""

import asyncio
import sys
import time

import pytest

from rpc import Client, connect
from tests.peers.conftest import running_site
from tests.proof.flooder import KINDS, SILENT
from tests.server import ROOT

pytestmark = pytest.mark.long

SECONDS = 1.0
RATIO, SLACK = 10, 0.25
"""How much slower, and how many seconds more: two cores share a flooder, the server and the one who measures."""


@pytest.fixture(scope="module")
def site():
    with running_site("--rates") as addresses:
        yield addresses


async def slowest_of_a_hundred(client: Client, seconds: float) -> float:
    """The 99th percentile of the time for an answer, in seconds, over some seconds."""
    times = []
    end = time.perf_counter() + seconds
    while (started := time.perf_counter()) < end:
        await client.request("echo", timeout=20)
        times.append(time.perf_counter() - started)
        # As fast as a person, not as a flooder.
        await asyncio.sleep(0.006)
    return sorted(times)[len(times) * 99 // 100]


@pytest.mark.parametrize("kind", [*KINDS, SILENT])
def test_flood(site, kind):
    """The ratio of two measurements, with and without the flood, in one run."""

    async def scenario():
        host, port = site["tcp"].removeprefix("tcp://").split(":")
        async with await connect(site["ws"]) as client:
            quiet = await slowest_of_a_hundred(client, SECONDS / 2)
            command = ("-m", "tests.proof.flooder", kind, host, port, str(SECONDS + 1))
            flooder = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            assert await flooder.stdout.readline() == b"begun\n"
            flooded = await slowest_of_a_hundred(client, SECONDS)
            await flooder.communicate()
            assert flooder.returncode == 0
            assert flooded < RATIO * quiet + SLACK

    asyncio.run(scenario())
