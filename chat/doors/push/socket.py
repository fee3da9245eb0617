"""A socket of the push door, which shows any number of rooms, each from the version that it asked for."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from chat.doors.push.opcodes import Opcode
from chat.doors.push.wire import PUSH, RoomFrames, error_frame, json_frame
from chat.doors.replay import HeldTooMuch, Replay
from chat.doors.socket import DoorSocket, Receive
from rpc import CloseCode, OperationError, RetryLater
from rpc.transports.websocket_server import AsgiSend


class Left(msgspec.Struct):
    room: str


class PushSocket(DoorSocket):
    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="push", wire=PUSH)
        self._replays: defaultdict[int, Replay[RoomFrames]] = defaultdict(lambda: Replay(self._show))

    def replay_of(self, room_id: int) -> Replay[RoomFrames]:
        return self._replays[room_id]

    def reply(self, opcode: Opcode, payload: Any) -> None:
        self.send_bytes(json_frame(opcode, payload))

    def refuse(self, opcode: int | None, error: OperationError | RetryLater) -> None:
        self.send_bytes(error_frame(opcode, error))

    def send(self, payload: Any) -> None:
        if not isinstance(payload, RoomFrames):
            super().send(payload)
            return
        try:
            self._replays[payload.room_id].take(payload)
        except HeldTooMuch:
            self.close(CloseCode.TOO_SLOW, "too slow")

    def _show(self, frames: RoomFrames) -> None:
        if frames.chunks:
            super().send(frames)

    def lost_room(self, name: str) -> None:
        self.reply(Opcode.LEAVE_ROOM, Left(name))
