"""Two sessions wired together under random use: no leak, no exception that is not ours."""

import random
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpc import Limits, OperationError, RetryLater, RpcError
from rpc.messages import (
    ErrorResult,
    Notification,
    Request,
    Result,
    RetryResult,
    StreamPart,
    StreamRequest,
    StreamResult,
)
from rpc.protocol.session import Announced, Cancelled, Granted, Session
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

SMALL = Limits(
    max_payload_bytes=200,
    max_requests_in_flight=4,
    stream_window=3,
    messages_per_second=None,
    bytes_per_second=None,
)

ACTIONS = (
    "request",
    "stream",
    "part",
    "end",
    "give up",
    "answer",
    "answer part",
    "end answer",
    "refuse",
    "defer",
)
MORE_ACTIONS = ("notify", "grant", "oversized", "timer", "deliver")


class Side:
    """A session and what its application knows: whom it has to answer, and what it has asked."""

    def __init__(self, *, framed: bool, greets: bool) -> None:
        self.session = Session(SMALL, 0.0, framed=framed, greets=greets)
        self.to_answer: list[bytes] = []
        self.asked: list[bytes] = []

    def receive(self, chunk: bytes | str, now: float) -> None:
        text = isinstance(chunk, str)
        self.session.receive_data(chunk.encode() if isinstance(chunk, str) else chunk, now, text=text)
        while (event := self.session.next_event()) is not None:
            match event:
                case Request() | StreamRequest():
                    assert event.id not in self.to_answer
                    self.to_answer.append(event.id)
                case Cancelled():
                    self.to_answer.remove(event.id)
                    self.session.refuse(event.id, event.reason)
                case Result() | ErrorResult() | RetryResult():
                    self.asked.remove(event.id)
                case StreamResult():
                    if not event.payload:
                        self.asked.remove(event.id)
                case StreamPart() | Granted() | Announced() | Notification():
                    pass
                case _:
                    self.asked.remove(event.id)

    def act(self, action: str, chance: random.Random, now: float) -> None:
        session = self.session
        payload = chance.randbytes(chance.choice((0, 1, 5, 200)))
        mine = chance.choice(self.asked) if self.asked else b"none"
        theirs = chance.choice(self.to_answer) if self.to_answer else b"none"
        match action:
            case "request":
                self.asked.append(session.request("any", payload))
            case "stream":
                self.asked.append(session.stream("any", payload))
            case "part":
                session.part(mine, payload or b"x")
            case "end":
                session.part(mine, b"")
            case "give up" if self.asked:
                session.give_up(mine)
                self.asked.remove(mine)
            case "answer":
                session.answer(theirs, payload)
            case "answer part":
                session.answer_part(theirs, payload or b"x")
            case "end answer":
                session.answer_part(theirs, b"")
            case "refuse":
                session.refuse(theirs, OperationError("no", "no"))
            case "defer":
                session.refuse(theirs, RetryLater(1, "later"))
            case "notify":
                session.notify("any", payload)
            case "grant":
                session.grant(chance.choice((mine, theirs)), 1, results=chance.random() < 0.5)
            case "oversized":
                with suppress(RpcError):
                    session.request("any", bytes(201))
            case "timer":
                session.handle_timer(now, 0)
        if action in ("answer", "end answer", "refuse", "defer") and self.to_answer:
            self.to_answer.remove(theirs)


def deliver(one: Side, other: Side, chance: random.Random, now: float) -> None:
    """Let what one side has to send arrive at the other, cut anywhere where it is a byte stream."""
    chunks = one.session.data_to_send()
    if "joined" in one.session.features:
        whole = b"".join(chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks)
        chunks = []
        while whole:
            size = chance.randint(1, len(whole))
            chunks.append(whole[:size])
            whole = whole[size:]
    for chunk in chunks:
        other.receive(chunk, now)


@settings(max_examples=short_or_whole(200, 1000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.lists(st.sampled_from(ACTIONS + MORE_ACTIONS), max_size=120), st.booleans())
def test_sessions(seed, actions, framed):
    """Whatever two applications do, the sessions stay open, and when all is answered nothing is left."""
    chance = random.Random(seed)
    sides = Side(framed=framed, greets=True), Side(framed=framed, greets=False)
    now = 0.0
    # The first words are not joined: what they announce counts from behind them.
    for one, other in (sides, reversed(sides)):
        for chunk in one.session.data_to_send():
            other.receive(chunk, now)
    for action in actions:
        now += 0.01
        side = chance.randrange(2)
        if action == "deliver":
            deliver(sides[side], sides[1 - side], chance, now)
        else:
            sides[side].act(action, chance, now)
    for _ in range(6):
        for side in (0, 1):
            for id in sides[side].to_answer:
                sides[side].session.answer(id, b"")
            sides[side].to_answer.clear()
            deliver(sides[side], sides[1 - side], chance, now)
    for each in sides:
        session = each.session
        assert session.ended is None
        assert each.asked == []
        assert (session._waiting, session._sending, session._arriving) == (set(), set(), set())
        assert session.in_flight == 0
