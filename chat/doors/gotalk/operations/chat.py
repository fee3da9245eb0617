"""The chat over gotalk: each operation finds the room through the person, asks access, calls a service."""

import asyncio
import time
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from chat.actions import access
from chat.actions.post import post
from chat.doors.gotalk.asking import client_of, entry_of, room_of
from chat.models import MAX_EMOJI_CHARS, MAX_TOPIC_CHARS
from chat.queries import history
from chat.queries.members import Info, Member, members_of
from chat.queries.members import info as info_for
from chat.queries.tokens import POST, RPC
from chat.realtime import lifecycle
from chat.realtime.clients import Client, RoomEntry
from chat.realtime.db import read
from chat.realtime.directory import RoomFacts
from chat.realtime.links import GotalkLink
from chat.services import memberships, messages, rooms
from chat.services.events import Message, Typing
from chat.services.posts import MAX_BODY_CHARS
from rpc import CloseCode, OperationError, Peer, Refused
from rpc import default_handlers as handlers

LOGIN_SECONDS = 5.0
"""For a byte stream to say who it is, where guests are not allowed."""
TYPING_SECONDS = 3.0
"""One person's typing is passed on at most this often."""

PageSize = Annotated[int, msgspec.Meta(ge=1, le=history.MAX_PAGE)]


class InRoom(msgspec.Struct):
    room: str


class OnMessage(msgspec.Struct):
    room: str
    seq: history.Seq


# --- connections -------------------------------------------------------------------------------------------


@handlers.opened
async def opened(peer: Peer) -> None:
    runtime = await lifecycle.start()
    try:
        peer.data = await runtime.connect(GotalkLink(peer), needs=RPC)
    except Refused as refusal:
        if refusal.close_code != CloseCode.LOG_IN or peer.scope.get("type") == "websocket":
            raise
        peer.data = Stranger(peer, refusal)


class Stranger:
    """A byte stream that may not be a guest. It has no header for a token: it logs in, or is soon closed."""

    def __init__(self, peer: Peer, refusal: Refused) -> None:
        self._peer = peer
        self._refusal = refusal
        self.logs_in = False
        self._wait()

    def _wait(self) -> None:
        asyncio.get_running_loop().call_later(LOGIN_SECONDS, self._turn_away)

    def _turn_away(self) -> None:
        if self.logs_in:
            self._wait()
        elif self._peer.data is self:
            self._peer.close(self._refusal.close_code, self._refusal.text)


@handlers.closed
async def closed(peer: Peer) -> None:
    if isinstance(peer.data, Client):
        await peer.data.runtime.disconnect(peer.data)


class WhoAmI(msgspec.Struct):
    id: int | None
    key: str
    name: str
    is_guest: bool
    is_bot: bool
    is_staff: bool
    logged_in: bool
    can_create_rooms: bool
    max_body_chars: int
    sign_up: str


@handlers.request("whoami")
async def whoami(peer: Peer) -> WhoAmI:
    """Who one is here and what one may."""
    client = client_of(peer)
    who, site = client.person.identity, client.runtime.directory.site
    return WhoAmI(
        id=who.user_id,
        key=who.key,
        name=who.name,
        is_guest=who.is_guest,
        is_bot=who.is_bot,
        is_staff=who.is_staff,
        logged_in=not who.is_guest,
        can_create_rooms=access.may_create_rooms(client.person, site),
        max_body_chars=MAX_BODY_CHARS,
        sign_up=site.sign_up,
    )


class Login(msgspec.Struct):
    token: str


@handlers.request("login")
async def login(peer: Peer, params: str | Login) -> WhoAmI:
    """Be the person of a token from now on."""
    secret = params if isinstance(params, str) else params.token
    try:
        if isinstance(peer.data, Stranger):
            await _enter(peer, peer.data, secret)
        else:
            await peer.data.runtime.log_in(peer.data, secret, needs=RPC)
    except Refused as refusal:
        raise OperationError(refusal.text, code="log_in") from None
    return await whoami(peer)


async def _enter(peer: Peer, stranger: Stranger, secret: str) -> None:
    if stranger.logs_in:
        raise OperationError("one login at a time", code="log_in")
    stranger.logs_in = True
    try:
        peer.data = await (await lifecycle.start()).connect(GotalkLink(peer), secret=secret, needs=RPC)
    finally:
        stranger.logs_in = False


# --- reading -----------------------------------------------------------------------------------------------


