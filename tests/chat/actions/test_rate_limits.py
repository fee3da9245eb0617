"""The rate limit of a person does not depend on their connections."""

from chat.models import Room
from chat.realtime.directory import RATE_SECONDS


async def test_coming_back_is_no_way_round_slow_mode(chat, alice, hall):
    """A person who closes the page and opens it again waits as long as one who stays."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    page = await chat.open(alice)
    await page.post("hall", "first")
    await page.close()
    page = await chat.open(alice)
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "second"}}) == "slow_mode"


async def test_first_post_of_a_visitor_counts(chat, hall):
    """It gives the guest an account; the next post has to wait all the same."""
    await chat.elsewhere(Room.objects.update, slow_mode_seconds=60)
    await chat.runtime.refresh.reload()
    page = await chat.open()
    await page.post("hall", "first")
    assert await page.refusal("send-message", {"room": "hall", "message": {"body": "second"}}) == "slow_mode"


async def test_who_may_post_anyway_is_forgotten(chat, alice, hall):
    """Nobody is remembered for longer than it matters."""
    page = await chat.open(alice)
    await page.post("hall", "first")
    rate = chat.runtime.directory.rate_of(f"u{alice.pk}")
    await page.close()
    rate.posted_at = now = 1000.0
    chat.runtime.directory.forget_rates(now + RATE_SECONDS - 1)
    assert chat.runtime.directory.rate_of(f"u{alice.pk}") is rate
    chat.runtime.directory.forget_rates(now + RATE_SECONDS + 1)
    assert chat.runtime.directory.rate_of(f"u{alice.pk}") is not rate
