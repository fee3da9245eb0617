"""When tokens were last used, gathered in memory and stored in batches: whoever finds a token only reads."""

import asyncio
import contextlib
import logging
import time

from chat.queries.tokens import FoundToken
from chat.realtime.writer import Writer, WriterBusy
from chat.services.tokens import note_use

logger = logging.getLogger(__name__)

SAVE_SECONDS = 2.0
"""A crash forgets at most the uses of this long."""
USED_AGAIN_SECONDS = 60.0
"""The last use of one token is stored at most this often."""


class TokenUse:
    """
    Holds the tokens whose last use is to be stored. The runtime notes each use, on the loop; started and
    stopped by it, while the writer runs.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: set[int] = set()
        self._changed = asyncio.Event()

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._save_regularly(), name="token use writer")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(WriterBusy):
            await self._save()

    def note(self, token: FoundToken) -> None:
        """A token was found, for somebody who shows it now."""
        if token.last_used_at is None or token.last_used_at < time.time() - USED_AGAIN_SECONDS:
            self._waiting.add(token.id)
            self._changed.set()

    async def _save_regularly(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save()
            except Exception:
                logger.exception("the use of tokens could not be saved")

    async def _save(self) -> None:
        self._changed.clear()
        token_ids, self._waiting = self._waiting, set()
        if token_ids:
            await self._writer.run(note_use, token_ids)
