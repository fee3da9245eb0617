"""Who asks an operation, of which room, and the room as the answer shows it."""

from chat.actions import access
from chat.queries.tokens import READ
from chat.realtime.clients import Client, RoomEntry, room_entry
from chat.realtime.directory import RoomFacts
from rpc import OperationError, Peer


def client_of(peer: Peer, scope: str = READ) -> Client:
    """
    Raises:
        OperationError: `log_in` first; `not_allowed`, its token is not for this.
    """
    client = peer.data
    if not isinstance(client, Client):
        raise OperationError("log in first", code="log_in")
    client.require(scope)
    return client


def room_of(client: Client, name: str) -> RoomFacts:
    """
    Raises:
        OperationError: `no_such_room`.
    """
    return access.find_room(client.runtime.directory, client.person, name)


async def entry_of(client: Client, room_id: int) -> RoomEntry:
    """A room that this socket just changed, or came to."""
    await client.runtime.catch_up(client, room_id)
    return room_entry(client.person, client.runtime.directory.rooms[room_id])
