"""Messages: read, posted, edited, removed, reacted to."""

from typing import Annotated

import msgspec

from chat.actions import edit, history, post, react
from chat.actions.history import RoomSync
from chat.actions.post import NewMessage
from chat.actions.roles import Verb
from chat.doors.gotalk.caller import caller_of
from chat.models import MAX_EMOJI_CHARS
from chat.queries.history import MAX_PAGE, PAGE, Seq
from chat.queries.structs import Message
from chat.services.posts import MAX_BODY_CHARS
from rpc import OperationError, Peer
from rpc import default_handlers as handlers


class ListMessages(msgspec.Struct):
    room: str
    before_seq: Seq | None = None
    after_seq: Seq | None = None
    around_seq: Seq | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = PAGE


@handlers.request("list-messages", requires=Verb.READ.scopes)
async def list_messages(peer: Peer, params: str | ListMessages) -> list[Message]:
    """A page of a room's messages, oldest first: the newest, or those next to a seq."""
    asked = ListMessages(params) if isinstance(params, str) else params
    return await history.list_messages(
        caller_of(peer),
        asked.room,
        before_seq=asked.before_seq,
        after_seq=asked.after_seq,
        around_seq=asked.around_seq,
        limit=asked.limit,
    )


class Sync(msgspec.Struct):
    rooms: Annotated[dict[str, Seq], msgspec.Meta(max_length=1000)]


class SyncResult(msgspec.Struct):
    rooms: dict[str, RoomSync]


@handlers.request("sync", requires=Verb.READ.scopes)
async def sync(peer: Peer, params: Sync) -> SyncResult:
    """What changed in rooms since the versions that you know, in the order of the changes."""
    return SyncResult(await history.sync(caller_of(peer), params.rooms))


class SendMessage(msgspec.Struct):
    room: str
    message: NewMessage


class Receipt(msgspec.Struct):
    id: int
    seq: int
    version: int
    number: int
    at: str


@handlers.request("send-message", requires=Verb.POST.scopes)
async def send_message(peer: Peer, params: SendMessage) -> Receipt:
    """Post to a room. Answered once it is durable; the same client_id again answers the first post."""
    try:
        message = await post.post(caller_of(peer), params.room, params.message)
    except OperationError as error:
        if error.field is not None:
            error.field = f"message.{error.field}"
        raise
    return Receipt(message.id, message.seq, message.version, message.number, message.at)


class OnMessage(msgspec.Struct):
    room: str
    seq: Seq


class EditMessage(OnMessage):
    body: Annotated[str, msgspec.Meta(max_length=MAX_BODY_CHARS)]


@handlers.request("edit-message", requires=Verb.EDIT.scopes)
async def edit_message(peer: Peer, params: EditMessage) -> Message:
    """Give your message a new text (moderators: any message)."""
    return await edit.edit(caller_of(peer), params.room, params.seq, params.body)


class DeleteMessage(OnMessage):
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


@handlers.request("delete-message", requires=Verb.REMOVE.scopes)
async def delete_message(peer: Peer, params: DeleteMessage) -> Message:
    """Remove your message (moderators: any message); a tombstone stays."""
    return await edit.remove(caller_of(peer), params.room, params.seq, params.reason)


class React(OnMessage):
    emoji: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_EMOJI_CHARS)]
    on: bool = True


@handlers.request("react", requires=Verb.REACT.scopes)
async def react_to_message(peer: Peer, params: React) -> Message:
    """Put a reaction on a message, or take it off."""
    return await react.react(caller_of(peer), params.room, params.seq, params.emoji, on=params.on)


class InRoom(msgspec.Struct):
    room: str


@handlers.notification("typing", requires=Verb.TYPE.scopes)
async def typing(peer: Peer, params: InRoom) -> None:
    """You are writing in a room."""
    post.show_typing(caller_of(peer), params.room)
