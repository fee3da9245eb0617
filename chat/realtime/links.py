"""One connection of a door, as everything behind the doors sees it."""

from collections.abc import Mapping
from typing import Any, Protocol

from chat.realtime.hub import Encode
from chat.services.events import gotalk_wire
from rpc import Peer, Prepared


class Link(Protocol):
    """Nothing here waits, and nothing raises because the other end is gone."""

    @property
    def door(self) -> str:
        """What messages and the list of connections call the door."""

    @property
    def scope(self) -> Mapping[str, Any]:
        """The ASGI scope of a WebSocket, or what stands for one: `headers`, `client`."""

    @property
    def encode(self) -> Encode:
        """The wire: turns events into what `send` takes."""

    def send(self, payload: Any) -> None:
        """Write what `encode` made."""

    def notify(self, prepared: Prepared) -> None:
        """Write a gotalk notification that is for this one; other wires have no word for it."""

    def lost_room(self, name: str) -> None:
        """A room that was entered is closed to this person now."""

    def close(self, code: int, text: str) -> None:
        """Close with a WebSocket close code and a reason."""


class GotalkLink:
    """A gotalk peer, over whatever transport."""

    encode: Encode = staticmethod(gotalk_wire)

    def __init__(self, peer: Peer) -> None:
        self.door = "web" if peer.scope.get("type") == "websocket" else "gotalk"
        self.scope = peer.scope
        # The peer's own: a method around it would be one more call for each message of a fan-out.
        self.send = self.notify = peer.send
        self.close = peer.close

    def lost_room(self, name: str) -> None:
        """It is told by the list of rooms."""
