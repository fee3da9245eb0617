"""What the push door sends: opcodes with JSON, encoded once for all its sockets."""

from collections.abc import Iterable
from typing import Any

import msgspec

from chat.doors.push.opcodes import Opcode, frame
from chat.queries.structs import Message, RoomMessage
from chat.realtime.clients import Wire
from chat.services.events import AnyEvent, Changed, ContactChanged, Moderated, Notice, Posted, Pushed
from rpc import OperationError, RetryLater
from rpc.peer.prepared import Frames

_json = msgspec.json.Encoder().encode


class RoomFrames(Frames):
    """Messages of one room, each with the version that it brings the room to."""

    def __init__(self, room_id: int, messages: list[tuple[int, bytes]]) -> None:
        super().__init__(data for _, data in messages)
        self.room_id = room_id
        self.messages = messages
        self._oldest = min((version for version, _ in messages), default=0)
        self.newest = max((version for version, _ in messages), default=0)

    def after(self, version: int) -> "RoomFrames":
        """Without the messages up to `version`."""
        if self._oldest > version:
            return self
        return RoomFrames(self.room_id, [message for message in self.messages if message[0] > version])

    def beside(self) -> None:
        """Every message and change has a version, and so stands in a page of the database."""


class PushWire(Wire):
    def events(self, events: list[AnyEvent]) -> Frames | None:
        # A topic is one room's or a person's, never both.
        changes = [event for event in events if isinstance(event, Posted | Changed)]
        messages = [each for event in changes for each in _messages(event.room, event.messages)]
        if messages:
            return RoomFrames(changes[0].room_id, messages)
        frames = [data for event in events if (data := _frame_of(event)) is not None]
        return Frames(frames) if frames else None


PUSH = PushWire()


def room_frames(room_id: int, room: str, messages: Iterable[Message]) -> RoomFrames:
    """A change is the message as it stands now; it has the seq that it had, and a newer version."""
    return RoomFrames(room_id, _messages(room, messages))


def json_frame(opcode: Opcode, payload: Any) -> bytes:
    return frame(opcode, _json(payload))


def _messages(room: str, messages: Iterable[Message]) -> list[tuple[int, bytes]]:
    return [(message.version, json_frame(Opcode.MESSAGE, RoomMessage(room, message))) for message in messages]


def _frame_of(event: AnyEvent) -> bytes | None:
    match event:
        case ContactChanged():
            return json_frame(Opcode.CONTACT, event.contact)
        case Pushed():
            return frame(event.opcode, event.payload)
        case Notice(level=level, text=text, restart_in_ms=restart_in_ms, spread_ms=spread_ms):
            return json_frame(Opcode.NOTICE, NoticeBody(level, text, restart_in_ms, spread_ms))
        case Moderated():
            body = ModeratedBody(event.act, event.room, event.reason, event.until, event.objections)
            return json_frame(Opcode.MODERATED, body)
        case _:
            return None


class NoticeBody(msgspec.Struct, omit_defaults=True):
    level: str
    text: str
    restart_in_ms: int | None = None
    spread_ms: int | None = None


class ModeratedBody(msgspec.Struct):
    act: str
    room: str | None
    reason: str
    until: str | None
    objections: str


class ErrorBody(msgspec.Struct, omit_defaults=True):
    opcode: int | None
    """Of the request; None, a frame without one."""
    code: str
    error: str
    field: str | None = None
    retry_after_ms: int | None = None


def error_frame(opcode: int | None, error: OperationError | RetryLater) -> bytes:
    body = ErrorBody(opcode, error.code, error.text)
    if isinstance(error, RetryLater):
        body.retry_after_ms = error.retry_after_ms
    else:
        body.field = error.field
    return json_frame(Opcode.ERROR, body)
