"""The sockets that follow who is here in one room: the list of people on an open page."""

from chat.models import Membership, Room
from chat.realtime.clients import Client, notification
from chat.realtime.db import read
from chat.realtime.directory import Directory, RoomFacts
from chat.realtime.presence import Presence
from chat.services.events import PersonCard, PresenceChanged

MAX_NAMED = 100
"""People named in one notification of comings or goings; the count is right beyond."""


class Watchers:
    def __init__(self, directory: Directory, presence: Presence) -> None:
        self._directory = directory
        self._presence = presence
        self._watching: dict[int, set[Client]] = {}
        self._room_of: dict[Client, int] = {}
        self._ties: dict[int, dict[int, bool]] = {}
        """Followed room → user key → whether he left: who counts as here depends on it."""

    async def watch(self, client: Client, room: RoomFacts) -> list[PersonCard]:
        """Follow a room, and no other; returns who is here in it."""
        self.leave(client)
        self._watching.setdefault(room.id, set()).add(client)
        self._room_of[client] = room.id
        self._ties[room.id] = await read(ties_of, room.id)
        return self._here(room)

    def leave(self, client: Client) -> None:
        room_id = self._room_of.pop(client, None)
        if room_id is None:
            return
        self._watching[room_id].discard(client)
        if not self._watching[room_id]:
            del self._watching[room_id]
            self._ties.pop(room_id, None)

    def tell(self, event: PresenceChanged) -> None:
        """People came or went on the whole site: tell who follows a room where that shows."""
        for room_id in self._watching:
            room = self._directory.rooms.get(room_id)
            if room is not None:
                joined = [card for card in event.joined if self._counts(card, room)]
                self._notify(room, joined, event.left)

    async def follow_ties(self, user_id: int) -> None:
        """A person's memberships changed: he may now count as here in a followed room, or no longer."""
        if not self._watching:
            return
        his_ties = await read(ties_of_person, user_id, tuple(self._watching))
        card = self._presence.online.get(f"u{user_id}")
        for room_id, ties in tuple(self._ties.items()):
            room = self._directory.rooms.get(room_id)
            if room is None:
                continue
            counted = card is not None and self._counts(card, room)
            # Also of somebody who is not here: he may come.
            ties.pop(user_id, None)
            if room_id in his_ties:
                ties[user_id] = his_ties[room_id]
            if card is not None and self._counts(card, room) != counted:
                self._notify(room, [] if counted else [card], [card.key] if counted else [])

    def _here(self, room: RoomFacts) -> list[PersonCard]:
        return [card for card in self._presence.online.values() if self._counts(card, room)]

    def _counts(self, card: PersonCard, room: RoomFacts) -> bool:
        ties = self._ties.get(room.id, {})
        if room.kind == Room.Kind.PUBLIC:
            return card.id is None or not ties.get(card.id, False)
        if room.kind == Room.Kind.DIRECT:
            return card.id in ties
        return card.id is not None and ties.get(card.id) is False

    def _notify(self, room: RoomFacts, joined: list[PersonCard], left: list[str]) -> None:
        if not joined and not left:
            return
        payload = {
            "room": room.name,
            "joined": joined[:MAX_NAMED],
            "left": left[:MAX_NAMED],
            "here": len(self._here(room)),
        }
        presence = notification("presence", payload)
        for client in tuple(self._watching.get(room.id, ())):
            client.link.notify(presence)


def ties_of(room_id: int) -> dict[int, bool]:
    return dict(Membership.objects.filter(room_id=room_id).values_list("user_id", "left"))


def ties_of_person(user_id: int, room_ids: tuple[int, ...]) -> dict[int, bool]:
    ties = Membership.objects.filter(user_id=user_id, room_id__in=room_ids)
    return dict(ties.values_list("room_id", "left"))
