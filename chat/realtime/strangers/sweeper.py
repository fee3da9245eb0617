"""What visitors leave behind, and what is over, is swept while the server runs."""

import asyncio
import logging

from chat.queries.presence import oldest_process
from chat.realtime.db import read
from chat.realtime.presence import Presence
from chat.realtime.writer import Writer, WriterBusy
from chat.services.sweeping import AT_ONCE, KINDS, find, remove

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 60.0
MOST_PORTIONS = 10
"""Of one kind in one round; the rest is for the next one."""


class Sweeper:
    """
    Sweeps regularly, in a process that is the oldest of its site.

    The runtime starts and stops it; one task on the loop has it read by the readers and deleted by the writer, a
    portion at a time. It promises that no round takes more than `MOST_PORTIONS` of a kind.
    """

    def __init__(self, writer: Writer, presence: Presence) -> None:
        self._writer = writer
        self._presence = presence

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="sweeper")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def sweep(self) -> None:
        """One round, if it is this process's turn."""
        if await read(oldest_process) == self._presence.process:
            for kind in KINDS:
                await self._sweep(kind)

    async def _sweep(self, kind: str) -> None:
        count = 0
        for _ in range(MOST_PORTIONS):
            keys = await read(find, kind)
            if keys:
                await self._writer.run(remove, kind, keys)
            count += len(keys)
            if len(keys) < AT_ONCE:
                break
        if count:
            logger.info("swept %d %s", count, kind)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except WriterBusy:
                continue
            except Exception:
                logger.exception("could not sweep")
