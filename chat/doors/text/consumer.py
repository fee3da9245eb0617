"""The hub's text door: a line of text is a message, as the classic WebSocket chat examples have it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from channels.consumer import AsyncConsumer

from chat.actions.post import post
from chat.doors.query import number_of, query_of
from chat.doors.socket import DoorSocket, Receive
from chat.doors.text.wire import JSON, NAMED, PLAIN, Lines, TextWire, one_line
from chat.models import Room
from chat.names import clean_name, name_key, numbered
from chat.queries import history
from chat.queries.tokens import READ
from chat.realtime import lifecycle
from chat.realtime.clients import Client
from chat.realtime.db import read
from chat.realtime.directory import Directory, RoomFacts, load_rooms
from chat.realtime.runtime import Runtime
from chat.services.accounts import TakenNames
from chat.services.rooms import create_room
from rpc import CloseCode, OperationError, Refused, RetryLater
from rpc.failures import internal_error
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend

LOBBY = "lobby"
OPENING_SECONDS = 30.0
"""For everything before the first line."""
POST_SECONDS = 30.0
"""For one line to be stored."""
MAX_HELD = 1000
"""Batches of edits that may come in while older messages are read."""


class AskedWire(msgspec.Struct):
    """What the address asks for: how lines look, and which name a guest would like."""

    wire: TextWire
    name: str | None
    since: int | None


def asked_for(query: Mapping[str, str]) -> AskedWire:
    """
    Raises:
        Refused: a value means nothing.
    """
    names, form = query.get("names", "0"), query.get("format", "text")
    if names not in ("0", "1"):
        raise Refused(CloseCode.BAD_MESSAGE, "names is 0 or 1")
    if form not in ("text", "json"):
        raise Refused(CloseCode.BAD_MESSAGE, "format is text or json")
    wire = JSON if form == "json" else NAMED if names == "1" else PLAIN
    return AskedWire(wire, query.get("name"), number_of(query, "since", 0, history.MAX_SEQ))


class SaidLine(msgspec.Struct):
    """A JSON line that a client sends; what else stands in it is not looked at."""

    body: str
    client_id: UUID | None = None
    reply_to: history.Seq | None = None


class TextSocket(DoorSocket):
    """A socket in one room: shows its messages, and reads from the database those that were missed."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="text", encode=PLAIN.encode)
        self.wire = PLAIN
        self.room: RoomFacts | None = None
        """Once it shows one."""
        self._newest = 0
        """Up to here everything was shown, or is not for this socket."""
        self._read_up_to = 0
        """Up to here it came from the database: what the hub still brings of it is not shown again."""
        self._held: list[Lines] | None = None
        """What the hub brings while older messages are read; None: it is shown at once."""

    def speak(self, wire: TextWire) -> None:
        """Choose the wire; before anything is subscribed."""
        self.wire, self.encode = wire, wire.encode

    def begin(self, room: RoomFacts, since: int | None) -> None:
        """From now on show the room: what comes after the message `since`, or only what is new."""
        self.room = room
        self._newest = room.version
        held, self._held = self._held or [], None
        if since is not None:
            self._held = held
            self.spawn(self._catch_up(since))
        else:
            for lines in held:
                self.send(lines)

    def room_in(self, directory: Directory) -> RoomFacts:
        """The room as it is now: rooms are renamed under those who are in them."""
        assert self.room is not None
        return directory.rooms.get(self.room.id, self.room)

    def hold(self) -> None:
        """Show nothing until `begin`."""
        self._held = []

    def send(self, payload: Lines) -> None:
        if self._held is not None:
            if len(self._held) >= MAX_HELD:
                self.close(CloseCode.TOO_SLOW, "too slow")
                return
            self._held.append(payload)
            return
        fresh = payload.after(self._read_up_to)
        if fresh.chunks:
            super().send(fresh)
        if payload.posts:
            self._newest = max(self._newest, payload.posts[-1][0])
        if payload.gap and self.room is not None:
            self._held = []
            self.spawn(self._catch_up(self._newest))

    async def _catch_up(self, seq: int) -> None:
        """Show everything after `seq` from the database, then what the hub brought meanwhile."""
        assert self.room is not None
        while not self.closing:
            # Announced means stored: what the hub has brought until now, the next page has too.
            self._held = [
                Lines([], each.others, gap=each.gap) for each in self._held or () if each.others or each.gap
            ]
            page = await read(history.page, self.room.id, after_seq=seq, limit=history.MAX_PAGE)
            if not page:
                break
            seq = page[-1].seq
            super().send(self.wire.lines_of(page))
            await self.drained()
        held, self._held = self._held or [], None
        self._newest = max(self._newest, seq)
        self._read_up_to = seq
        for lines in held:
            self.send(lines)

    def refuse(self, error: OperationError | RetryLater) -> None:
        """Tell this client alone what went wrong."""
        self.send_text(self.wire.error(str(error), error.code))

    def lost_room(self, name: str) -> None:
        self.close(CloseCode.NOT_ALLOWED, "this room is closed to you now")

    def close(self, code: int, text: str = "") -> None:
        # Many clients of this wire show no close code.
        if CloseCode.BAD_MESSAGE <= code < CloseCode.TOO_SLOW and not self.closing:
            self.send_text(self.wire.error(text, "closed"))
        super().close(code, text)


