"""
How often people may do things, through all doors, rooms and connections together: one table.

Guests come and go as they like, so what they do counts for their address as well.
"""

from django.conf import settings

from chat.actions.access import can_moderate
from chat.actions.caller import Caller
from chat.queries.guests import network_of
from chat.queries.rates import Rate
from chat.queries.rooms import RoomFacts
from rpc import RetryLater

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
}
"""
What one person may do. Admins change each of them.

post: faster than anyone types, and the lines that someone pastes one by one. edit: removals too. address: direct
rooms, invitations and contact requests, each of which somebody hears of. join: leaving and entering too. read:
in units of about a page; what a page asks for when it is opened takes some ten.
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
        rate = rate_of(caller, what)
        rates = caller.runtime.rates
        wait = 0.0
        if caller.person.identity.is_guest:
            shared = Rate(ADDRESS_FACTOR * rate.burst, ADDRESS_FACTOR * rate.per_minute)
            wait = await rates.take(what, network_of(caller.client.address), shared, cost)
        if not wait:
            wait = await rates.take(what, caller.person.identity.key, rate, cost)
        if wait:
            raise RetryLater(milliseconds(wait), TOO_FAST.get(what, "you are doing this too often"), "too_fast")


def count_here(caller: Caller, what: str) -> bool:
    """Count what passes without an answer, in this process only; returns whether it may be done."""
    return not caller.runtime.rates.take_here(what, caller.person.identity.key, rate_of(caller, what))


async def count_slow_mode(caller: Caller, room: RoomFacts) -> None:
    """
    Count a post or an edit against the slow mode of a room, which its moderators are free of.

    Raises:
        RetryLater: `slow_mode`.
    """
    if not room.slow_mode_seconds or can_moderate(caller.person, room):
        return
    who = caller.person.identity
    slow = Rate(1, 60 / room.slow_mode_seconds)
    whose = network_of(caller.client.address) if who.is_guest else who.key
    wait = await caller.runtime.rates.take(f"slow mode {room.id}", whose, slow)
    if wait:
        raise RetryLater(milliseconds(wait), "slow mode: one post at a time", code="slow_mode")


def rate_of(caller: Caller, what: str) -> Rate:
    return caller.runtime.directory.site.rates.get(what, RATES[what])


def milliseconds(wait: float) -> int:
    """Never earlier than the time that it stands for."""
    return int(wait * 1000) + 1


TOO_FAST = {"post": "you are posting too fast"}
