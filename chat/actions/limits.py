"""How often a person may do something, through all doors together."""

from django.conf import settings

from chat.actions.access import can_moderate
from chat.queries.rooms import RoomFacts
from chat.realtime.directory import Person
from rpc import RetryLater
from rpc.limits import TokenBucket

POSTS_PER_SECOND = 2
POSTS_BURST = 30
"""What one person may post: faster than anyone types, and the lines that someone pastes one by one."""


def count_post(person: Person, now: float) -> None:
    """
    Count a post against what one person may post in all rooms; `now` is the monotonic clock in seconds.

    Raises:
        RetryLater: `too_fast`.
    """
    if not settings.RATE_LIMITS:
        return
    rate = person.rate
    rate.posted_at = now
    if rate.bucket is None:
        rate.bucket = TokenBucket(POSTS_PER_SECOND, POSTS_BURST, now)
    rate.bucket.refill(now)
    if rate.bucket.tokens < 1:
        raise RetryLater(int(rate.bucket.wait * 1000) + 1, "you are posting too fast", code="too_fast")
    rate.bucket.tokens -= 1


def count_slow_mode(person: Person, room: RoomFacts, now: float) -> None:
    """
    Count a post against the slow mode of a room, which its moderators are free of; `now` as in `count_post`.

    Raises:
        RetryLater: `slow_mode`.
    """
    if not room.slow_mode_seconds or can_moderate(person, room):
        return
    rate = person.rate
    rate.posted_at = now
    wait = rate.last_posts.get(room.id, float("-inf")) + room.slow_mode_seconds - now
    if wait > 0:
        raise RetryLater(int(wait * 1000) + 1, "slow mode: one post at a time", code="slow_mode")
    rate.last_posts[room.id] = now