class ListMessages(msgspec.Struct):
    room: str
    before_seq: history.Seq | None = None
    after_seq: history.Seq | None = None
    around_seq: history.Seq | None = None
    limit: PageSize = history.PAGE


@handlers.request("list-messages")
async def list_messages(peer: Peer, params: str | ListMessages) -> list[Message]:
    """A page of a room's messages, oldest first: the newest, or those next to a seq."""
    asked = ListMessages(params) if isinstance(params, str) else params
    room = room_of(client_of(peer), asked.room)
    return await read(
        history.page,
        room.id,
        before_seq=asked.before_seq,
        after_seq=asked.after_seq,
        around_seq=asked.around_seq,
        limit=asked.limit,
    )


class Sync(msgspec.Struct):
    rooms: Annotated[dict[str, history.Seq], msgspec.Meta(max_length=1000)]


class RoomSync(msgspec.Struct):
    version: int
    messages: list[Message] = []
    more: bool = False
    reset: bool = False


class SyncResult(msgspec.Struct):
    rooms: dict[str, RoomSync]


@handlers.request("sync")
async def sync(peer: Peer, params: Sync) -> SyncResult:
    """What changed in rooms since the versions one knows, in the order of the changes."""
    answer: dict[str, RoomSync] = {}
    room_for = history.MAX_PAGE
    client = client_of(peer)
    for name, version in params.rooms.items():
        try:
            room = room_of(client, name)
        except OperationError:
            answer[name] = RoomSync(0, reset=True)
            continue
        if room_for == 0:
            # The page is full: the asker comes again for this room, from where it was.
            answer[name] = RoomSync(version, more=True)
        else:
            reached, changed, more = await read(history.changes_since, room.id, version, room_for)
            room_for -= len(changed)
            answer[name] = RoomSync(reached, changed, more)
    return SyncResult(answer)


class MemberList(msgspec.Struct):
    members: list[Member]
    here: int


@handlers.request("list-members")
async def list_members(peer: Peer, params: str | InRoom) -> MemberList:
    """Who is here in a room and who else belongs to it; from now on `presence` tells this socket of changes."""
    client = client_of(peer)
    room = room_of(client, params if isinstance(params, str) else params.room)
    here = await client.runtime.watchers.watch(client, room)
    return MemberList(await read(members_of, room.id, here), len(here))


@handlers.request("info")
async def info(peer: Peer, params: str | None = None) -> Info:
    """Oneself, one's rooms and contacts; or of the person of a name what one shares with him."""
    return await info_for(client_of(peer), params or "")


# --- writing -----------------------------------------------------------------------------------------------


class PostedBody(msgspec.Struct):
    body: str
    client_id: UUID | None = None
    reply_to: history.Seq | None = None


class SendMessage(msgspec.Struct):
    room: str
    message: PostedBody


class Receipt(msgspec.Struct):
    id: int
    seq: int
    version: int
    number: int
    at: str


@handlers.request("send-message")
async def send_message(peer: Peer, params: SendMessage) -> Receipt:
    """Post to a room. Answered once it is durable; the same client_id again answers the first post."""
    message = await post(
        client_of(peer, POST),
        params.room,
        params.message.body,
        client_id=params.message.client_id,
        reply_to=params.message.reply_to,
    )
    return Receipt(message.id, message.seq, message.version, message.number, message.at)


class EditMessage(OnMessage):
    body: Annotated[str, msgspec.Meta(max_length=MAX_BODY_CHARS)]


@handlers.request("edit-message")
async def edit_message(peer: Peer, params: EditMessage) -> Message:
    """Give an own message a new text (moderators: any message)."""
    client = client_of(peer, POST)
    room, message = await _message(client, params)
    body = access.check_body(params.body)
    access.check_edit(client.person, room, message, client.runtime.directory.site)
    by = await client.runtime.account(client)
    return await client.runtime.write(messages.edit_message, room.id, message.seq, body, by=by)


class DeleteMessage(OnMessage):
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""


@handlers.request("delete-message")
async def delete_message(peer: Peer, params: DeleteMessage) -> Message:
    """Remove an own message (moderators: any message); a tombstone stays."""
    client = client_of(peer, POST)
    room, message = await _message(client, params)
    access.check_remove(client.person, room, message)
    by = await client.runtime.account(client)
    return await client.runtime.write(messages.remove_message, room.id, message.seq, by=by, reason=params.reason)


class React(OnMessage):
    emoji: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_EMOJI_CHARS)]
    on: bool = True


