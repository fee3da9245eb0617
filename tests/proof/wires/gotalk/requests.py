"""Requests and notifications of a client: most are right, some are refused, and some have no answer."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.calls import Call, Twice, at_most, cancel, equals, has
from tests.proof.wires.gotalk.messages import Chunks, named, part
from tests.proof.wires.gotalk.served import BEHAVIOURS
from tests.proof.wires.hearing import FILLERS
from tests.proof.wires.sizes import MEBI, RARELY, some_size, some_text

if TYPE_CHECKING:
    from tests.proof.wires.gotalk.conversation import Gotalk

MANY_REQUESTS = 70
"""More than may be in flight."""


class Requests:
    def __init__(self, talk: "Gotalk") -> None:
        self._talk = talk
        self._chance = talk.chance

    async def some(self) -> None:
        kinds = {
            self.ask: 6.0,
            self._burst: 3.0,
            self._be_asked: 2.0,
            self._noise: 2.0,
            self._cancel: 1.0,
            self._twice: 1.0,
            self._crowd: 0.2,
        }
        await self._chance.choices(list(kinds), list(kinds.values()))[0]()

    # --- whose answers need nothing more of us -------------------------------------------------------------

    async def ask(self) -> None:
        call, chance = self._talk.call, self._chance
        match chance.randrange(10):
            case 0 | 1 | 2:
                await self.post(chance.choice(FILLERS))
            case 3:
                await call("whoami", b"", Call("whoami", has("id", "key", "name")))
            case 4:
                await call("no-such-operation", b"1", Call("an unknown operation", None, "unknown_operation"))
            case 5:
                params = chance.choice((b'{"name": ', b"[1]", b"\xff"))
                await call("greet", params, Call("bad parameters", None, "bad_params"))
            case 6:
                limit = chance.randint(1, 20)
                params = json.dumps({"room": self._talk.room, "limit": limit}).encode()
                await call("list-messages", params, Call("list-messages", at_most(limit)))
            case 7 if not self._talk.site.rates and chance.random() < 0.2:
                much = bytes(chance.choice((MEBI + 1, 4 * MEBI - 200)))
                await call("echo", much, Call("too much", None, "too_large"))
            case _:
                await self.echo(self._some_bytes())

    def _some_bytes(self) -> bytes:
        size = some_size(self._chance, large=RARELY if self._talk.site.rates else 10 * RARELY)
        return self._chance.randbytes(size) if self._chance.random() < 0.5 else some_text(self._chance, size)

    async def echo(self, payload: bytes) -> None:
        await self._talk.call("echo", payload, Call(f"echo of {len(payload)} bytes", equals(payload)))

    async def post(self, filler: str) -> None:
        """Post a message, now and then twice; the second time nothing is stored."""
        talk = self._talk
        client_id = str(uuid.UUID(bytes=self._chance.randbytes(16)))
        message = {"body": talk.hearing.new_body(filler), "client_id": client_id}
        payload = json.dumps({"room": talk.room, "message": message}).encode()
        receipts: list[Any] = []

        def check(answer: bytes) -> None:
            receipts.append(json.loads(answer))
            if receipts[-1] != receipts[0]:
                raise Finding(f"posted once as {receipts[0]} and again as {receipts[-1]}")
            talk.stored = max(talk.stored, receipts[0]["version"])

        talk.said["posts"] += 1
        await talk.call("send-message", payload, Call("send-message", check))
        if self._chance.random() < 0.1:
            await talk.call("send-message", payload, Call("the same send-message", check))

    async def _burst(self) -> None:
        for _ in range(self._chance.randint(2, 15)):
            await self.ask()

    # --- whose answers need more of us ---------------------------------------------------------------------

    async def _hang(self) -> bytes:
        return await self._talk.call("hang", b"", Call("hang", None, "cancelled", needs_us=True))

    async def _cancel(self) -> None:
        await self._talk.tell(cancel(await self._hang()))

    async def _twice(self) -> None:
        id = await self._talk.call("hang", b"", Twice())
        await self._talk.tell(named(b"r", id, "echo", b"again"), cancel(id))

    async def _crowd(self) -> None:
        """More requests than may be in flight: whichever are too many are put off."""
        self._talk.allowed.add("too_many_requests")
        for id in [await self._hang() for _ in range(MANY_REQUESTS)]:
            await self._talk.tell(cancel(id))

    async def _be_asked(self) -> None:
        """Let the server ask us; it is answered in one of the ways."""
        behaviour, size = self._chance.choice(BEHAVIOURS), some_size(self._chance, large=RARELY)
        operation = f"{behaviour} {self._chance.random()}"
        timeout = 0.3 if behaviour == "silence" else 20
        params = json.dumps({"operation": operation, "size": size, "timeout": timeout}).encode()
        if behaviour in ("E", "silence"):
            call = Call(f"ask-me {behaviour}", None, "unanswered", needs_us=True)
        else:
            call = Call(f"ask-me {behaviour}", equals(str(size).encode()), needs_us=True)
        await self._talk.call("ask-me", params, call)

    # --- what nobody answers -------------------------------------------------------------------------------

    async def _noise(self) -> None:
        id = self._talk.new_id()
        load, time = self._chance.randrange(1 << 16), self._chance.randrange(1 << 32)
        kinds: list[Chunks] = [
            [b"h%04x%08x" % (load, time)],
            [b"hABCD0ABCDEF9"],
            named(b"n", b"", "typing", json.dumps({"room": self._talk.room}).encode()),
            named(b"n", b"", "typing", b"nonsense"),
            named(b"n", b"", "no-such-notification", self._some_bytes()),
            named(b"n", b"", "$no-such-thing", b"{}"),
            named(b"n", b"", "$more", b'{"id":"00","of":"p","credit":1}'),
            named(b"n", b"", "$cancel", b"nonsense"),
            part(b"p", id, b"a part of nothing"),
            part(b"R", id, b"an answer to nothing"),
            part(b"S", id, b""),
            part(b"E", id, b"no"),
            part(b"e", id, b"later", b"000000fa"),
        ]
        await self._talk.tell(*self._chance.choices(kinds, k=self._chance.randint(1, 5)))
