"""What conversations over a WebSocket have in common, whatever they say in it."""

import struct
from typing import ClassVar

from tests.proof.wires.conversation import DOCUMENTED, Conversation
from tests.proof.wires.findings import Finding
from tests.proof.wires.spoiling import ballast, scrambled
from tests.proof.wires.websocket.frames import ServerFrames, control, message
from tests.proof.wires.websocket.spoilt import Spoilt, spoilt_frame
from tests.raw_websocket import BINARY, CLOSE, PING, PONG, frame, handshake

COMPRESSION = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
"""As every browser offers it; the server does not take it."""


class OverWebSocket(Conversation):
    path: ClassVar[str]

    async def open(self) -> None:
        self.frames = ServerFrames()
        self.is_scrambled = False
        """Anything may come now."""
        self._pings: list[bytes] = []
        self._has_closed = False
        await super().open()
        headers = [f"Authorization: Bearer {self.token}", *([COMPRESSION] if self.chance.random() < 0.3 else [])]
        await self.line.write(handshake(self.address(), *headers))

    async def talk(self) -> None:
        await self.until(lambda: self.frames.is_open, lambda: "no answer to the handshake")
        await super().talk()

    # --- what a subclass says ------------------------------------------------------------------------------

    def address(self) -> str:
        """The path and query."""
        return self.path

    def heard(self, opcode: int, payload: bytes) -> None:
        """A message came."""
        raise NotImplementedError

    def lost(self) -> list[str]:
        """What is unanswered although nothing more was needed of us."""
        return self.unanswered()

    def spoilt_words(self) -> Spoilt:
        """What this door closes the connection for, in good frames."""
        raise NotImplementedError

    def good_frame(self) -> bytes:
        """A message that is valid, in one frame."""
        raise NotImplementedError

    # --- in and out ----------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        for opcode, payload in self.frames.feed(data):
            if opcode == PING:
                self.later(self.line.write, frame(PONG, payload))
            elif opcode == PONG:
                self._take_pong(payload)
            else:
                self.heard(opcode, payload)
        if self.frames.close is not None:
            self.note(f"closed with {self.frames.close}")
            if not self._has_closed:
                self.later(self.line.write, frame(CLOSE))

    def _take_pong(self, payload: bytes) -> None:
        if self.is_scrambled:
            return
        # Of several pings only the last one must be answered (section 5.5.3).
        if payload not in self._pings:
            raise Finding(f"a pong that nobody asked for: {payload!r}")
        del self._pings[: self._pings.index(payload) + 1]

    async def say(self, *messages: tuple[int, bytes]) -> None:
        """Send messages, opcode and payload, somehow, one right behind the other."""
        await self.line.write(b"".join(self._framed(opcode, payload) for opcode, payload in messages))

    def _framed(self, opcode: int, payload: bytes) -> bytes:
        if self.polite:
            return frame(opcode, payload)
        return message(opcode, payload, self.whim, self._pings)

    async def ping(self) -> None:
        await self.line.write(control(self.whim, self._pings))

    def unanswered(self) -> list[str]:
        return [f"ping {payload!r}" for payload in self._pings]

    # --- ends ----------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        code = self.chance.choice((None, 1000, 1001, 3000, 4999))
        payload = b"" if code is None else struct.pack(">H", code) + b"bye" * self.chance.randint(0, 40)
        self._has_closed = True
        await self.last_words(frame(CLOSE, payload))
        self._check_code({code})

    async def spoil(self) -> None:
        self.spoilt, written, code = (
            spoilt_frame(self.chance) if self.chance.random() < 0.5 else self.spoilt_words()
        )
        self.said[self.spoilt] += 1
        await self.last_words(written, *(frame(BINARY, each) for each in ballast(self.chance)))
        self._check_code({code})
        self.check_answered(self.lost())

    async def scramble(self) -> None:
        self.is_scrambled = True
        self.spoilt, written = scrambled(self.good_frame(), self.chance)
        self.said[f"frames with {self.spoilt}"] += 1
        self.note(repr(written[:60]))
        await self.doubtful_words(written)
        if self.frames.close is not None:
            self._check_code(DOCUMENTED | {None})

    def _check_code(self, codes: set[int | None]) -> None:
        """Unless the server had to give up, its close must say one of these."""
        if self.line.reset:
            return
        if self.frames.close is None:
            raise Finding("the server ended the connection without a close frame")
        if self.frames.close[0] not in codes:
            raise Finding(f"closed with {self.frames.close} and not with {codes}")
