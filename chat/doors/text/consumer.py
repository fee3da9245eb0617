"""The hub's text door: a line of text is a message, as the classic WebSocket chat examples have it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from channels.consumer import AsyncConsumer

from chat.actions.accounts import rename
from chat.actions.caller import Caller
from chat.actions.post import NewMessage, post
from chat.actions.rooms import enter, make_lobby
from chat.doors.query import number_of, query_of
from chat.doors.socket import Receive
from chat.doors.text.socket import TextSocket
from chat.doors.text.wire import JSON, NAMED, PLAIN, TextWire, one_line
from chat.names import clean_name, name_key, numbered
from chat.queries.history import MAX_SEQ
from chat.queries.people import TakenNames
from chat.queries.tokens import READ
from chat.realtime import runtime
from chat.realtime.db import read
from chat.realtime.writer import WriterBusy
from rpc import CloseCode, OperationError, Refused, RetryLater
from rpc.failures import internal_error
from rpc.protocol.payloads import decode_params
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend

LOBBY = "lobby"
OPENING_TIMEOUT = 30.0
"""Seconds for everything before the first line."""
POST_TIMEOUT = 30.0
"""Seconds for one line to be stored."""


class Asked(msgspec.Struct):
    """What the address asks for: how lines look, which name a guest would like, from where to show the room."""

    wire: TextWire
    name: str | None
    since: int | None


def asked_for(query: Mapping[str, str]) -> Asked:
    """
    Raises:
        Refused: a value means nothing.
    """
    names, form = query.get("names", "0"), query.get("format", "text")
    if names not in ("0", "1"):
        raise Refused(CloseCode.BAD_MESSAGE, "names must be 0 or 1")
    if form not in ("text", "json"):
        raise Refused(CloseCode.BAD_MESSAGE, "format must be text or json")
    wire = JSON if form == "json" else NAMED if names == "1" else PLAIN
    return Asked(wire, query.get("name"), number_of(query, "since", 0, MAX_SEQ))


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
            running = await runtime.start()
            client = await running.connections.connect(socket, needs=READ, entered=set())
            caller = Caller(running, client)
            try:
                async with asyncio.timeout(OPENING_TIMEOUT):
                    if asked.name is not None:
                        await _take_name(caller, socket, asked.name)
                    await _enter(caller, socket, room_name, asked.since)
                async for message in socket:
                    await self._take(caller, socket, message)
                await socket.all_shown()
            finally:
                await running.connections.disconnect(client)

    async def _take(self, caller: Caller, socket: TextSocket, message: Chunk) -> None:
        data = message if isinstance(message, bytes) else message.encode()
        if len(data) > self.max_frame_bytes:
            too_large = f"a frame has at most {self.max_frame_bytes} bytes"
            await socket.all_shown()
            socket.refuse(OperationError(too_large, code="too_large"))
            socket.close(CloseCode.TOO_BIG, too_large)
            return
        try:
            new = _new_message(data, as_json=socket.lines is JSON)
            if new.body:
                async with asyncio.timeout(POST_TIMEOUT):
                    posted = await post(caller, socket.room_in(caller.runtime.directory).name, new)
                socket.expect(posted.seq)
        except (OperationError, RetryLater) as error:
            socket.refuse(error)
        except TimeoutError:
            socket.refuse(WriterBusy())
        except Exception as error:
            socket.refuse(internal_error("a line of the text door", error))


def _new_message(data: bytes, *, as_json: bool) -> NewMessage:
    """
    What a frame says; text and binary are the same here, as they are to the classic chat.

    Raises:
        OperationError: `bad_message`.
    """
    if as_json and data.strip():
        try:
            new = decode_params(NewMessage, data)
        except OperationError as error:
            raise OperationError(error.text, code="bad_message", field=error.field) from None
        new.body = new.body.strip()
        return new
    try:
        return NewMessage(one_line(data.decode()))
    except UnicodeDecodeError:
        raise OperationError("not valid UTF-8", code="bad_message") from None


async def _take_name(caller: Caller, socket: TextSocket, name: str) -> None:
    """Give a guest the name that they ask for, with a number if it is taken."""
    who = caller.person.identity
    if not who.is_guest:
        socket.refuse(OperationError(f"you are logged in as {who.name}", code="logged_in"))
        return
    try:
        if clean_name(name) != who.name:
            await rename(caller, name)
        return
    except (OperationError, RetryLater) as error:
        refusal = error
    if refusal.code == "name_taken":
        # Should somebody be faster again they keep the name that they were given.
        with suppress(OperationError, RetryLater):
            await rename(caller, await read(_numbered, name))
    socket.refuse(OperationError(f"{refusal.text}: you are {caller.person.identity.name}", code=refusal.code))


def _numbered(name: str) -> str:
    return numbered(clean_name(name), TakenNames())


async def _enter(caller: Caller, socket: TextSocket, room_name: str, since: int | None) -> None:
    """
    Raises:
        Refused: there is no such room for this person, or they may not enter it.
    """
    try:
        if name_key(room_name) == LOBBY and caller.runtime.directory.room_named(LOBBY) is None:
            # One that is not public takes the name: then there is no lobby, as `enter` will say.
            with suppress(OperationError):
                await make_lobby(caller, LOBBY)
        room = await enter(caller, room_name)
    except RetryLater as error:
        raise Refused(CloseCode.RESTARTING, error.text) from None
    except OperationError as error:
        gone = error.code == "no_such_room"
        raise Refused(CloseCode.NO_SUCH_ROOM if gone else CloseCode.NOT_ALLOWED, error.text) from None
    await socket.open()
    socket.begin(room, since)
