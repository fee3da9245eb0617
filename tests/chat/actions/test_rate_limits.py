"""How often people may do things: one table for all doors, which reconnecting is no way round."""

import pytest

from chat.actions import limits
from chat.actions.limits import ADDRESS_FACTOR, MAX_ROOMS_OWNED, RATES
from chat.models import RateLimit, Room
from chat.queries.rates import Rate
from chat.services.rooms import create_room
from rpc import RequestFailed, RetryLater
from tests.chat.web.test_page_rates import PAGES

TWICE = Rate(2, 1 / 60)
"""Two at once, and then none for an hour."""

DONE_BY = {
    "post": ("send-message", {"room": "hall", "message": {"body": "again"}}),
    "edit": ("edit-message", {"room": "hall", "seq": 1, "body": "again"}),
    "react": ("react", {"room": "hall", "seq": 1, "emoji": "🎉"}),
    "create-room": ("create-room", "den"),
    "join": ("join-room", "hall"),
    "rename": ("set-name", "Alicia"),
    "address": ("add-contact", "Bob"),
    "moderate": ("set-topic", {"room": "hall", "topic": "all"}),
    "read": ("list-messages", "hall"),
    "mark-read": ("mark-read", {"room": "hall", "seq": 1}),
}
"""What is asked for, by the rate that it counts against. (`typing` has no answer, `push` a token.)"""
HELLO = {"room": "hall", "message": {"body": "hello"}}


@pytest.fixture
def chat(chat, settings):
    settings.RATE_LIMITS = True
    return chat


async def outcome(page, operation, params):
    """What became of a request: None, or the code of its refusal."""
    try:
        await page.ask(operation, params)
    except (RequestFailed, RetryLater) as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("what", DONE_BY)
async def test_each_thing_has_its_rate(chat, alice, bob, hall, monkeypatch, what):
    """Twice it may be done, the third time has to wait; everything else may be done all the same."""
    await chat.elsewhere(alice.__class__.objects.filter(pk=alice.pk).update, is_staff=True)
    page = await chat.open(alice)
    await page.post("hall", "first")
    monkeypatch.setattr(limits, "RATES", {**RATES, what: TWICE})
    operation, params = DONE_BY[what]
    if what == "post":
        # The one before was the first.
        monkeypatch.setattr(limits, "RATES", {**RATES, what: Rate(3, 1 / 60)})
    answers = [await outcome(page, operation, params) for _ in range(3)]
    assert answers == [None, None, "too_fast"]
    other = "mark-read" if what != "mark-read" else "read"
    assert await outcome(page, *DONE_BY[other]) is None


async def test_every_rate_is_tried():
    """One that is added is tried too; those of pages are in tests/chat/web/test_page_rates.py."""
    assert DONE_BY.keys() | PAGES.keys() == RATES.keys() - {"typing", "push"}


async def test_coming_back_is_no_way_round_a_rate(chat, alice, hall, monkeypatch):
    """Whoever closes the page and opens it again waits as long as one who stays."""
    monkeypatch.setattr(limits, "RATES", {**RATES, "post": TWICE})
    for _ in range(2):
        page = await chat.open(alice)
        await page.post("hall", "hello")
        await page.close()
    page = await chat.open(alice)
    assert await page.refusal("send-message", HELLO) == "too_fast"


async def test_many_guests_of_one_address_post_no_faster_than_a_few_people(chat, hall, monkeypatch):
    """Each connection without a cookie is a new person, and they count together."""
    monkeypatch.setattr(limits, "RATES", {**RATES, "post": TWICE})
    answers = []
    for _ in range(3 * ADDRESS_FACTOR):
        guest = await chat.open()
        answers.append(await outcome(guest, "send-message", HELLO))
    assert answers.count(None) == 2 * ADDRESS_FACTOR
    assert set(answers[2 * ADDRESS_FACTOR :]) == {"too_fast"}


