"""A socket of the push door, which shows any number of rooms, each from the version that it asked for."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chat.doors.push.opcodes import Opcode
from chat.doors.push.wire import PUSH, RoomFrames, error_frame, json_frame
from chat.doors.replay import Replay
from chat.doors.socket import DoorSocket, Receive
from rpc import OperationError, RetryLater
from rpc.transports.websocket_server import AsgiSend


class Left(msgspec.Struct):
    room: str


class PushSocket(DoorSocket):
    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        super().__init__(scope, receive, send, door="push", wire=PUSH)
        self._replays: defaultdict[int, Replay[RoomFrames]] = defaultdict(lambda: Replay(self.show_room))
        self._catch_up: Callable[[], None] = lambda: None

    def replay_of(self, room_id: int) -> Replay[RoomFrames]:
        return self._replays[room_id]

    def rooms_behind(self) -> dict[int, Replay[RoomFrames]]:
        """The rooms, by their key, of which something was left out."""
        return {room_id: replay for room_id, replay in self._replays.items() if replay.is_behind}

    def catch_up_with(self, catch_up: Callable[[], None]) -> None:
        """From now on call `catch_up` when there are `rooms_behind` and the client reads again."""
        self._catch_up = catch_up

    def missed(self) -> None:
        if self.rooms_behind():
            self._catch_up()

    def reply(self, opcode: Opcode, payload: Any) -> None:
        self.send_bytes(json_frame(opcode, payload))

    def refuse(self, opcode: int | None, error: OperationError | RetryLater) -> None:
        self.send_bytes(error_frame(opcode, error))

    def send(self, payload: Any) -> None:
        if isinstance(payload, RoomFrames):
            self._replays[payload.room_id].take(payload)
        else:
            self.show(payload)

    def show_room(self, frames: RoomFrames) -> bool:
        return not frames.chunks or self.show(frames)

    def lost_room(self, name: str) -> None:
        self.reply(Opcode.LEAVE_ROOM, Left(name))
