"""Streams of a client: requests in parts, results in parts, and requests in parts that the server is to send."""

import json
from typing import TYPE_CHECKING

from tests.proof.wires.gotalk.calls import Call, Parts, Streamed, cancel, equals
from tests.proof.wires.gotalk.messages import part
from tests.proof.wires.sizes import RARELY, some_size

if TYPE_CHECKING:
    from tests.proof.wires.gotalk.conversation import Gotalk

MAX_STREAMS = 8
"""At the same time; beyond it the server puts them off."""


class Streams:
    def __init__(self, talk: "Gotalk") -> None:
        self._talk = talk
        self._chance = talk.chance

    async def some(self) -> None:
        if sum(isinstance(call, Streamed) for call in self._talk.calls.values()) >= MAX_STREAMS:
            self._talk.allowed.add("too_many_streams")
        fill = self._chance.choice((b"a", b"\xff"))
        count = self._chance.choice((1, 3, 10, 50))
        sizes = [some_size(self._chance, large=RARELY) or 1 for _ in range(count)]
        kinds = (self._mirror, self._mirror_of_one, self._measure, self._fail_midway, self._be_sent)
        await self._chance.choice(kinds)(sizes, fill)

    def _sent(self, sizes: list[int], fill: bytes) -> Parts:
        return Parts(sizes, fill, self._talk.server_window)

    def _awaited(self, sizes: list[int], fill: bytes) -> Parts:
        return Parts(sizes, fill, self._talk.window)

    async def _mirror(self, sizes: list[int], fill: bytes) -> None:
        """Parts that come back, unless we give up amid them."""
        give_up_at = self._chance.randint(1, len(sizes)) if self._chance.random() < 0.2 else None
        sent, awaited = self._sent(sizes, fill), self._awaited(sizes, fill)
        await self._open("mirror", Streamed("mirror", sent, awaited, give_up_at=give_up_at))

    async def _mirror_of_one(self, sizes: list[int], fill: bytes) -> None:
        """A single request for a result in parts."""
        awaited = self._awaited(sizes[:1], fill)
        call = Streamed("mirror of one", self._sent([], fill), awaited)
        await self._talk.call("mirror", awaited.next_payload, call)

    async def _measure(self, sizes: list[int], fill: bytes) -> None:
        """A request in parts for a single result, which comes as a part to stock peers."""
        first_only = self._chance.random() < 0.3
        answer = json.dumps(sizes[0] if first_only else sizes, separators=(",", ":")).encode()
        awaited = self._awaited([] if self._talk.features else [1], answer)
        call = Streamed("measure", self._sent(sizes, fill), awaited, equals(answer))
        await self._open("take-one" if first_only else "measure", call)

    async def _fail_midway(self, sizes: list[int], fill: bytes) -> None:
        """A result that ends in an error."""
        sent, awaited = self._sent(sizes, fill), self._awaited([1], b"one")
        await self._open("fail-midway", Streamed("fail-midway", sent, awaited, None, "midway"))

    async def _open(self, operation: str, call: Streamed) -> None:
        talk = self._talk
        # From a stock peer over WebSocket an empty first part is the whole request.
        begins_empty = self._chance.random() < 0.3 and (not talk.framed or bool(talk.features))
        first = b"" if begins_empty else call.sent.move()
        id = await talk.call(operation, first, call, b"s")
        talk.later(self._go_on, id, call)

    async def _go_on(self, id: bytes, call: Streamed) -> None:
        sent, talk = call.sent, self._talk
        while not sent.is_done and not call.is_over and sent.moved != call.give_up_at:
            await talk.until(lambda: sent.has_credit or call.is_over, lambda: f"no credit for {call.what}")
            if not call.is_over:
                await talk.tell(part(b"p", id, sent.move()))
        await talk.tell(part(b"p", id, b"") if call.give_up_at is None else cancel(id))

    async def _be_sent(self, sizes: list[int], fill: bytes) -> None:
        """Let the server send us a request in parts."""
        talk = self._talk
        if talk.framed and "streams" not in talk.features:
            return
        params = json.dumps({"operation": talk.served.expect(sizes), "sizes": sizes}).encode()
        answer = json.dumps(sizes, separators=(",", ":")).encode()
        await talk.call("stream-to-me", params, Call("stream-to-me", equals(answer), needs_us=True))
