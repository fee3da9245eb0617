"""The sockets that follow who is here in one room: the list of people on an open page."""

from chat.models import Room
from chat.queries.members import memberships_in, memberships_of
from chat.queries.rooms import RoomFacts
from chat.queries.structs import PersonCard, person_key
from chat.realtime.clients import Client, RoomPresence, Wire
from chat.realtime.db import read
from chat.realtime.directory import Directory
from chat.realtime.presence import Presence
from chat.realtime.visibility import sees
from chat.services.events import PresenceChanged

MAX_NAMED = 100
"""People named in one notification of comings or goings; the count is right beyond."""


class Watchers:
    """
    Which client follows which room, at most one each, and who ever belonged to the followed rooms.

    Actions and `Refresh` call it on the loop. It promises that whoever follows a room is told of every coming
    and going that its list of people shows, for as long as it sees the room.
    """

    def __init__(self, directory: Directory, presence: Presence) -> None:
        self._directory = directory
        self._presence = presence
        self._watching: dict[int, set[Client]] = {}
        self._room_of: dict[Client, int] = {}
        self._has_left: dict[int, dict[int, bool]] = {}
        """Followed room → user key → whether they left: who counts as here depends on it."""

    async def watch(self, client: Client, room: RoomFacts) -> list[PersonCard]:
        """Follow a room, and no other; returns who is here in it."""
        self.leave(client)
        self._watching.setdefault(room.id, set()).add(client)
        self._room_of[client] = room.id
        self._has_left[room.id] = await read(memberships_in, room.id)
        return self._here(room)

    def leave(self, client: Client) -> None:
        room_id = self._room_of.pop(client, None)
        if room_id is None:
            return
        self._watching[room_id].discard(client)
        if not self._watching[room_id]:
            del self._watching[room_id]
            self._has_left.pop(room_id, None)

    def tell(self, event: PresenceChanged) -> None:
        """People came or went on the whole site: tell those who follow a room where that shows."""
        for room_id in self._watching:
            room = self._directory.rooms.get(room_id)
            if room is not None:
                joined = [card for card in event.joined if self._counts(card, room)]
                self._notify(room, joined, event.left)

    async def follow_memberships(self, user_id: int) -> None:
        """A person's memberships changed: they may now count as here in a followed room, or no longer."""
        if not self._watching:
            return
        now = await read(memberships_of, user_id, tuple(self._watching))
        card = self._presence.online.get(person_key(user_id))
        for room_id, has_left in tuple(self._has_left.items()):
            room = self._directory.rooms.get(room_id)
            if room is None:
                continue
            counted = card is not None and self._counts(card, room)
            # Also of somebody who is not here: they may come.
            has_left.pop(user_id, None)
            if room_id in now:
                has_left[user_id] = now[room_id]
            if card is not None and self._counts(card, room) != counted:
                self._notify(room, [] if counted else [card], [card.key] if counted else [])

    async def follow_all_memberships(self) -> None:
        """Anybody's may have changed: read those of every followed room again."""
        for room_id in tuple(self._has_left):
            now = await read(memberships_in, room_id)
            room = self._directory.rooms.get(room_id)
            if room is None or room_id not in self._has_left:
                continue
            before = self._here(room)
            self._has_left[room_id] = now
            after = self._here(room)
            came = [card for card in after if card not in before]
            self._notify(room, came, [card.key for card in before if card not in after])

    def _here(self, room: RoomFacts) -> list[PersonCard]:
        return [card for card in self._presence.online.values() if self._counts(card, room)]

    def _counts(self, card: PersonCard, room: RoomFacts) -> bool:
        has_left = self._has_left.get(room.id, {})
        if room.kind == Room.Kind.PUBLIC:
            return card.id is None or not has_left.get(card.id, False)
        if room.kind == Room.Kind.DIRECT:
            return card.id in has_left
        return card.id is not None and has_left.get(card.id) is False

    def _notify(self, room: RoomFacts, joined: list[PersonCard], left: list[str]) -> None:
        if not joined and not left:
            return
        change = RoomPresence(room.name, joined[:MAX_NAMED], left[:MAX_NAMED], len(self._here(room)))
        written: dict[Wire, object] = {}
        for client in tuple(self._watching.get(room.id, ())):
            if not sees(client.person, room):
                self.leave(client)
                continue
            wire = client.link.wire
            if wire not in written:
                written[wire] = wire.presence(change)
            client.tell(written[wire])