@handlers.request("react")
async def react(peer: Peer, params: React) -> Message:
    """Put a reaction on a message, or take it off."""
    client = client_of(peer, POST)
    room, message = await _message(client, params)
    access.check_post(client.person, room)
    emoji = access.check_emoji(params.emoji)
    by = await client.runtime.account(client)
    return await client.runtime.write(messages.react, room.id, message.seq, emoji, by=by, on=params.on)


class CreateRoom(msgspec.Struct):
    name: str
    kind: Literal["public", "private"] = "public"
    topic: Annotated[str, msgspec.Meta(max_length=MAX_TOPIC_CHARS)] = ""


@handlers.request("create-room")
async def create_room(peer: Peer, params: str | CreateRoom) -> RoomEntry:
    """Make a room and own it; the name of an existing public room answers that room."""
    asked = CreateRoom(params) if isinstance(params, str) else params
    client = client_of(peer, POST)
    access.check_create_room(client.person, client.runtime.directory.site)
    by = await client.runtime.account(client)
    room = await client.runtime.write(rooms.create_room, asked.name, by=by, kind=asked.kind, topic=asked.topic)
    return await entry_of(client, room.pk)


class SetTopic(InRoom):
    topic: Annotated[str, msgspec.Meta(max_length=MAX_TOPIC_CHARS)]


@handlers.request("set-topic")
async def set_topic(peer: Peer, params: SetTopic) -> RoomEntry:
    """Set a room's topic; for its moderators."""
    client = client_of(peer, POST)
    room = room_of(client, params.room)
    access.check_moderate(client.person, room)
    await client.runtime.write(rooms.change_room, room.id, topic=params.topic.strip())
    return await entry_of(client, room.id)


@handlers.request("join-room")
async def join_room(peer: Peer, params: str | InRoom) -> RoomEntry:
    """Belong to a public room: it is in one's list from now on."""
    client = client_of(peer, POST)
    room = room_of(client, params if isinstance(params, str) else params.room)
    by = await client.runtime.account(client)
    await client.runtime.write(memberships.join_room, room.id, by)
    return await entry_of(client, room.id)


@handlers.request("leave-room")
async def leave_room(peer: Peer, params: str | InRoom) -> None:
    """No longer hear a room; a private one closes behind."""
    client = client_of(peer, POST)
    room = room_of(client, params if isinstance(params, str) else params.room)
    by = await client.runtime.account(client)
    await client.runtime.write(memberships.leave_room, room.id, by)


class ReadUpTo(msgspec.Struct):
    read_seq: int
    read_posts: int
    unread: int


@handlers.request("mark-read")
async def mark_read(peer: Peer, params: OnMessage) -> ReadUpTo:
    """Say how far one has read; never moves back. A visitor's place is his browser's own matter."""
    client = client_of(peer)
    room = room_of(client, params.room)
    place = await client.runtime.mark_read(client, room, params.seq)
    return ReadUpTo(place.read_seq, place.read_posts, max(room.posts - place.read_posts, 0))


# --- oneself -----------------------------------------------------------------------------------------------


class SetName(msgspec.Struct):
    name: str


@handlers.request("set-name")
async def set_name(peer: Peer, params: str | SetName) -> SetName:
    """Take another name; others see it on what one posts from now on."""
    client = client_of(peer, POST)
    name = params if isinstance(params, str) else params.name
    return SetName(await client.runtime.rename(client, name))


@handlers.notification("typing")
async def typing(peer: Peer, params: InRoom) -> None:
    """One is writing in a room."""
    client = client_of(peer)
    now = time.monotonic()
    room = room_of(client, params.room)
    if now - client.typed_at >= TYPING_SECONDS and access.refusal_to_post(client.person, room) is None:
        client.typed_at = now
        client.runtime.hub.publish(Typing(room.id, room.name, [client.person.identity.name]))


# --- from the documentation --------------------------------------------------------------------------------


@handlers.request("echo", inline=True)
def echo(payload: bytes) -> bytes:
    """The same bytes back."""
    return payload


class Greet(msgspec.Struct):
    name: str


class Greeting(msgspec.Struct):
    greeting: str


@handlers.request("greet", inline=True)
def greet(params: Greet) -> Greeting:
    """A greeting by name."""
    return Greeting(f"Hello {params.name}")


async def _message(client: Client, params: OnMessage) -> tuple[RoomFacts, Message]:
    room = room_of(client, params.room)
    found = await read(history.page, room.id, after_seq=params.seq - 1, limit=1)
    if not found or found[0].seq != params.seq or found[0].deleted:
        raise OperationError("no such message", code="no_such_message")
    return room, found[0]
