"""
The push door: binary frames of an opcode and a payload (`chat.doors.push.opcodes`), for apps and devices.

Requests carry no id. So that a client can tell which answer is to which request, answers to one opcode come in
the order of the requests, each its own opcode's or an error that names it; different opcodes do not wait for
each other. Posts are stored in the order in which they came.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from channels.consumer import AsyncConsumer

from chat.actions import access
from chat.actions import contacts as befriending
from chat.actions.post import post
from chat.doors.push.opcodes import MAX_PAYLOAD_BYTES, OPCODE_BYTES, Opcode, frame, split
from chat.doors.socket import DoorSocket, Receive
from chat.queries import history
from chat.queries.identity import session_key_of
from chat.queries.members import Info, info
from chat.queries.tokens import READ, bearer_of
from chat.realtime import lifecycle
from chat.realtime.clients import Client, RoomEntry, room_entry
from chat.realtime.db import read
from chat.realtime.runtime import Runtime, busy
from chat.services.events import (
    AnyEvent,
    Changed,
    ContactChanged,
    ContactEntry,
    Message,
    Notice,
    PersonCard,
    Posted,
    Pushed,
    RoomMessage,
)
from rpc import CloseCode, OperationError, Refused, RetryLater
from rpc.failures import internal_error
from rpc.peer.prepared import Frames
from rpc.protocol.payloads import UNREADABLE
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend

T = TypeVar("T")

LOGIN_SECONDS = 5.0
"""For a connection without cookie or header to say whose it is."""
REQUEST_SECONDS = 30.0
"""For a request to be answered; entering a room lasts as long as its messages are read."""
MAX_AT_ONCE = 16
"""Requests of one connection that run side by side."""

_json = msgspec.json.Encoder().encode


# --- what goes out -----------------------------------------------------------------------------------------


class RoomFrames(Frames):
    """Messages of one room, each with the version that it brings the room to."""

    def __init__(self, room_id: int, messages: list[tuple[int, bytes]]) -> None:
        super().__init__(data for _, data in messages)
        self.room_id = room_id
        self.messages = messages
        self._oldest = min((version for version, _ in messages), default=0)

    def after(self, version: int) -> "RoomFrames":
        if self._oldest > version:
            return self
        return RoomFrames(self.room_id, [message for message in self.messages if message[0] > version])


def push_wire(events: list[AnyEvent]) -> Frames | None:
    """The events as frames, encoded once for all sockets of this door; None if none is for them."""
    messages = [each for event in events if isinstance(event, Posted | Changed) for each in _messages(event)]
    if messages:
        # A topic is one room's or a person's, never both.
        room_id = next(event.room_id for event in events if isinstance(event, Posted | Changed))
        return RoomFrames(room_id, messages)
    frames = [data for event in events if (data := _frame_of(event)) is not None]
    return Frames(frames) if frames else None


def _messages(event: Posted | Changed) -> list[tuple[int, bytes]]:
    """A change is the message as it stands now; it has the seq that it had, and a newer version."""
    return [
        (message.version, _frame(Opcode.MESSAGE, RoomMessage(event.room, message))) for message in event.messages
    ]


def _frame_of(event: AnyEvent) -> bytes | None:
    match event:
        case ContactChanged():
            return _frame(Opcode.CONTACT, event.contact)
        case Pushed():
            return frame(event.opcode, event.payload)
        case Notice(level=level, text=text, restart_in_ms=restart_in_ms, spread_ms=spread_ms):
            return _frame(Opcode.NOTICE, NoticeBody(level, text, restart_in_ms, spread_ms))
        case _:
            return None


def _frame(opcode: Opcode, payload: Any) -> bytes:
    return frame(opcode, _json(payload))


class NoticeBody(msgspec.Struct, omit_defaults=True):
    level: str
    text: str
    restart_in_ms: int | None = None
    spread_ms: int | None = None


class ErrorBody(msgspec.Struct, omit_defaults=True):
    opcode: int | None
    """Of the request; None, a frame without one."""
    code: str
    error: str
    field: str | None = None
    retry_after_ms: int | None = None


class PushSocket(DoorSocket):
    """
    A socket of this door. What happens in a room can be held back while older messages are read, and what was
    read is not shown again when the hub brings it, which may be a while later.
    """

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="push", encode=push_wire)
        self._held: dict[int, list[RoomFrames]] = {}
        self._read_up_to: dict[int, int] = {}
        """Room → the version up to which the client has it."""

    def reply(self, opcode: Opcode, payload: Any) -> None:
        self.send_bytes(_frame(opcode, payload))

    def refuse(self, opcode: int | None, error: OperationError | RetryLater) -> None:
        body = ErrorBody(opcode, error.code, error.text)
        if isinstance(error, RetryLater):
            body.retry_after_ms = error.retry_after_ms
        else:
            body.field = error.field
        self.reply(Opcode.ERROR, body)

    def send(self, payload: Any) -> None:
        if isinstance(payload, RoomFrames):
            if payload.room_id in self._held:
                self._held[payload.room_id].append(payload)
                return
            payload = payload.after(self._read_up_to.get(payload.room_id, 0))
        if payload.chunks:
            super().send(payload)

    def hold(self, room_id: int) -> None:
        """Keep back what comes of a room from now on, and forget what was kept so far."""
        self._held[room_id] = []

    def release(self, room_id: int, version: int) -> None:
        """Show what was kept back, and what comes from now on, where it brings the room beyond `version`."""
        self._read_up_to[room_id] = version
        for frames in self._held.pop(room_id, ()):
            self.send(frames)

    def lost_room(self, name: str) -> None:
        self.reply(Opcode.LEAVE_ROOM, Left(name))


# --- what comes in -----------------------------------------------------------------------------------------


class LoggedIn(msgspec.Struct):
    user: PersonCard


class Asked(msgspec.Struct):
    state: str
    contact: ContactEntry


class Enter(msgspec.Struct):
    room: str
    since: history.Seq | None = None


class Entered(msgspec.Struct):
    """`more`: older messages are still to come, in further answers; only then is the room entered."""

    room: str
    version: int
    missed: list[Message]
    more: bool


class Left(msgspec.Struct):
    room: str


class Post(msgspec.Struct):
    room: str
    body: str
    client_id: UUID | None = None
    reply_to: history.Seq | None = None


class Sent(msgspec.Struct):
    id: int
    seq: int
    version: int
    client_id: str


class Conversation:
    """One connection: whose it is, and its requests."""

    def __init__(self, socket: PushSocket, runtime: Runtime) -> None:
        self.socket = socket
        self._runtime = runtime
        self._client: Client | None = None
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._last: dict[str, asyncio.Task[None]] = {}
        """Line → the last of its requests."""
        self._patience: asyncio.TimerHandle | None = None

    async def begin(self) -> None:
        """
        Take the person of the header or the cookie; without one, wait for him to log in.

        Raises:
            Refused: the token counts no longer, or this person may not be connected.
        """
        has_token = bearer_of(self.socket.scope) is not None
        if has_token or session_key_of(self.socket.scope) is not None:
            try:
                client = await self._runtime.connect(self.socket, entered=set())
            except Refused as refusal:
                if has_token or refusal.close_code != CloseCode.LOG_IN:
                    raise
            else:
                if client.token is not None or client.session is not None:
                    self._client = client
                    return
                # The cookie of a session that is no more.
                await self._runtime.disconnect(client)
        close = self.socket.close
        self._patience = asyncio.get_running_loop().call_later(LOGIN_SECONDS, close, CloseCode.LOG_IN, "log in")

    async def end(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        if self._client is not None:
            await self._runtime.disconnect(self._client)

    async def take(self, message: Chunk) -> None:
        """Handle a message; returns as soon as there is room for the next request."""
        if isinstance(message, str):
            self.socket.close(CloseCode.BAD_MESSAGE, "frames are binary here")
        elif len(message) > OPCODE_BYTES + MAX_PAYLOAD_BYTES:
            self.socket.close(CloseCode.TOO_BIG, f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
        elif len(message) < OPCODE_BYTES:
            error = OperationError(f"a frame begins with an opcode of {OPCODE_BYTES} bytes", code="bad_message")
            self.socket.refuse(None, error)
        else:
            await self._take_frame(*split(message))

    async def _take_frame(self, opcode: int, payload: bytes) -> None:
        request = REQUESTS.get(opcode)
        if opcode == Opcode.HEARTBEAT:
            self.socket.reply(Opcode.HEARTBEAT, {})
        elif opcode == Opcode.LOG_IN:
            # What comes behind it is the new person's.
            await self._log_in(payload)
        elif request is None:
            self.socket.refuse(opcode, OperationError("unknown opcode", code="unknown_opcode"))
        elif self._client is None:
            self.socket.refuse(opcode, OperationError("log in first", code="log_in"))
        else:
            await self._slots.acquire()
            before = self._last.get(request.line)
            answer = self._answer(request, self._client, Opcode(opcode), payload, before)
            self._last[request.line] = self.socket.spawn(answer)

    async def _log_in(self, payload: bytes) -> None:
        try:
            secret = _text(payload).strip()
            if not secret:
                raise Refused(CloseCode.LOG_IN, "the payload is a token")
            if self._client is None:
                self._client = await self._runtime.connect(self.socket, secret=secret, entered=set())
            else:
                await self._runtime.log_in(self._client, secret)
        except OperationError as error:
            self.socket.refuse(Opcode.LOG_IN, error)
        except Refused as refusal:
            self.socket.refuse(Opcode.LOG_IN, OperationError(refusal.text, code="log_in"))
        else:
            if self._patience is not None:
                self._patience.cancel()
            self.socket.reply(Opcode.LOG_IN, LoggedIn(self._client.person.card))

    async def _answer(
        self, request: "Request", client: Client, opcode: Opcode, payload: bytes, before: asyncio.Task[None] | None
    ) -> None:
        try:
            if before is not None and not request.beside:
                await asyncio.wait((before,))
            answer = await self._outcome(request, client, payload)
            if before is not None:
                await asyncio.wait((before,))
            if isinstance(answer, OperationError | RetryLater):
                self.socket.refuse(opcode, answer)
            elif answer is not None:
                self.socket.reply(opcode, answer)
        finally:
            self._slots.release()

    async def _outcome(self, request: "Request", client: Client, payload: bytes) -> Any:
        try:
            async with asyncio.timeout(request.seconds):
                return await request.handle(self, client, payload)
        except (OperationError, RetryLater) as error:
            return error
        except TimeoutError:
            return busy()
        except Exception as error:
            return internal_error("a request of the push door", error)

    # --- requests ------------------------------------------------------------------------------------------

    async def add_friend(self, client: Client, payload: bytes) -> Asked:
        contact = await befriending.add(client, _text(payload))
        return Asked(contact.state, contact)

    async def get_info(self, client: Client, payload: bytes) -> Info:
        return await info(client, _text(payload))

    async def list_rooms(self, client: Client, payload: bytes) -> list[RoomEntry]:
        client.require(READ)
        rooms = self._runtime.directory.rooms_around(client.person)
        return [room_entry(client.person, room) for room in rooms if access.lists(client.person, room)]

    async def enter(self, client: Client, payload: bytes) -> None:
        """Hear a room without a gap or a repeat: what comes while older messages are read is held back."""
        asked = _decoded(payload, Enter) if payload.startswith(b"{") else Enter(_text(payload))
        room = access.find_room(self._runtime.directory, client.person, asked.room)
        version = 0
        self.socket.hold(room.id)
        try:
            room = await self._runtime.enter(client, asked.room)
            version = room.version if asked.since is None else asked.since
            missed: list[Message] = []
            more = asked.since is not None
            while more:
                # Announced means stored: what was held back until now, this page or a later one has too.
                self.socket.hold(room.id)
                version, missed, more = await read(history.changes_since, room.id, version)
                if more:
                    self.socket.reply(Opcode.ENTER_ROOM, Entered(room.name, version, missed, more))
                    await self.socket.drained()
            if client.entered is None or room.id not in client.entered:
                raise OperationError("no such room", code="no_such_room")
            self.socket.reply(Opcode.ENTER_ROOM, Entered(room.name, version, missed, more))
        except Exception:
            # Rather outside than inside with a gap.
            if client.entered is not None and room.id in client.entered:
                await self._runtime.leave(client, room.name)
            raise
        finally:
            self.socket.release(room.id, version)

    async def leave(self, client: Client, payload: bytes) -> Left:
        name = _text(payload)
        await self._runtime.leave(client, name)
        return Left(name)

    async def send(self, client: Client, payload: bytes) -> Sent:
        asked = _decoded(payload, Post)
        message = await post(client, asked.room, asked.body, client_id=asked.client_id, reply_to=asked.reply_to)
        return Sent(message.id, message.seq, message.version, message.client_id)


class Request(NamedTuple):
    """An opcode that a client asks. Those of one `line` are answered in order, and one by one unless `beside`."""

    handle: Callable[[Conversation, Client, bytes], Awaitable[Any]]
    line: str
    beside: bool = False
    seconds: float | None = REQUEST_SECONDS


REQUESTS: dict[int, Request] = {
    Opcode.ADD_FRIEND: Request(Conversation.add_friend, "contacts"),
    Opcode.GET_INFO: Request(Conversation.get_info, "info", beside=True),
    Opcode.LIST_ROOMS: Request(Conversation.list_rooms, "list"),
    Opcode.ENTER_ROOM: Request(Conversation.enter, "rooms", seconds=None),
    Opcode.LEAVE_ROOM: Request(Conversation.leave, "rooms"),
    # Side by side, so that many are stored in one transaction; they queue for it in their order.
    Opcode.SEND: Request(Conversation.send, "posts", beside=True),
}


class PushDoor(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """Opcodes in binary frames: `PushDoor.as_asgi()`."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        async with PushSocket(scope, receive, send) as socket:
            conversation = Conversation(socket, await lifecycle.start())
            try:
                await conversation.begin()
                async for message in socket:
                    await conversation.take(message)
            finally:
                await conversation.end()


def _text(payload: bytes) -> str:
    """
    Raises:
        OperationError: `bad_message`.
    """
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise OperationError("this is no UTF-8", code="bad_message") from None


def _decoded(payload: bytes, kind: type[T]) -> T:
    """
    Raises:
        OperationError: `bad_params`.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except UNREADABLE as error:
        raise OperationError(f"this is not what the opcode takes: {error}", code="bad_params") from None
