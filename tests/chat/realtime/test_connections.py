"""Nothing of a connection is left when it is over: no subscription, no timer."""

from datetime import timedelta

from django.utils import timezone

from chat.models import Sanction, Token
from chat.queries.tokens import SCOPES
from chat.services import moderation
from chat.services.tokens import make_token
from tests.chat.conftest import DEADLINE


def token_for_a_month(user):
    token = Token(user=user, name="robot", scopes=list(SCOPES), expires_at=timezone.now() + timedelta(days=30))
    return make_token(token)


def client_of(chat):
    (client,) = chat.runtime.connections.clients
    return client


async def test_timer_of_a_tokens_end_goes_with_its_connection(chat, alice, hall):
    """Else each connection of a robot would wait in memory for months."""
    secret = await chat.elsewhere(token_for_a_month, alice)
    for _ in range(3):
        page = await chat.open(bearer=secret)
        timer = client_of(chat).expiry
        assert not timer.cancelled()
        await page.close()
        assert timer.cancelled()


async def test_new_login_replaces_the_timer_of_the_one_before(chat, alice, hall):
    """One timer for each connection, however often it logs in."""
    secret = await chat.elsewhere(token_for_a_month, alice)
    page = await chat.open(bearer=secret)
    first = client_of(chat).expiry
    await page.ask("login", await chat.elsewhere(token_for_a_month, alice))
    assert first.cancelled()
    assert not client_of(chat).expiry.cancelled()


async def test_token_that_expires_closes_its_connection(chat, alice, hall):
    """At its time, without a word from anyone."""
    secret = await chat.elsewhere(token_for_a_month, alice)
    page = await chat.open(bearer=secret)
    timer = client_of(chat).expiry
    assert timer.when() > DEADLINE
    timer._run()
    assert await page.is_closed() == 4401


async def test_timers_of_sanctions_go_with_the_last_connection_of_a_person(chat, alice, hall):
    """They are the person's: one for each end, shared by all of their connections."""
    until = timezone.now() + timedelta(days=30)
    await chat.elsewhere(moderation.impose, alice.pk, Sanction.Kind.MUTE, room_id=hall.pk, by=None, until=until)
    one, other = await chat.open(alice), await chat.open(alice)
    person = chat.runtime.directory.people[f"u{alice.pk}"]
    (timer,) = person.wakeups.values()
    await one.close()
    assert not timer.cancelled()
    await other.close()
    assert timer.cancelled()
    assert person.wakeups == {}


async def test_sanction_that_is_lifted_takes_its_timer_along(chat, alice, hall):
    """What is no longer in force needs no look at its end."""
    until = timezone.now() + timedelta(days=30)
    sanction = await chat.elsewhere(
        moderation.impose, alice.pk, Sanction.Kind.MUTE, room_id=hall.pk, by=None, until=until
    )
    page = await chat.open(alice)
    await page.hears("rooms", lambda rooms: not rooms["hall"]["can_post"])
    person = chat.runtime.directory.people[f"u{alice.pk}"]
    (timer,) = person.wakeups.values()
    await chat.elsewhere(moderation.lift, sanction)
    await page.hears("rooms", lambda rooms: rooms["hall"]["can_post"])
    assert timer.cancelled()
    assert person.wakeups == {}
