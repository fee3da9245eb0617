"""Requests of a client, and what may come back for them."""

import json
import re
from collections.abc import Callable

from tests.proof.wires.findings import Finding
from tests.proof.wires.gotalk.messages import Chunks, Message, named

Check = Callable[[bytes], None]
"""Raises a Finding if a result is not the right one."""

_TEXTS = {
    "cancelled": r"cancelled",
    "duplicate_id": r"this id is in use",
    "unknown_operation": r'unknown operation ".*"',
    "too_large": r"payload too large: \d+ bytes, limit 1048576",
    "bad_params": r"bad parameters: .*",
    "midway": r"enough",
    "unanswered": r"the client did not answer",
    "too_fast": r"(too fast|you are posting too fast).*",
    "too_many_requests": r"too many requests in flight.*",
    "too_many_streams": r"too many streams.*",
}
"""How stock peers are told of errors that have these codes."""


def refusal(message: Message, *, structured: bool) -> str:
    """The code of an `E` or `e`, or its text if that is not a known one."""
    if structured:
        return str(json.loads(message.payload)["code"])
    text = message.payload.decode()
    return next((code for code, pattern in _TEXTS.items() if re.fullmatch(pattern, text)), text)


def cost(payload: bytes) -> int:
    """What a part takes of a window."""
    return 1 + (len(payload) >> 16)


class Call:
    """
    A request.

    Args:
        check: raises a Finding if a result is not the right one; None: it must be refused.
        refused_with: the codes of errors that are right.
        needs_us: whether it is not answered before we say more.
    """

    def __init__(self, what: str, check: Check | None, *refused_with: str, needs_us: bool = False) -> None:
        self.what = what
        self.needs_us = needs_us
        self._check = check
        self._refused_with = set(refused_with)

    def take(self, message: Message, code: str, allowed: set[str]) -> bool:
        """
        An answer; `code` is that of an error, and those of `allowed` are right for every request.

        Returns:
            Whether no more is to come.
        Raises:
            Finding: it is not right.
        """
        if code:
            if code not in self._refused_with | allowed:
                raise Finding(f"{self.what} was refused with {code}")
        elif self._check is None or message.kind != "R":
            raise Finding(f"{self.what} was answered with {message}")
        else:
            self._check(message.payload)
        return True


class Twice(Call):
    """Two requests with one id, and a `$cancel`: the second is refused at once, then the first."""

    def __init__(self) -> None:
        super().__init__("an id twice", None, "duplicate_id", "cancelled", needs_us=True)
        self._due = ["duplicate_id", "cancelled"]

    def take(self, message: Message, code: str, allowed: set[str]) -> bool:
        super().take(message, code, allowed)
        due = self._due.pop(0)
        if code not in {due} | allowed:
            raise Finding(f"{self.what} was refused with {code} before {due}")
        return not self._due


class Parts:
    """
    What goes one way in a stream, and how far its reader lets it.

    Args:
        fill: each part is this, as often as its size says.
        window: what may be sent before more is granted; None: anything.
    """

    def __init__(self, sizes: list[int], fill: bytes, window: int | None) -> None:
        self.sizes = sizes
        self.moved = 0
        """How many were sent, or came."""
        self._fill = fill
        self._allowed = window
        self._cost = 0

    @property
    def next_payload(self) -> bytes:
        return self._fill * self.sizes[self.moved]

    @property
    def is_done(self) -> bool:
        return self.moved == len(self.sizes)

    @property
    def has_credit(self) -> bool:
        return self._allowed is None or self._cost < self._allowed

    def grant(self, credit: int) -> None:
        if self._allowed is not None:
            self._allowed += credit

    def move(self) -> bytes:
        """The next part is sent, or came; returns it."""
        payload = self.next_payload
        self._cost += cost(payload)
        self.moved += 1
        return payload

    def take(self, payload: bytes) -> None:
        """
        Raises:
            Finding: it is not the next part, or came without credit.
        """
        if not self.has_credit:
            raise Finding(f"part {self.moved} came without credit")
        if self.is_done or self.move() != payload:
            raise Finding(f"part {self.moved} of {self.sizes} is {len(payload)} bytes: {payload[:50]!r}")


class Streamed(Call):
    """
    A request in parts, or a result in parts, or both.

    Args:
        sent: the parts of the request.
        awaited: the parts of the result.
        give_up_at: after so many parts it is cancelled.
    """

    def __init__(
        self,
        what: str,
        sent: Parts,
        awaited: Parts,
        check: Check | None = None,
        *refused_with: str,
        give_up_at: int | None = None,
    ) -> None:
        if give_up_at is not None:
            refused_with = (*refused_with, "cancelled")
        super().__init__(what, check, *refused_with, needs_us=True)
        self.sent = sent
        self.awaited = awaited
        self.give_up_at = give_up_at
        self.is_over = False

    def take(self, message: Message, code: str, allowed: set[str]) -> bool:
        if message.kind != "S":
            self.is_over = super().take(message, code, allowed)
        elif message.payload:
            self.awaited.take(message.payload)
        elif self.awaited.is_done:
            self.is_over = True
        else:
            raise Finding(f"{self.what} ended after {self.awaited.moved} of {len(self.awaited.sizes)} parts")
        return self.is_over


# --- what we tell about them -------------------------------------------------------------------------------


def more(id: bytes, of: str, credit: int) -> Chunks:
    """A grant of credit."""
    return named(b"n", b"", "$more", json.dumps({"id": id.hex(), "of": of, "credit": credit}).encode())


def cancel(id: bytes) -> Chunks:
    return named(b"n", b"", "$cancel", json.dumps({"id": id.hex()}).encode())


# --- checks ------------------------------------------------------------------------------------------------


def equals(wanted: bytes) -> Check:
    def check(payload: bytes) -> None:
        if payload != wanted:
            raise Finding(f"{len(payload)} bytes are not the {len(wanted)} that are right: {payload[:50]!r}")

    return check


def has(*fields: str) -> Check:
    def check(payload: bytes) -> None:
        if set(fields) - set(json.loads(payload)):
            raise Finding(f"{payload[:100]!r} lacks one of {fields}")

    return check


def at_most(limit: int) -> Check:
    def check(payload: bytes) -> None:
        if len(json.loads(payload)) > limit:
            raise Finding(f"more than {limit}")

    return check
