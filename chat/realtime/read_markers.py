"""How far people have read, gathered in memory and stored every few seconds: worth a batch, not a commit each."""

from chat.models import Membership
from chat.queries.history import posts_up_to
from chat.queries.identity import MembershipFacts
from chat.queries.rooms import RoomFacts
from chat.realtime.db import read
from chat.realtime.directory import Person
from chat.realtime.writer import Saver, Writer, WriterBusy
from chat.services.memberships import save_read_markers

SAVE_SECONDS = 2.0
"""A crash forgets at most this much reading; nothing that was said."""


class ReadMarkers:
    """
    The read markers that moved and are not stored yet.

    Actions move them on the loop, one task hands them to the writer. It promises that a marker never moves back
    and is stored within `SAVE_SECONDS`, or when the process ends.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: dict[tuple[int, int], tuple[int, int]] = {}
        self._saver = Saver("read markers", SAVE_SECONDS, self._save)

    async def start(self) -> None:
        self._saver.start()

    async def stop(self) -> None:
        await self._saver.stop()

    async def move(self, person: Person, room: RoomFacts, seq: int) -> tuple[MembershipFacts, bool]:
        """
        Move a person's marker in a room forward to `seq`, or to the last post before it; returns the membership
        with the marker, and whether it moved. A guest without an account has none: their browser keeps it.
        """
        if 0 < room.last_seq <= seq:
            seq, number = room.last_seq, room.posts
        else:
            seq, number = await read(posts_up_to, room.id, seq)
        who = person.identity
        marker = person.membership_in(room)
        if marker is None:
            marker = MembershipFacts(
                role=Membership.Role.MEMBER.value, left=False, muted=False, read_seq=0, read_posts=0
            )
            if who.user_id is not None:
                who.memberships[room.id] = marker
        if seq <= marker.read_seq:
            return marker, False
        marker.read_seq, marker.read_posts = seq, number
        if who.user_id is not None:
            self._waiting[room.id, who.user_id] = (seq, number)
            self._saver.changed()
        return marker, who.user_id is not None

    async def _save(self) -> None:
        markers, self._waiting = self._waiting, {}
        if markers:
            try:
                await self._writer.run(save_read_markers, markers)
            except WriterBusy:
                self._waiting = markers | self._waiting
                raise
