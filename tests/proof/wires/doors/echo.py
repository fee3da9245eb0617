"""Conversations at the echo door."""

from collections import deque

from tests.proof.wires.findings import Finding
from tests.proof.wires.sizes import MEBI, RARELY, some_size, some_text
from tests.proof.wires.websocket.conversation import OverWebSocket
from tests.proof.wires.websocket.spoilt import TOO_BIG, Spoilt
from tests.raw_websocket import BINARY, TEXT, frame

HEARTBEAT = (TEXT, b"heartbeat from server")


class Echo(OverWebSocket):
    kind = "echo"
    path = "/echo"

    async def open(self) -> None:
        self._beats = not self.polite and self.chance.random() < 0.2
        self._sent: deque[tuple[int, bytes]] = deque()
        await super().open()

    def address(self) -> str:
        return f"{self.path}?heartbeat=1" if self._beats else self.path

    async def turn(self) -> None:
        for _ in range(self.chance.choice((1, 1, 1, 5, 30))):
            size = some_size(self.chance, large=RARELY if self.site.rates else 10 * RARELY)
            if self.chance.random() < 0.5:
                await self.echo(BINARY, self.chance.randbytes(size))
            else:
                await self.echo(TEXT, some_text(self.chance, size))
        if self.chance.random() < 0.2:
            await self.ping()

    async def echo(self, opcode: int, payload: bytes) -> None:
        self.said["messages"] += 1
        self._sent.append((opcode, payload))
        await self.say((opcode, payload))

    def heard(self, opcode: int, payload: bytes) -> None:
        came = (opcode, payload)
        if self.is_scrambled or (self._beats and came == HEARTBEAT):
            return
        if not self._sent or self._sent.popleft() != came:
            raise Finding(f"{len(payload)} bytes with the opcode {opcode} are not what was sent: {payload[:100]!r}")

    def unanswered(self) -> list[str]:
        return [*super().unanswered(), *(f"{len(payload)} bytes" for _, payload in self._sent)]

    def spoilt_words(self) -> Spoilt:
        much = self.chance.choice((MEBI + 1, 4 * MEBI))
        return Spoilt("more than the echo takes", frame(BINARY, bytes(much)), TOO_BIG)

    def good_frame(self) -> bytes:
        return frame(TEXT, b"hello" * self.chance.randint(0, 50))