async def test_members_do_not_wait_for_the_guests_of_their_address(chat, alice, hall, monkeypatch):
    """Whoever has an account answers for it alone."""
    monkeypatch.setattr(limits, "RATES", {**RATES, "post": TWICE})
    for _ in range(2 * ADDRESS_FACTOR + 1):
        guest = await chat.open()
        await outcome(guest, "send-message", HELLO)
    page = await chat.open(alice)
    assert await outcome(page, "send-message", HELLO) is None


@pytest.mark.parametrize("page_of", ["alice", None], ids=["member", "guest"])
async def test_coming_back_is_no_way_round_slow_mode(chat, alice, hall, page_of):
    """Neither for a person with a session nor for a guest who comes back as somebody else."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    page = await chat.open(alice if page_of else None)
    await page.post("hall", "first")
    await page.close()
    page = await chat.open(alice if page_of else None)
    assert await page.refusal("send-message", HELLO) == "slow_mode"


async def test_slow_mode_counts_edits(chat, alice, hall):
    """Else a message could say something new every second."""
    page = await chat.open(alice)
    await page.post("hall", "first")
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    assert await outcome(page, *DONE_BY["edit"]) is None
    assert await outcome(page, *DONE_BY["edit"]) == "slow_mode"
    assert await outcome(page, "send-message", HELLO) == "slow_mode"


async def test_slow_mode_says_when_the_next_post_passes(chat, alice, hall):
    """In milliseconds, never too early, and up to a quarter later so that not all come at once."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=8)
    await chat.runtime.refresh.reload()
    page = await chat.open(alice)
    await page.post("hall", "first")
    with pytest.raises(RetryLater) as deferred:
        await page.post("hall", "second")
    assert 6_000 < deferred.value.retry_after_ms <= 10_001


async def test_slow_mode_does_not_hold_moderators(chat, alice, hall):
    """Who moderates is not slowed down."""
    page = await chat.open(alice)
    await page.ask("create-room", "den")
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    await page.post("den", "one")
    await page.post("den", "two")


async def test_admin_changes_a_rate(chat, alice, hall):
    """It holds at once, for everybody, until it is changed back."""
    page = await chat.open(alice)
    await chat.elsewhere(RateLimit.objects.create, name="post", burst=1, per_minute=1)
    await chat.runtime.refresh.reload()
    assert await outcome(page, "send-message", HELLO) is None
    assert await outcome(page, "send-message", HELLO) == "too_fast"
    await chat.elsewhere(RateLimit.objects.all().delete)
    await chat.runtime.refresh.reload()
    assert limits.rate_of(chat.runtime, "post") == RATES["post"]


async def test_nobody_owns_rooms_without_end(chat, alice, monkeypatch):
    """Each room is in everybody's list; staff may."""
    for number in range(MAX_ROOMS_OWNED):
        await chat.elsewhere(create_room, f"den {number}", by=alice.pk)
    page = await chat.open(alice)
    assert await outcome(page, "create-room", "one more") == "too_many_rooms"
    await chat.elsewhere(alice.__class__.objects.filter(pk=alice.pk).update, is_staff=True)
    page = await chat.open(alice)
    assert await outcome(page, "create-room", "one more") is None


async def test_message_has_at_most_so_many_kinds_of_reactions(chat, alice, bob, hall, monkeypatch):
    """Each of them goes to everybody with every new one; a kind that is there can still be joined."""
    monkeypatch.setattr("chat.services.messages.MAX_KINDS", 2)
    page, other = await chat.open(alice), await chat.open(bob)
    await page.post("hall", "first")
    for emoji in "🎉🐈":
        await page.ask("react", {"room": "hall", "seq": 1, "emoji": emoji})
    assert await page.refusal("react", {"room": "hall", "seq": 1, "emoji": "👍"}) == "too_many"
    assert (await other.ask("react", {"room": "hall", "seq": 1, "emoji": "🎉"}))["reactions"]["🎉"] == [
        alice.pk,
        bob.pk,
    ]