class TextDoor(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """A room as lines of text: that of the address, or the lobby."""

    max_frame_bytes = 4096

    def __init__(self, max_frame_bytes: int | None = None) -> None:
        if max_frame_bytes is not None:
            self.max_frame_bytes = max_frame_bytes

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        room_name = scope["url_route"]["kwargs"].get("room", LOBBY)
        async with TextSocket(scope, receive, send) as socket:
            asked = asked_for(query_of(scope))
            socket.speak(asked.wire)
            runtime = await lifecycle.start()
            client = await runtime.connect(socket, needs=READ, entered=set())
            try:
                async with asyncio.timeout(OPENING_SECONDS):
                    if asked.name is not None:
                        await _take_name(client, socket, asked.name)
                    await _enter(client, socket, room_name, asked.since)
                async for message in socket:
                    await self._take(client, socket, message)
            finally:
                await runtime.disconnect(client)

    async def _take(self, client: Client, socket: TextSocket, message: Chunk) -> None:
        data = message if isinstance(message, bytes) else message.encode()
        if len(data) > self.max_frame_bytes:
            socket.close(CloseCode.TOO_BIG, f"a frame has at most {self.max_frame_bytes} bytes")
            return
        try:
            said = _said(data, as_json=socket.wire is JSON)
            if said.body:
                async with asyncio.timeout(POST_SECONDS):
                    name = socket.room_in(client.runtime.directory).name
                    await post(client, name, said.body, client_id=said.client_id, reply_to=said.reply_to)
        except (OperationError, RetryLater) as error:
            socket.refuse(error)
        except Exception as error:
            socket.refuse(internal_error("a line of the text door", error))


def _said(data: bytes, *, as_json: bool) -> SaidLine:
    """
    What a frame says; text and binary are the same here, as they are to the classic chat.

    Raises:
        OperationError: `bad_message`.
    """
    try:
        if as_json and data.strip():
            said = msgspec.json.decode(data, type=SaidLine)
            said.body = said.body.strip()
            return said
        return SaidLine(one_line(data.decode()))
    except UnicodeDecodeError:
        raise OperationError("this is no UTF-8", code="bad_message") from None
    except msgspec.DecodeError as error:
        raise OperationError(f"this is no message: {error}", code="bad_message") from None


async def _take_name(client: Client, socket: TextSocket, name: str) -> None:
    """Give a guest the name that he asks for, with a number if it is taken."""
    who = client.person.identity
    if not who.is_guest:
        socket.refuse(OperationError(f"you are logged in as {who.name}", code="logged_in"))
        return
    try:
        if clean_name(name) != who.name:
            await client.runtime.rename(client, name)
        return
    except (OperationError, RetryLater) as error:
        refusal = error
    if refusal.code == "name_taken":
        # Should somebody be faster again he keeps the name that he was given.
        with suppress(OperationError, RetryLater):
            await client.runtime.rename(client, await read(_numbered, name))
    socket.refuse(OperationError(f"{refusal.text}: you are {client.person.identity.name}", code=refusal.code))


def _numbered(name: str) -> str:
    return numbered(clean_name(name), TakenNames())


async def _enter(client: Client, socket: TextSocket, room_name: str, since: int | None) -> None:
    """
    Raises:
        Refused: there is no such room for this person, or he may not enter it.
    """
    runtime = client.runtime
    try:
        if name_key(room_name) == LOBBY and runtime.directory.room_named(LOBBY) is None:
            await _make_lobby(runtime)
        socket.hold()
        room = await runtime.enter(client, room_name)
    except RetryLater as error:
        raise Refused(CloseCode.RESTARTING, str(error.text)) from None
    except OperationError as error:
        code = CloseCode.NO_SUCH_ROOM if error.code == "no_such_room" else CloseCode.NOT_ALLOWED
        raise Refused(code, str(error.text)) from None
    socket.begin(room, since)


async def _make_lobby(runtime: Runtime) -> None:
    """The room of those who name none: public, and in the list of those only who come to it."""
    # One that is not public takes the name: then there is no lobby, as `enter` will say.
    with suppress(OperationError):
        await runtime.write(create_room, LOBBY, by=None, auto_join=False)
    runtime.directory.put_rooms(await read(load_rooms, Room.objects.filter(name_key=LOBBY)))
