"""Guests are bounded: their connections from one address and in all, and their sessions."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from chat.models import SiteSettings
from chat.queries.identity import session_model
from tests.chat.doors.test_guests_of_an_address import BANNED as REFUSED
from tests.chat.doors.test_guests_of_an_address import DOORS, gotalk, new_cookie

HERE, SAME, THERE = "2001:db8:1:2::7", "2001:db8:1:2:ffff::9", "2001:db8:1:3::7"
FEW = 3


@pytest.fixture
def chat(chat, settings):
    settings.RATE_LIMITS = True
    return chat


@pytest.mark.parametrize("door", DOORS)
async def test_address_from_which_many_guests_come(chat, dial, hall, impatient, door):
    """One more is refused, with or without a new cookie; guests of the next network are not."""
    await bounded(chat, guests_per_address=FEW)
    for _ in range(FEW):
        await chat.open(address=HERE)
    assert await door(chat, dial, SAME) == REFUSED[door]
    assert await door(chat, dial, THERE) is None


@pytest.mark.parametrize("door", DOORS)
async def test_site_with_many_guests(chat, dial, hall, impatient, door):
    """One more is refused, wherever they come from; those of this machine count too."""
    await bounded(chat, guests_at_once=FEW)
    for address in (HERE, THERE, "127.0.0.1"):
        await chat.open(address=address)
    assert await door(chat, dial, "198.51.100.7") == REFUSED[door]


async def test_words_for_a_guest_who_has_no_place(chat, hall, impatient):
    """They say what helps."""
    await bounded(chat, guests_per_address=1)
    await chat.open(address=HERE)
    page = await chat.dial(address=HERE)
    assert await page.is_closed() == 4401
    assert page.closed[1] == "too many guests come from your address: log in, or try again later"


async def test_person_with_an_account_needs_no_place(chat, hall, alice, token):
    """Neither with a session nor with a token, nor to log in."""
    _, secret = await chat.elsewhere(token, alice)
    await bounded(chat, guests_at_once=1, guests_per_address=1)
    await chat.open(address=HERE)
    for how in ({"user": alice}, {"bearer": secret}):
        page = await chat.open(address=HERE, **how)
        await page.post("hall", "hello")
    page = await chat.dial(address=HERE, kind="tcp")
    await page.ask("login", secret)
    await page.post("hall", "hello")


@pytest.mark.parametrize("way", ["leaves", "logs in"])
async def test_place_that_is_free_again(chat, dial, hall, alice, token, way):
    """Of a guest who left, or is a guest no longer."""
    _, secret = await chat.elsewhere(token, alice)
    await bounded(chat, guests_per_address=1)
    first = await chat.open(address=HERE)
    assert await gotalk(chat, dial, HERE) == "log_in"
    if way == "leaves":
        await first.close()
    else:
        await first.ask("login", secret)
    assert await gotalk(chat, dial, HERE) is None


async def test_address_that_is_nobodys_own(chat, hall):
    """Behind a proxy on this machine there may be everybody."""
    await bounded(chat, guests_per_address=1)
    for _ in range(FEW):
        await chat.open(address="127.0.0.1")


async def test_bounds_can_be_switched_off(chat, hall, settings):
    """For benchmarks."""
    settings.RATE_LIMITS = False
    await bounded(chat, guests_at_once=1, guests_per_address=1)
    for _ in range(FEW):
        await chat.open(address=HERE)


def test_site_with_many_sessions(client, db):
    """A new guest gets none and is told when to come back; who has one goes on, and people log in."""
    SiteSettings.objects.create(pk=1, guests_allowed=True, sessions_for_guests=FEW)
    client.get(reverse("chat:page"))
    known = client.cookies
    while session_model().objects.count() < FEW:
        new_cookie()
    client.cookies = type(known)()
    refused = client.get(reverse("chat:page"))
    assert (refused.status_code, refused["Retry-After"]) == (503, "60")
    assert session_model().objects.count() == FEW
    assert client.get(reverse("login")).status_code == 200
    client.cookies = known
    assert client.get(reverse("chat:page")).status_code == 200


def test_session_that_expired_is_none(client, db):
    """It waits for its removal only."""
    SiteSettings.objects.create(pk=1, guests_allowed=True, sessions_for_guests=1)
    new_cookie()
    session_model().objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    assert client.get(reverse("chat:page")).status_code == 200


async def bounded(chat, **bounds):
    await chat.elsewhere(SiteSettings.objects.update, **bounds)
    await chat.runtime.refresh.reload()
