"""When tokens were last used, gathered in memory and stored in batches: whoever finds a token only reads."""

import time

from chat.queries.tokens import FoundToken
from chat.realtime.writer import Saver, Writer, WriterBusy
from chat.services.tokens import note_use

SAVE_SECONDS = 2.0
"""A crash forgets at most the uses of this long."""
USED_AGAIN_SECONDS = 60.0
"""The last use of one token is stored at most this often."""


class TokenUse:
    """
    The tokens whose last use is to be stored.

    `Connections` notes each use on the loop. It promises that a use is stored within `SAVE_SECONDS`, unless the
    token was used in the last minute anyway.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: set[int] = set()
        self._saver = Saver("the use of tokens", SAVE_SECONDS, self._save)

    async def start(self) -> None:
        self._saver.start()

    async def stop(self) -> None:
        await self._saver.stop()

    def note(self, token: FoundToken) -> None:
        """A token was found, for somebody who shows it now."""
        if token.last_used_at is None or token.last_used_at < time.time() - USED_AGAIN_SECONDS:
            self._waiting.add(token.id)
            self._saver.changed()

    async def _save(self) -> None:
        token_ids, self._waiting = self._waiting, set()
        if token_ids:
            try:
                await self._writer.run(note_use, token_ids)
            except WriterBusy:
                self._waiting |= token_ids
                raise
