"""How far people have read, gathered in memory and stored every few seconds: worth a batch, not a commit each."""

import asyncio
import contextlib
import logging

from chat.realtime.writer import Writer, WriterBusy
from chat.services.memberships import save_places

logger = logging.getLogger(__name__)

SAVE_SECONDS = 2.0
"""A crash forgets at most this much reading; nothing that was said."""


class Places:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: dict[tuple[int, int], tuple[int, int]] = {}
        self._changed = asyncio.Event()

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._save_regularly(), name="places writer")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(WriterBusy):
            await self._save()

    def note(self, room_id: int, user_id: int, seq: int, number: int) -> None:
        self._waiting[room_id, user_id] = (seq, number)
        self._changed.set()

    async def _save_regularly(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save()
            except Exception:
                logger.exception("places could not be saved")

    async def _save(self) -> None:
        self._changed.clear()
        places, self._waiting = self._waiting, {}
        if places:
            await self._writer.run(save_places, places)
