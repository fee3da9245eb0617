"""What gotalk peers are told: each event as a notification, encoded once for any number of them."""

from collections.abc import Iterable
from typing import Any

import msgspec

from chat.actions.rooms import rooms_listed
from chat.queries.structs import RoomMessage
from chat.realtime.clients import RoomPresence, Wire
from chat.realtime.directory import Directory, Person
from chat.services.events import AnyEvent, Changed, ContactChanged, Moderated, Notice, Posted, Pushed, Typing
from rpc import Notification, Peer, Prepared

_json = msgspec.json.Encoder().encode


class GotalkWire(Wire):
    def events(self, events: list[AnyEvent]) -> Prepared | None:
        notifications = [notification for event in events for notification in _notifications(event)]
        return Prepared(notifications) if notifications else None

    def rooms(self, person: Person, directory: Directory) -> Prepared:
        return _told("rooms", {entry.name: entry for entry in rooms_listed(person, directory)})

    def name(self, name: str) -> Prepared:
        return _told("username", name)

    def missed(self) -> Prepared:
        """Something was left out while the peer did not read."""
        return _told("missed", None)

    def presence(self, change: RoomPresence) -> Prepared:
        return _told("presence", change)


GOTALK = GotalkWire()


class GotalkLink:
    """A gotalk peer, over whatever transport."""

    wire = GOTALK

    def __init__(self, peer: Peer) -> None:
        self.door = "web" if peer.scope.get("type") == "websocket" else "gotalk"
        self.scope = peer.scope
        # The peer's own: a method around it would be one more call for each message of a fan-out.
        self.send = peer.send
        self._peer = peer

    def close(self, code: int, text: str) -> None:
        """Nothing is called any more for somebody who is shut out, nor what they sent before and still waits."""
        self._peer.admitted = False
        self._peer.close(code, text)

    def lost_room(self, name: str) -> None:
        """The list of rooms tells it."""


def _notifications(event: AnyEvent) -> Iterable[Notification]:
    match event:
        case Posted():
            for message in event.messages:
                yield Notification("newmsg", _json(RoomMessage(event.room, message)))
        case Changed():
            yield _notification("changed", room=event.room, version=event.version, messages=event.messages)
        case Typing():
            yield _notification("typing", room=event.room, names=event.names)
        case Notice():
            yield _notification(
                "notice",
                level=event.level,
                text=event.text,
                restart_in_ms=event.restart_in_ms,
                spread_ms=event.spread_ms,
            )
        case ContactChanged():
            yield Notification("contact", _json(event.contact))
        case Moderated():
            yield _notification(
                "moderated",
                act=event.act,
                room=event.room,
                reason=event.reason,
                until=event.until,
                objections=event.objections,
            )
        case Pushed():
            yield _notification("push", opcode=event.opcode, **_shown(event))


def _notification(name: str, **params: Any) -> Notification:
    return Notification(name, _json(params))


def _told(name: str, params: Any) -> Prepared:
    return Prepared([Notification(name, _json(params))])


def _shown(event: Pushed) -> dict[str, Any]:
    """A push's payload within JSON: bytes stand in base64, which is said."""
    if event.kind == "json":
        return {"payload": msgspec.Raw(event.payload)}
    if event.kind == "text":
        return {"payload": event.payload.decode()}
    return {"payload": event.payload, "encoding": "base64"}
