"""Clients that get no further than their first words, at either port."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.proof.wires.conversation import A_MOMENT, Conversation
from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.messages import StreamReader
from tests.proof.wires.http.requests import LONG, MAX_HEADERS
from tests.proof.wires.line import Address
from tests.proof.wires.websocket.frames import ServerFrames
from tests.raw_websocket import KEY, handshake

UNSUPPORTED_VERSION, TIMED_OUT = 1, 3
SWITCHING, BAD_REQUEST, NOT_ALLOWED, BAD_METHOD, HEAD_TOO_LARGE = 101, 400, 403, 405, 431
OWN_HEADERS = 5
"""Of a handshake."""
BAD_TOKEN = "Authorization: Bearer no-such-token"


class Opening(NamedTuple):
    """First words at the web port, and the status of HTTP or the code of a close frame that answers them."""

    what: str
    data: bytes
    status: int | None = None
    code: int | None = None


class Stranger(Conversation):
    kind = "stranger"

    async def open(self) -> None:
        self._came = bytearray()
        self._is_at_the_web = self.chance.random() < 0.7
        await super().open()

    def port(self) -> Address:
        return self.site.web if self._is_at_the_web else self.site.gotalk

    def take(self, data: bytes) -> None:
        self._came += data

    async def talk(self) -> None:
        await (self._talk_to_the_web() if self._is_at_the_web else self._talk_gotalk())

    # --- the web port --------------------------------------------------------------------------------------

    async def _talk_to_the_web(self) -> None:
        opening = self.chance.choice(list(self._openings()))
        self.spoilt = opening.what
        self.said["openings"] += 1
        await self.line.write(opening.data)
        if opening.code is not None:
            await self._await_close(opening.code)
        elif opening.status is not None:
            await self.until(lambda: b"\r\n\r\n" in self._came, lambda: "no answer")
            if not self._came.startswith(b"HTTP/1.1 %d " % opening.status):
                raise Finding(f"answered with {bytes(self._came[:200])!r} and not {opening.status}")
        else:
            await self.until_over(A_MOMENT)
        self.line.half_close()
        await self.last_words()

    async def _await_close(self, code: int) -> None:
        frames = ServerFrames()

        def is_closed() -> bool:
            new = bytes(self._came)
            self._came.clear()
            if new:
                frames.feed(new)
            return frames.close is not None

        await self.until(is_closed, lambda: f"not closed with {code}")
        if frames.close is None or frames.close[0] != code:
            raise Finding(f"closed with {frames.close} and not with {code}")

    def _openings(self) -> Iterator[Opening]:
        good = handshake("/echo")
        some = self.chance.randint(1, 5000)
        yield Opening("garbage", self.chance.randbytes(some))
        yield Opening("lines of garbage", b"hello\r\nyou\r\n\r\n" * some, BAD_REQUEST)
        yield Opening("part of a handshake", good[: self.chance.randrange(1, len(good))])
        yield Opening("a handshake and no more", good)
        yield Opening("another version", good.replace(b"Version: 13", b"Version: 12"), BAD_REQUEST)
        yield Opening("no version", good.replace(b"Sec-WebSocket-Version: 13\r\n", b""), BAD_REQUEST)
        yield Opening("no key", good.replace(b"Sec-WebSocket-Key: %b\r\n" % KEY.encode(), b""), BAD_REQUEST)
        yield Opening("a short key", good.replace(KEY.encode(), b"c2hvcnQ="), BAD_REQUEST)
        yield Opening("no host", good.replace(b"Host: x\r\n", b""), BAD_REQUEST)
        yield Opening("another method", good.replace(b"GET", b"POST"), BAD_METHOD)
        yield Opening("a long address", good.replace(b"/echo", b"/echo?" + b"x" * LONG), HEAD_TOO_LARGE)
        yield Opening("a long header", handshake("/echo", "X-Long: " + "x" * LONG), HEAD_TOO_LARGE)
        many = ["X-Many: x"] * (MAX_HEADERS - OWN_HEADERS)
        yield Opening("many headers", handshake("/echo", *many), SWITCHING)
        yield Opening("too many headers", handshake("/echo", *many, *many[:some]), HEAD_TOO_LARGE)
        yield Opening("another origin", handshake("/echo", "Origin: http://evil.example"), NOT_ALLOWED)
        yield Opening("an unknown path", handshake("/no/such/door"), code=4404)
        yield Opening("an unknown room", handshake("/ws/no-such-room"), code=4404)
        for path in ("/ws", "/push", "/gotalk/"):
            yield Opening(f"an unknown token at {path}", handshake(path, BAD_TOKEN), code=4401)
        for address in ("/ws?names=2", "/ws?format=xml", "/ws?since=-1", "/echo?heartbeat=0", "/echo?%ff"):
            yield Opening(address, handshake(address), code=4400)

    # --- the gotalk port -----------------------------------------------------------------------------------

    async def _talk_gotalk(self) -> None:
        faults: dict[bytes, int | None] = {
            b"02": UNSUPPORTED_VERSION,
            b"GET / HTTP/1.1\r\n\r\n": UNSUPPORTED_VERSION,
            b"\x16\x03\x01\x02\x00": UNSUPPORTED_VERSION,
            b"\xff" + self.chance.randbytes(self.chance.randint(1, 100_000)): UNSUPPORTED_VERSION,
            b"0": None,
            b"01r0001004ech": None,
        }
        said, fault = self.chance.choice(list(faults.items()))
        if self.chance.random() < 0.05:
            said, fault = self.chance.choice((b"", b"0")), TIMED_OUT
        self.spoilt = repr(said[:20])
        self.said["openings"] += 1
        await self.line.write(said)
        if fault is None:
            self.line.half_close()
        await self.last_words()
        faults_told = [message.number for message in StreamReader().feed(bytes(self._came)) if message.kind == "f"]
        if faults_told != ([] if fault is None else [fault]):
            raise Finding(f"`f` {faults_told} and not {fault}")
