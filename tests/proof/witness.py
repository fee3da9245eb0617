"""A second person, who talks to a site while a stranger attacks it, and what becomes of the site's process."""

import asyncio
import json
import os
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.gotalk_client import Client
from tests.proof.figures import of_process
from tests.proof.stranger import Told
from tests.server import ROOT, Server

ANSWERED_WITHIN = 5.0
"""Seconds for an answer to the second person, on a machine that does much else."""
QUIET = 50
"""Answers before the attack, to compare with."""


@dataclass
class Seen:
    """What an attack came to."""

    told: list[Told] = field(default_factory=list)
    """What the stranger was told, each time."""
    quiet: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """Seconds for each answer to the second person, before and during the attack."""
    threads: int = 0
    grown_kib: int = 0
    """The most memory that the process has had, beyond what it had before."""
    spooled: int = 0
    """The most bytes that were seen in its temporary files."""

    @property
    def statuses(self) -> set[int | None]:
        return {each.status for each in self.told}


def spooled(pid: int) -> int:
    """The bytes of its files that have no name any more."""
    total = 0
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                total += status.st_size
    return total


async def ask(client: Client) -> float:
    began = time.perf_counter()
    async with asyncio.timeout(ANSWERED_WITHIN):
        await client.request("echo", "hello")
    return time.perf_counter() - began


async def attack(server: Server, kind: str, *, by: str = "tests.proof.stranger") -> Seen:
    """
    Let a stranger have their way while the second person goes on asking.

    Args:
        kind, by: what they do, and the module that does it.

    Raises:
        TimeoutError: the second person was not answered in time.
    """
    seen = Seen()
    pid = server.process.pid
    async with Client(server.websocket_url) as second:
        seen.quiet = [await ask(second) for _ in range(QUIET)]
        # The peak that VmHWM tells begins anew.
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        before = of_process(pid, "VmRSS")
        command = (sys.executable, "-m", by, kind, str(server.port))
        stranger = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        told = asyncio.create_task(stranger.communicate())
        try:
            while not told.done():
                seen.answers.append(await ask(second))
                seen.threads = max(seen.threads, of_process(pid, "Threads"))
                seen.spooled = max(seen.spooled, spooled(pid))
                await asyncio.wait([told], timeout=0.01)
        finally:
            if stranger.returncode is None:
                stranger.kill()
            await told
        seen.grown_kib = of_process(pid, "VmHWM") - before
        assert stranger.returncode == 0
        seen.told = [Told(*each) for each in json.loads(told.result()[0])]
    return seen
