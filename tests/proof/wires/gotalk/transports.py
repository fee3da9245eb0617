"""gotalk over TCP and over WebSocket, as stock peers and as peers that announce more."""

import json

from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.calls import Call, has
from tests.proof.wires.gotalk.conversation import FEATURES, Gotalk
from tests.proof.wires.gotalk.messages import Chunks, FramedReader, StreamReader, is_utf8, named, part
from tests.proof.wires.gotalk.spoilt import FLOOD, INVALID_MESSAGE, INVALID_MESSAGE_CLOSE, TOO_FAST, spoilt_message
from tests.proof.wires.line import Address
from tests.proof.wires.sizes import MEBI
from tests.proof.wires.spoiling import ballast, scrambled
from tests.proof.wires.websocket.conversation import OverWebSocket
from tests.proof.wires.websocket.spoilt import Spoilt
from tests.raw_websocket import BINARY, TEXT, frame

MAX_CUTS = 5


class OverTcp(Gotalk):
    kind = "gotalk over TCP"
    framed = False

    async def open(self) -> None:
        is_stock = self.polite or self.chance.random() < 0.4
        self.features = frozenset(() if is_stock else self.chance.sample(FEATURES, self.chance.randint(1, 5)))
        self._reader = StreamReader()
        await super().open()
        await self.line.write(b"01" + b"".join(self.hello() if self.features else ()))

    def port(self) -> Address:
        return self.site.gotalk

    def __str__(self) -> str:
        return f"{self.kind} as {' '.join(sorted(self.features)) or 'a stock peer'}"

    async def talk(self) -> None:
        await self.until(lambda: self._reader.has_version, lambda: "no version")
        if self.polite or self.chance.random() < 0.9:
            await self.call("login", json.dumps(self.token).encode(), Call("login", has("id", "name")))
            await self.settle()
            # What a guest hears and what a person hears need not join.
            self.hearing.known.clear()
        await super().talk()

    async def tell(self, *messages: Chunks) -> None:
        await self.line.write(b"".join(chunk for chunks in messages for chunk in chunks))

    def take(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            if self.fault is not None:
                raise Finding(f"{message} came behind `f`")
            self.take_message(message)

    async def leave(self) -> None:
        for _ in range(self.chance.randint(0, 5)):
            # A peer that has closed its side may still read.
            await self.requests.ask()
        self.line.half_close()
        await self.last_words()
        self._check_end(None)

    async def spoil(self) -> None:
        if self.may_flood():
            self.said["floods"] += 1
            await self.last_words(FLOOD)
            self._check_end(None, TOO_FAST if self.features else None)
            return
        self.spoilt, written = spoilt_message(self.chance)
        self.said[self.spoilt] += 1
        await self.last_words(written, *ballast(self.chance))
        self._check_end(INVALID_MESSAGE)

    def _check_end(self, fault: int | None, close_code: int | None = None) -> None:
        self.check_answered(self.lost())
        if self.line.reset:
            return
        if (self.fault, self.closed) != (fault, close_code):
            told = f"`f` {self.fault} and {self.closed}"
            raise Finding(f"the connection ended with {told}, and not with {fault} and {close_code}")
        if self._reader.is_amid:
            raise Finding("the last message is cut off")

    async def scramble(self) -> None:
        self.is_scrambled = True
        good = named(b"r", self.new_id(), "echo", b"hello") + part(b"p", self.new_id(), b"part")
        self.spoilt, written = scrambled(b"".join(good), self.chance)
        self.said[f"messages with {self.spoilt}"] += 1
        self.note(repr(written))
        await self.doubtful_words(written)
        if self.fault not in (None, INVALID_MESSAGE):
            raise Finding(f"the connection ended with `f` {self.fault}")


class GotalkOverWebSocket(Gotalk, OverWebSocket):
    kind = "gotalk over WebSocket"
    path = "/gotalk/"
    framed = True

    async def open(self) -> None:
        mode = "binary" if self.polite else self.chance.choice(("binary", "text", "joined", "joined"))
        more = self.chance.sample(FEATURES, self.chance.randint(0, 5))
        self.features = frozenset(("joined", *more) if mode == "joined" else ())
        self.text = mode == "text"
        self._reader: StreamReader | FramedReader = StreamReader() if mode == "joined" else FramedReader()
        await super().open()

    def __str__(self) -> str:
        stock = f"a stock peer, in {'text' if self.text else 'binary'}"
        return f"{self.kind} as {' '.join(sorted(self.features)) or stock}"

    async def talk(self) -> None:
        await self.until(lambda: self.frames.is_open, lambda: "no answer to the handshake")
        opening = [b"01", *(self.hello() if self.features else ())]
        if self.chance.random() < 0.5:
            opening = [b"".join(opening)]
        await self.say(*((BINARY, chunk) for chunk in opening))
        await super().talk()

    async def tell(self, *messages: Chunks) -> None:
        if self.features:
            await self.say(*self._cut(b"".join(chunk for chunks in messages for chunk in chunks)))
        else:
            await self.say(*(each for chunks in messages for each in self._split(chunks)))

    def _cut(self, data: bytes) -> list[tuple[int, bytes]]:
        """A byte stream in one WebSocket message or more, cut anywhere."""
        if not data:
            return []
        cuts = sorted(self.whim.randint(1, len(data)) for _ in range(self.whim.choice((0, 0, 1, MAX_CUTS))))
        pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if start < end]
        return [(BINARY, piece) for piece in pieces]

    def _split(self, chunks: Chunks) -> list[tuple[int, bytes]]:
        """As gotalk.js does; or joined, and cut again, but not right behind the header."""
        header, payload = chunks[0], b"".join(chunks[1:])
        kind = TEXT if self.text else BINARY
        if not payload:
            return [(kind, header)]
        if self.text or self.whim.random() < 0.5:
            if self.whim.random() < 0.1:
                # Which counts emoji wrong: the next message is the payload, whatever size was declared.
                header = header[:-8] + b"%08x" % self.whim.randint(1, MEBI)
            as_text = self.whim.random() < 0.5 and is_utf8(payload)
            return [(kind, header), (TEXT if as_text else BINARY, payload)]
        cut = self.whim.randint(1, len(payload))
        rest = payload[cut:]
        return [(BINARY, header + payload[:cut]), *([(BINARY, rest)] if rest else [])]

    def heard(self, opcode: int, payload: bytes) -> None:
        is_framed = isinstance(self._reader, FramedReader)
        for message in self._reader.feed(opcode, payload) if is_framed else self._reader.feed(payload):
            self.take_message(message)

    def unanswered(self) -> list[str]:
        return [*Gotalk.unanswered(self), *OverWebSocket.unanswered(self)]

    def spoilt_words(self) -> Spoilt:
        if self.may_flood():
            return Spoilt("floods", frame(BINARY, FLOOD), TOO_FAST)
        what, written = spoilt_message(self.chance)
        return Spoilt(what, frame(BINARY, written), INVALID_MESSAGE_CLOSE)

    def good_frame(self) -> bytes:
        return frame(BINARY, b"".join(named(b"r", self.new_id(), "echo", b"hello")))
