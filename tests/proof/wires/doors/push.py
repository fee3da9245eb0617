"""Conversations at the push door."""

import json
import struct
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from tests.proof.wires.findings import Finding
from tests.proof.wires.hearing import FILLERS, Hearing
from tests.proof.wires.websocket.conversation import OverWebSocket
from tests.proof.wires.websocket.spoilt import TOO_BIG, Spoilt
from tests.raw_websocket import BINARY, TEXT, frame

HEARTBEAT, LOG_IN, GET_INFO, LIST_ROOMS, ENTER, LEAVE, SEND = 100, 101, 111, 112, 113, 114, 115
MESSAGE, CONTACT, NOTICE, ERROR = 116, 117, 118, 199
UNKNOWN = (0, 1, 102, 150, 999, 5000, 0xFFFFFFFF)
NONE = -1
"""Stands for the opcode of a frame without one."""
MAX_PAYLOAD_BYTES = 65_536
BAD_MESSAGE = 4400
REPLAYED = 300
"""The most messages that are asked for again."""

Check = Callable[[Any], None]
"""Raises a Finding if an answer is not the right one."""


class Push(OverWebSocket):
    kind = "push"
    path = "/push"

    async def open(self) -> None:
        self._due: defaultdict[int, deque[Check | str]] = defaultdict(deque)
        """By opcode, in the order of the requests: what checks the answer, or the code of the error that is due."""
        self._hearing = Hearing(self.number)
        self._stored = 0
        """The version of our newest post."""
        self._is_inside = False
        await super().open()

    # --- requests ------------------------------------------------------------------------------------------

    async def turn(self) -> None:
        for _ in range(self.chance.choice((1, 1, 4, 20))):
            await self._ask()
        if self.chance.random() < 0.2:
            await self.ping()

    async def _ask(self) -> None:
        match self.chance.randrange(12):
            case 0:
                await self._send(HEARTBEAT, self.chance.randbytes(self.chance.choice((0, 10))), _has())
            case 1:
                await self._send(LOG_IN, self.token.encode(), _has("user"))
            case 2:
                await self._send(GET_INFO, b"", _has("user", "rooms", "contacts"))
            case 3:
                await self._send(LIST_ROOMS, b"", lambda rooms: None)
            case 4:
                await self._send(self.chance.choice(UNKNOWN), b"hello", "unknown_opcode")
            case 5:
                await self._send(NONE, self.chance.randbytes(self.chance.randint(0, 3)), "bad_message")
            case 6:
                await self._send(SEND, b'{"room": ', "bad_params")
            case 7:
                await self._send(GET_INFO, b"\xff", "bad_message")
            case 8 if not self._is_inside:
                await self._enter()
            case 9 if self._is_inside and self.chance.random() < 0.3:
                self._is_inside = False
                await self._send(LEAVE, self.room.encode(), self._left)
            case _:
                await self.post(self.chance.choice(FILLERS))

    async def _send(self, opcode: int, payload: bytes, expected: Check | str) -> None:
        self.said["requests"] += 1
        self.note(f"{opcode} {payload[:50]!r}")
        self._due[opcode].append(expected)
        await self.say((BINARY, (b"" if opcode == NONE else struct.pack(">I", opcode)) + payload))

    async def _enter(self) -> None:
        self._is_inside = True
        payload = self.room.encode()
        if self.chance.random() < 0.5:
            since = max(0, self.site.newest.get(self.room, 0) - self.chance.randint(0, REPLAYED))
            payload = json.dumps({"room": self.room, "since": since}).encode()
        await self._send(ENTER, payload, self._entered)

    def _entered(self, answer: Any) -> None:
        if answer["more"]:
            self._due[ENTER].appendleft(self._entered)
        self._hearing.known[self.room] = answer["version"]

    def _left(self, answer: Any) -> None:
        _has("room")(answer)
        del self._hearing.known[self.room]

    async def post(self, filler: str) -> None:
        new = {"room": self.room, "body": self._hearing.new_body(filler)}
        if self.chance.random() < 0.5:
            new["client_id"] = str(uuid.UUID(bytes=self.chance.randbytes(16)))
        self.said["posts"] += 1
        await self._send(SEND, json.dumps(new).encode(), self._posted)

    def _posted(self, answer: Any) -> None:
        if answer["version"] <= self._stored:
            raise Finding(f"the post {answer} was stored before an earlier one")
        self._stored = answer["version"]

    # --- answers -------------------------------------------------------------------------------------------

    def heard(self, opcode: int, payload: bytes) -> None:
        if opcode != BINARY or len(payload) < 4:
            raise Finding(f"not a frame of the push door: {payload[:100]!r}")
        (what,), body = struct.unpack(">I", payload[:4]), json.loads(payload[4:])
        if what == MESSAGE:
            self._take_message(body)
        elif what not in (CONTACT, NOTICE) and not self.is_scrambled:
            self._take_answer(what, body)

    def _take_message(self, body: Any) -> None:
        if body["room"] != self.room or self.room not in self._hearing.known:
            raise Finding(f"a message of a room that was not entered: {body['room']}")
        self._hearing.heard(self.room, body["message"])
        self.site.newest[self.room] = body["message"]["version"]

    def _take_answer(self, what: int, body: Any) -> None:
        code = ""
        if what == ERROR:
            self.note(str(body))
            what, code = NONE if body["opcode"] is None else body["opcode"], body["code"]
        if not self._due[what]:
            raise Finding(f"an answer to nothing: {what} {body}")
        expected = self._due[what].popleft()
        if callable(expected) and not code:
            expected(body)
        elif code != expected and not (self.site.rates and code == "too_fast"):
            raise Finding(f"{what} was answered with {body} and not with {expected}")

    def lost(self) -> list[str]:
        due = [f"{opcode} ({len(checks)} times)" for opcode, checks in self._due.items() if checks]
        return [*super().unanswered(), *due]

    def unanswered(self) -> list[str]:
        is_behind = self._is_inside and self._hearing.known.get(self.room, self._stored) < self._stored
        return [*self.lost(), *([f"to hear {self._stored}"] if is_behind else [])]

    # --- ends ----------------------------------------------------------------------------------------------

    def spoilt_words(self) -> Spoilt:
        if self.chance.random() < 0.5:
            return Spoilt("text at the push door", frame(TEXT, b"hello"), BAD_MESSAGE)
        much = self.chance.choice((MAX_PAYLOAD_BYTES + 1, 1 << 20))
        return Spoilt("a payload that is too large", frame(BINARY, struct.pack(">I", SEND) + bytes(much)), TOO_BIG)

    def good_frame(self) -> bytes:
        return frame(BINARY, struct.pack(">I", HEARTBEAT) + b"hello")


def _has(*fields: str) -> Check:
    def check(answer: Any) -> None:
        if set(fields) - set(answer):
            raise Finding(f"{answer} lacks one of {fields}")

    return check
