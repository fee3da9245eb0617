"""A socket of the text door: shows one room, and reads from the database what was missed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from chat.doors.replay import Replay
from chat.doors.socket import DoorSocket, Receive
from chat.doors.text.wire import PLAIN, Lines, TextWire
from chat.queries import history
from chat.queries.rooms import RoomFacts
from chat.queries.structs import Message
from chat.realtime.db import read
from chat.realtime.directory import Directory
from rpc import CloseCode, OperationError, RetryLater
from rpc.transports.websocket_server import AsgiSend


class TextSocket(DoorSocket):
    opens_at_once = False
    """It is accepted once it is in its room: whoever is connected hears what is said from then on."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="text", wire=PLAIN)
        self.lines = PLAIN
        self.room: RoomFacts | None = None
        """Once it shows one."""
        self._expected = 0
        """The newest line of this client, which comes back as all others do."""
        self._arrived: asyncio.Future[None] | None = None
        self._replay: Replay[Lines] = Replay(self._show)
        self._replay.hold()

    def speak(self, wire: TextWire) -> None:
        """Choose the wire; before anything is subscribed."""
        self.wire = self.lines = wire

    def begin(self, room: RoomFacts, since: int | None) -> None:
        """From now on show the room: what comes after the message `since`, or only what is new."""
        self.room = room
        if since is None:
            self._replay.release(0)
            self._replay.shown = room.version
        else:
            self._replay.shown = since
            self.spawn(self._catch_up())

    def room_in(self, directory: Directory) -> RoomFacts:
        """The room as it is now: rooms are renamed under those who are in them."""
        assert self.room is not None
        return directory.rooms.get(self.room.id, self.room)

    def expect(self, seq: int) -> None:
        """This client's own line is to be shown here too."""
        self._expected = max(self._expected, seq)

    async def all_shown(self) -> None:
        """Wait for the client's own lines, no longer than a close may take; it sends no more."""
        if self._replay.shown < self._expected and not self.closing:
            self._arrived = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._arrived,), timeout=self._limits.close_timeout)

    def send(self, payload: Lines) -> None:
        self._replay.take(payload)
        self._note_arrival()

    def _show(self, lines: Lines) -> bool:
        if lines.chunks and not self.show(lines):
            return False
        if lines.gap and self.room is not None:
            self._replay.hold()
            self.spawn(self._catch_up())
        return True

    def missed(self) -> None:
        if self._replay.is_behind:
            self.spawn(self._catch_up())

    def _note_arrival(self) -> None:
        if self._arrived is not None and not self._arrived.done() and self._replay.shown >= self._expected:
            self._arrived.set_result(None)

    async def _catch_up(self) -> None:
        """Show what was not shown yet from the database, then what the hub brought meanwhile."""
        seq = self._replay.shown
        async for reached, page, _ in self._replay.pages(seq, self._page_after):
            await self.drained()
            if self.closing:
                return
            seq = reached
            if page:
                self.show(self.lines.lines_of(page))
        self._replay.release(seq)
        self._note_arrival()

    async def _page_after(self, seq: int) -> tuple[int, list[Message], bool]:
        assert self.room is not None
        page = await read(history.page, self.room.id, after_seq=seq, limit=history.MAX_PAGE)
        return page[-1].seq if page else seq, page, bool(page)

    def refuse(self, error: OperationError | RetryLater) -> None:
        """Tell this client alone what went wrong."""
        self.send_text(self.lines.error(str(error), error.code))

    def lost_room(self, name: str) -> None:
        self.close(CloseCode.NOT_ALLOWED, "you may no longer be in this room")

    def close(self, code: int, text: str = "") -> None:
        # Many clients of this wire show no close code.
        if CloseCode.BAD_MESSAGE <= code < CloseCode.TOO_SLOW and not self.closing:
            self.send_text(self.lines.error(text, "closed"))
        super().close(code, text)
