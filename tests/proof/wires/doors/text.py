"""Conversations at the text door, in its three formats."""

import json
import re
from collections import deque
from urllib.parse import quote

from tests.proof.wires.findings import Finding
from tests.proof.wires.hearing import FILLERS
from tests.proof.wires.websocket.conversation import OverWebSocket
from tests.proof.wires.websocket.frames import readable
from tests.proof.wires.websocket.spoilt import TOO_BIG, Spoilt
from tests.raw_websocket import BINARY, TEXT, frame

MAX_FRAME_BYTES = 4096
QUERIES = {"plain": [], "names": ["names=1"], "json": ["format=json"]}
REPLAYED = 300
"""The most messages that are asked for again."""


class Text(OverWebSocket):
    kind = "text"

    async def open(self) -> None:
        self._format = "plain" if self.polite else self.chance.choice(list(QUERIES))
        self._count = 0
        self._sent: deque[str] = deque()
        """Lines of ours that are to come back."""
        self._newest_own = -1
        self._refusals = 0
        """Errors that are due."""
        self._seq = 0
        """Of the last line, in JSON."""
        await super().open()

    def __str__(self) -> str:
        return f"text as {self._format}"

    def address(self) -> str:
        query = list(QUERIES[self._format])
        if self._format == "json" and self.chance.random() < 0.5:
            self._seq = max(0, self.site.newest.get(self.room, 0) - self.chance.randint(0, REPLAYED))
            query.append(f"since={self._seq}")
        return f"/ws/{quote(self.room)}?{'&'.join(query)}"

    # --- out -----------------------------------------------------------------------------------------------

    async def turn(self) -> None:
        for _ in range(self.chance.choice((1, 1, 3, 15))):
            await self.post(self.chance.choice(FILLERS))
        match self.chance.randrange(6):
            case 0:
                await self.ping()
            case 1:
                await self.say((TEXT, b'{"body": " "}' if self._format == "json" else b" \n"))
            case 2:
                self._refusals += 1
                await self.say((BINARY, b'{"body": ' if self._format == "json" else b"\xff\xfe"))

    async def post(self, filler: str) -> None:
        body = f"c{self.number}.{self._count} {filler}".strip()
        self._count += 1
        self.said["posts"] += 1
        if self._format == "json":
            self._sent.append(body)
            written = json.dumps({"body": body}, ensure_ascii=False)
        else:
            self._sent.append(re.sub(r"\r\n|\r|\n", " ", body))
            written = body
        await self.say((self.chance.choice((TEXT, BINARY)), written.encode()))

    # --- in ------------------------------------------------------------------------------------------------

    def heard(self, opcode: int, payload: bytes) -> None:
        if opcode != TEXT:
            raise Finding(f"a binary frame at the text door: {payload[:100]!r}")
        for line in readable(payload).split("\n"):
            if line.startswith("! "):
                self._take_error(line)
            else:
                self._take_line(line)

    def _take_error(self, line: str) -> None:
        self.note(line)
        if self._refusals and ("UTF-8" in line or "bad_message" in line):
            self._refusals -= 1
        elif self.site.rates and "too" in line and "fast" in line and self._sent:
            # Which one is not said.
            self._sent.pop()
        elif not self.is_scrambled and not (self.spoilt and ("at most" in line or "too_large" in line)):
            raise Finding(f"nothing was wrong, but the server says {line!r}")

    def _take_line(self, line: str) -> None:
        body = line.partition(": ")[2] if self._format == "names" else line
        if self._format == "json":
            shown = json.loads(line)
            body = shown["body"]
            self._check_order(shown["seq"])
        own = re.match(rf"c{self.number}\.(\d+)", body)
        if own is None or self.is_scrambled:
            return
        if self.site.rates:
            self._check_own_order(int(own[1]))
        elif not self._sent or self._sent.popleft() != body:
            raise Finding(f"not the next of our lines: {body[:50]!r}")

    def _check_order(self, seq: int) -> None:
        if self._seq and seq != self._seq + 1:
            raise Finding(f"the message {seq} follows {self._seq}")
        self._seq = self.site.newest[self.room] = seq

    def _check_own_order(self, number: int) -> None:
        """Where some lines are refused, the others keep their order."""
        if not self._sent or number <= self._newest_own:
            raise Finding(f"our line {number} follows {self._newest_own}")
        self._newest_own = number
        self._sent.popleft()

    def unanswered(self) -> list[str]:
        return [*super().unanswered(), *(body[:30] for body in self._sent), *["an error"] * self._refusals]

    def spoilt_words(self) -> Spoilt:
        much = self.chance.choice((MAX_FRAME_BYTES + 1, 65_536, 1 << 20))
        return Spoilt("a line that is too long", frame(TEXT, b"x" * much), TOO_BIG)

    def good_frame(self) -> bytes:
        return frame(TEXT, b'{"body": "a line"}')
