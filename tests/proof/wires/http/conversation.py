"""Conversations with the API: one request behind the other on one connection, answered in that order."""

import json
import re
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.proof.wires.conversation import Conversation
from tests.proof.wires.findings import Finding
from tests.proof.wires.hearing import FILLERS
from tests.proof.wires.http.answers import Answer, AnswerReader
from tests.proof.wires.http.requests import CHUNKED, chunked, length_of, request, spoilt_request
from tests.proof.wires.spoiling import ballast, scrambled

MAX_PAGE = 200
TOO_FAST = 429
ANY_ANSWER = re.compile(rb"HTTP/1\.[01] [234]\d\d ")
"""But for failures of the server."""
JSON = "Content-Type: application/json"


class Due(NamedTuple):
    """An answer that is to come."""

    what: str
    status: int
    check: Callable[[Any], None] = lambda body: None
    """Raises a Finding if what its JSON says is not right."""


class Http(Conversation):
    kind = "HTTP"

    async def open(self) -> None:
        self.is_scrambled = False
        """Anything may come now."""
        self._anything = bytearray()
        self._reader = AnswerReader()
        self._due: deque[Due] = deque()
        self._stored = 0
        """The version of our newest post."""
        self._posted = 0
        self._messages = f"/api/rooms/{self.room}/messages"
        self._token = f"Authorization: Bearer {self.token}"
        await super().open()

    # --- requests ------------------------------------------------------------------------------------------

    async def turn(self) -> None:
        for _ in range(self.chance.choice((1, 1, 3, 10))):
            await self._ask()

    async def _ask(self) -> None:
        chance = self.chance
        match chance.randrange(9):
            case 0 | 1:
                limit = chance.randint(1, MAX_PAGE)
                await self._send("GET", f"{self._messages}?limit={limit}", Due("messages", 200, _at_most(limit)))
            case 2:
                await self._send("HEAD", f"{self._messages}?limit={MAX_PAGE}", Due("HEAD", 200))
            case 3:
                await self._send("GET", "/api/nowhere", Due("nowhere", 404, _says("no_such_address")))
            case 4:
                await self._send("DELETE", self._messages, Due("another method", 405, _says("bad_method")))
            case 5:
                body = chance.choice((b"", b'{"body": ', b"[1]", b"\xff", b"[" * 60_000))
                await self._send("POST", self._messages, Due("bad JSON", 400, _says("bad_params")), body)
            case 6:
                await self._send("GET", "/healthz", Due("healthz", 200))
            case _:
                await self.post(chance.choice(FILLERS))

    async def post(self, filler: str) -> None:
        """Post a message, now and then twice; the second time nothing is stored."""
        body = f"c{self.number}.{self._posted} {filler}".strip()
        self._posted += 1
        new = {"body": body, "client_id": str(uuid.UUID(bytes=self.chance.randbytes(16)))}
        written = json.dumps(new, ensure_ascii=self.chance.random() < 0.5).encode()
        receipts: list[Any] = []

        def check(message: Any) -> None:
            receipts.append(message)
            if (message["id"], message["client_id"]) != (receipts[0]["id"], new["client_id"]):
                raise Finding(f"posted once as {receipts[0]} and again as {message}")
            if len(receipts) == 1 and (message["version"] <= self._stored or message["body"] != body):
                raise Finding(f"{message} is not the post behind {self._stored}")
            self._stored = max(self._stored, message["version"])

        for _ in range(2 if self.chance.random() < 0.1 else 1):
            self.said["posts"] += 1
            await self._send("POST", self._messages, Due("post", 201, check), written)

    async def _send(self, method: str, target: str, due: Due, body: bytes | None = None) -> None:
        self.said["requests"] += 1
        self.note(f"{method} {target} {(body or b'')[:60]!r}")
        self._due.append(due)
        await self.line.write(self._written(method, target, body))

    def _written(self, method: str, target: str, body: bytes | None = None, *more: str) -> bytes:
        if body is None:
            return request(method, target, self._token, *more)
        if self.chance.random() < 0.5:
            return request(method, target, self._token, JSON, length_of(body), *more, body=body)
        return request(method, target, self._token, JSON, CHUNKED, *more, body=chunked(body, self.chance))

    # --- answers -------------------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        if self.is_scrambled:
            # Whether that is answered, and how long the answer is, depends on what was scrambled.
            self._anything += data
            return
        self._reader.feed(data)
        while self._due and (answer := self._reader.next_answer(to_head=self._due[0].what == "HEAD")) is not None:
            self.note(f"< {answer}")
            self._take_answer(self._due.popleft(), answer)

    def _take_answer(self, due: Due, answer: Answer) -> None:
        if self.site.rates and answer.status == TOO_FAST:
            return
        if answer.status != due.status:
            raise Finding(f"{due.what} was answered with {answer}")
        if answer.headers.get(b"content-type") == b"application/json" and answer.body:
            due.check(json.loads(answer.body))

    def unanswered(self) -> list[str]:
        return [due.what for due in self._due]

    # --- ends ----------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        self._due.append(Due("the last request", 200))
        await self.last_words(self._written("GET", self._messages, None, "Connection: close"))
        self._check_end()

    async def spoil(self) -> None:
        self.spoilt, written, status = spoilt_request(self.chance, self._messages)
        self.said[self.spoilt] += 1
        self._due.append(Due(self.spoilt, status))
        await self.last_words(written, *ballast(self.chance))
        self._check_end()

    def _check_end(self) -> None:
        self.check_answered(self.unanswered())
        if self._reader.is_amid and not self.line.reset:
            raise Finding("something came behind the last answer, or half of it")

    async def scramble(self) -> None:
        self.is_scrambled = True
        good = self._written("POST", self._messages, b'{"body": "hello"}')
        self.spoilt, written = scrambled(good, self.chance)
        self.said[f"requests with {self.spoilt}"] += 1
        self.note(repr(written))
        await self.doubtful_words(written)
        if self._anything and not ANY_ANSWER.match(self._anything):
            raise Finding(f"answered with {bytes(self._anything[:200])!r}")


def _at_most(limit: int) -> Callable[[Any], None]:
    def check(page: Any) -> None:
        seqs = [message["seq"] for message in page["messages"]]
        if len(seqs) > limit or seqs != sorted(set(seqs)):
            raise Finding(f"not a page of at most {limit}: {seqs}")

    return check


def _says(code: str) -> Callable[[Any], None]:
    def check(told: Any) -> None:
        if told["code"] != code or not told["error"]:
            raise Finding(f"{told} does not say {code}")

    return check
