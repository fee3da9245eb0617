"""Conversations in gotalk: who announces what, what is awaited, and what comes."""

import asyncio
import json
from typing import Any, ClassVar

from tests.proof.wires.conversation import Conversation
from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.calls import Call, Parts, Streamed, more, refusal
from tests.proof.wires.gotalk.messages import Chunks, Message, named
from tests.proof.wires.gotalk.requests import Requests
from tests.proof.wires.gotalk.served import Served
from tests.proof.wires.gotalk.streams import Streams
from tests.proof.wires.hearing import Hearing

FEATURES = ("cancel", "errors", "flow", "retry", "streams")
SERVER_WINDOW = 16
WINDOWS = (1, 2, 16, 100)
DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"


class Gotalk(Conversation):
    """
    Over a transport, which a subclass is.

    `features` is what it announces; without any it is a stock peer.
    """

    framed: ClassVar[bool]
    """Whether messages go as WebSocket messages."""
    features: frozenset[str]
    text = False
    """Whether headers go as text."""

    async def tell(self, *messages: Chunks) -> None:
        """Send messages, somehow."""
        raise NotImplementedError

    async def open(self) -> None:
        self.calls: dict[bytes, Call] = {}
        self.allowed = {"too_fast"} if self.site.rates else set()
        """Codes with which anything may be refused."""
        self.stored = 0
        """The version of our newest post."""
        self.fault: int | None = None
        """The code of the server's `f`."""
        self.closed: int | None = None
        """The code of its `$close`."""
        self.is_scrambled = False
        """Anything may come now."""
        self.hearing = Hearing(self.number)
        self._ids: set[bytes] = set()
        has_flow = "flow" in self.features
        self.window = self.chance.choice(WINDOWS) if has_flow else None
        """What the server may send of a stream before we grant more; None: anything."""
        self.server_window = SERVER_WINDOW if has_flow else None
        """The same the other way."""
        self.served = Served(self)
        self.requests, self._streams = Requests(self), Streams(self)
        await super().open()

    def hello(self) -> Chunks:
        announced = {"agent": "fuzz", "features": sorted(self.features), "window": self.window or SERVER_WINDOW}
        return named(b"n", b"", "$hello", json.dumps(announced).encode())

    def new_id(self) -> bytes:
        """One that was never used on this connection."""
        while True:
            id = bytes(self.chance.choices(DIGITS, k=4)) if self.text else self.chance.randbytes(4)
            if id not in self._ids:
                self._ids.add(id)
                return id

    async def turn(self) -> None:
        await (self._streams.some() if self.chance.random() < 0.25 else self.requests.some())

    async def call(self, operation: str, payload: bytes, call: Call, kind: bytes = b"r") -> bytes:
        """Send a request; returns its id."""
        id = self.new_id()
        self.calls[id] = call
        self.said["requests"] += 1
        self.note(f"{kind!r} {id!r} {call.what} {payload[:60]!r}")
        await self.tell(named(kind, id, operation, payload))
        return id

    def may_flood(self) -> bool:
        """Whether to send so much that the connection is closed for it, at once."""
        return self.site.rates and not self.unanswered() and self.chance.random() < 0.3

    # --- what comes ----------------------------------------------------------------------------------------

    def take_message(self, message: Message) -> None:
        """
        Raises:
            Finding: a server may not send that now.
        """
        if message.kind not in "nh":
            self.note(f"< {message}")
        match message.kind:
            case "R" | "E" | "e" | "S":
                self._take_answer(message)
            case "n":
                self._take_notification(message.name, message.payload)
            case "r" | "s" | "p":
                self.served.take(message)
            case "f":
                self.fault = message.number

    def _take_answer(self, message: Message) -> None:
        call = self.calls.get(message.id)
        if call is None:
            if not self.is_scrambled:
                raise Finding(f"an answer to nothing: {message}")
            return
        if message.text != self.text:
            raise Finding(f"a header came as text={message.text}: {message}")
        if message.kind == "e" and self.framed and "retry" not in self.features:
            raise Finding("an `e` to a peer that does not know it")
        code = refusal(message, structured="errors" in self.features) if message.kind in "Ee" else ""
        if call.take(message, code, self.allowed):
            del self.calls[message.id]
        elif isinstance(call, Streamed):
            self.let_on(message.id, "S", call.awaited)

    def let_on(self, id: bytes, of: str, parts: Parts) -> None:
        """Grant credit for parts that came: now and then, and when the server must stop."""
        if self.window is not None and (not parts.has_credit or self.whim.random() < 0.3):
            self.later(self._grant, id, of, parts)

    async def _grant(self, id: bytes, of: str, parts: Parts) -> None:
        while True:
            # For as long as it has no credit, the server waits.
            await asyncio.sleep(self.whim.choice((0, 0, 0.05)))
            credit = self.whim.randint(1, 20)
            parts.grant(credit)
            await self.tell(more(id, of, credit))
            if parts.has_credit:
                # A large part may have overdrawn it by more than that.
                return

    def _take_notification(self, name: str, payload: bytes) -> None:
        if name.startswith("$") and not self.features:
            raise Finding(f"{name} to a stock peer")
        match name:
            case "newmsg":
                told = json.loads(payload)
                if told["room"] in self.site.rooms:
                    self.hearing.heard(told["room"], told["message"])
            case "missed":
                self.said["missed"] += 1
                self.hearing.has_gaps = True
            case "$more":
                self._take_credit(json.loads(payload))
            case "$cancel":
                self.served.cancelled(bytes.fromhex(json.loads(payload)["id"]))
            case "$close":
                self.closed = json.loads(payload)["code"]

    def _take_credit(self, told: Any) -> None:
        if self.window is None:
            raise Finding("credit for a peer that did not announce flow")
        id = bytes.fromhex(told["id"])
        call = self.calls.get(id)
        if told["of"] == "S":
            self.served.granted(id, told["credit"])
        elif isinstance(call, Streamed):
            call.sent.grant(told["credit"])

    def unanswered(self) -> list[str]:
        is_behind = not self.hearing.has_gaps and self.hearing.known.get(self.room, 0) < self.stored
        return [*(call.what for call in self.calls.values()), *([f"to hear {self.stored}"] if is_behind else [])]

    def lost(self) -> list[str]:
        """What is unanswered although nothing more was needed of us."""
        return [call.what for call in self.calls.values() if not call.needs_us]
