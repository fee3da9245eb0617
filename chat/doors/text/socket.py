"""A socket of the text door: shows one room, and reads from the database what was missed."""

from collections.abc import Mapping
from typing import Any

from chat.doors.replay import HeldTooMuch, Replay
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
    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="text", wire=PLAIN)
        self.lines = PLAIN
        self.room: RoomFacts | None = None
        """Once it shows one."""
        self._newest = 0
        """Up to here everything was shown, or is not for this socket."""
        self._replay: Replay[Lines] = Replay(self._show)

    def speak(self, wire: TextWire) -> None:
        """Choose the wire; before anything is subscribed."""
        self.wire = self.lines = wire

    def hold(self) -> None:
        """Show nothing until `begin`."""
        self._replay.hold()

    def begin(self, room: RoomFacts, since: int | None) -> None:
        """From now on show the room: what comes after the message `since`, or only what is new."""
        self.room = room
        self._newest = room.version
        if since is None:
            self._replay.release(0)
        else:
            self.spawn(self._catch_up(since))

    def room_in(self, directory: Directory) -> RoomFacts:
        """The room as it is now: rooms are renamed under those who are in them."""
        assert self.room is not None
        return directory.rooms.get(self.room.id, self.room)

    def send(self, payload: Lines) -> None:
        try:
            self._replay.take(payload)
        except HeldTooMuch:
            self.close(CloseCode.TOO_SLOW, "too slow")

    def _show(self, lines: Lines) -> None:
        if lines.chunks:
            super().send(lines)
        if lines.posts:
            self._newest = max(self._newest, lines.posts[-1][0])
        if lines.gap and self.room is not None:
            self._replay.hold()
            self.spawn(self._catch_up(self._newest))

    async def _catch_up(self, seq: int) -> None:
        """Show everything after `seq` from the database, then what the hub brought meanwhile."""
        async for reached, page, _ in self._replay.pages(seq, self._page_after):
            if self.closing:
                return
            seq = reached
            if page:
                super().send(self.lines.lines_of(page))
                await self.drained()
        self._newest = max(self._newest, seq)
        self._replay.release(seq)

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
