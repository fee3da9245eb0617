"""What the push door sends: opcodes with JSON, encoded once for all its sockets."""

from typing import Any

import msgspec

from chat.doors.push.opcodes import Opcode, frame
from chat.queries.structs import RoomMessage
from chat.realtime.clients import Wire
from chat.services.events import AnyEvent, Changed, ContactChanged, Notice, Posted, Pushed
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

    def after(self, version: int) -> "RoomFrames":
        """Without the messages up to `version`."""
        if self._oldest > version:
            return self
        return RoomFrames(self.room_id, [message for message in self.messages if message[0] > version])

    def beside(self) -> None:
        """Every message and change has a version, and so stands in a page of the database."""


class PushWire(Wire):
    def events(self, events: list[AnyEvent]) -> Frames | None:
        messages = [each for event in events if isinstance(event, Posted | Changed) for each in _messages(event)]
        if messages:
            # A topic is one room's or a person's, never both.
            room_id = next(event.room_id for event in events if isinstance(event, Posted | Changed))
            return RoomFrames(room_id, messages)
        frames = [data for event in events if (data := _frame_of(event)) is not None]
        return Frames(frames) if frames else None


PUSH = PushWire()


def json_frame(opcode: Opcode, payload: Any) -> bytes:
    return frame(opcode, _json(payload))


def _messages(event: Posted | Changed) -> list[tuple[int, bytes]]:
    """A change is the message as it stands now; it has the seq that it had, and a newer version."""
    return [
        (message.version, json_frame(Opcode.MESSAGE, RoomMessage(event.room, message)))
        for message in event.messages
    ]


def _frame_of(event: AnyEvent) -> bytes | None:
    match event:
        case ContactChanged():
            return json_frame(Opcode.CONTACT, event.contact)
        case Pushed():
            return frame(event.opcode, event.payload)
        case Notice(level=level, text=text, restart_in_ms=restart_in_ms, spread_ms=spread_ms):
            return json_frame(Opcode.NOTICE, NoticeBody(level, text, restart_in_ms, spread_ms))
        case _:
            return None


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


def error_frame(opcode: int | None, error: OperationError | RetryLater) -> bytes:
    body = ErrorBody(opcode, error.code, error.text)
    if isinstance(error, RetryLater):
        body.retry_after_ms = error.retry_after_ms
    else:
        body.field = error.field
    return json_frame(Opcode.ERROR, body)
