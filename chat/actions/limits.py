"""
How often people may do things, through all doors, rooms and connections together: one table.

Guests come and go as they like, so what they do counts for their address as well.
"""

from contextlib import suppress

from django.conf import settings

from chat.actions.access import may
from chat.actions.caller import Caller
from chat.actions.roles import Verb
from chat.queries.rates import Rate
from chat.queries.rooms import RoomFacts
from chat.realtime import runtime
from chat.realtime.runtime import Runtime
from rpc import Refused, RetryLater
from rpc.networks import network_of

RATES = {
    "post": Rate(30, 120),
    "edit": Rate(10, 30),
    "react": Rate(20, 60),
    "typing": Rate(1, 20),
    "create-room": Rate(5, 0.5),
    "join": Rate(30, 30),
    "rename": Rate(5, 1),
    "address": Rate(15, 10),
    "moderate": Rate(30, 60),
    "read": Rate(400, 1200),
    "mark-read": Rate(60, 300),
    "push": Rate(100, 1200),
    "token": Rate(10, 1),
    "page": Rate(600, 1200),
    "api": Rate(1000, 6000),
    "visit": Rate(100, 1),
    "sign-up": Rate(20, 1),
    "openid": Rate(100, 60),
    "password": Rate(20, 5),
}
"""
What one person may do, and one address from `page` on. Admins change each of them.

post: faster than anyone types, and the lines that someone pastes one by one. edit: removals too. address: direct
rooms, invitations and contact requests, each of which somebody hears of. join: leaving and entering too. read:
in units of about a page; what a page asks for when it is opened takes some ten. openid: a whole office may log in
of a morning, but nobody makes this site a hammer for its provider.
"""
ADDRESS_FACTOR = 4
"""The guests of one address together may do as much as so many people: a family, a class, a café."""
MAX_ROOMS_OWNED = 50
"""Rooms that one person may own, without those of two."""


async def count(caller: Caller, what: str, cost: float = 1) -> None:
    """
    Count what a caller does.

    Args:
        what: a key of `RATES`.
        cost: how much of the rate it takes.

    Raises:
        RetryLater: `too_fast`; nothing was counted for the person.
    """
    if settings.RATE_LIMITS:
        rate = rate_of(caller.runtime, what)
        rates = caller.runtime.rates
        wait = 0.0
        if caller.person.identity.is_guest:
            shared = Rate(ADDRESS_FACTOR * rate.burst, ADDRESS_FACTOR * rate.per_minute)
            wait = await rates.take(what, network_of(caller.client.address), shared, cost)
        if not wait:
            wait = await rates.take(what, caller.person.identity.key, rate, cost)
        if wait:
            raise too_fast(wait, what)


async def count_visit(what: str, who: str) -> None:
    """
    Count what is done without a connection, on the loop that serves; nothing is counted while the server ends.

    Args:
        what: a key of `RATES`.
        who: the key of a person, or a network.

    Raises:
        RetryLater: `too_fast`.
    """
    if settings.RATE_LIMITS:
        with suppress(Refused):
            running = await runtime.start()
            wait = await running.rates.take(what, who, rate_of(running, what))
            if wait:
                raise too_fast(wait, what)


def count_here(caller: Caller, what: str) -> bool:
    """Count what passes without an answer, in this process only; returns whether it may be done."""
    rate = rate_of(caller.runtime, what)
    return not caller.runtime.rates.take_here(what, caller.person.identity.key, rate)


async def count_slow_mode(caller: Caller, room: RoomFacts) -> None:
    """
    Count a post or an edit against the slow mode of a room, which its moderators are free of.

    Raises:
        RetryLater: `slow_mode`.
    """
    if not room.slow_mode_seconds or may(caller.person, Verb.SKIP_SLOW_MODE, room):
        return
    who = caller.person.identity
    slow = Rate(1, 60 / room.slow_mode_seconds)
    whose = network_of(caller.client.address) if who.is_guest else who.key
    wait = await caller.runtime.rates.take(f"slow mode {room.id}", whose, slow)
    if wait:
        raise RetryLater(milliseconds(wait), "slow mode: one post at a time", code="slow_mode")


def rate_of(running: Runtime, what: str) -> Rate:
    return running.directory.site.rates.get(what, RATES[what])


def too_fast(wait: float, what: str) -> RetryLater:
    return RetryLater(milliseconds(wait), TOO_FAST.get(what, "you are doing this too often"), "too_fast")


def milliseconds(wait: float) -> int:
    """Never earlier than the time that it stands for."""
    return int(wait * 1000) + 1


TOO_FAST = {
    "post": "you are posting too fast",
    "api": "too many requests come from your address",
}
