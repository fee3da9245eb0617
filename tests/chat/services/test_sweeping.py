"""What nobody needs any more is deleted, and nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat.models import (
    Connection,
    Contact,
    GuestAddress,
    Invitation,
    LogInAttempts,
    Membership,
    Process,
    Reaction,
    Room,
    Sanction,
    SanctionedAddress,
    User,
)
from chat.queries.guests import GUEST_USER
from chat.queries.identity import open_session, session_model
from chat.services import accounts, moderation
from chat.services.entry import log_ins
from chat.services.sweeping import AT_ONCE, KINDS, find, remove

NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=31)
LATELY = NOW - timedelta(days=29)


def sweep():
    """One portion of each kind; returns the kinds of which there was something."""
    found = {kind: find(kind) for kind in KINDS}
    for kind, keys in found.items():
        remove(kind, keys)
    return {kind for kind, keys in found.items() if keys}


@pytest.fixture
def guest(transactional_db):
    """An account of long ago."""
    return User.objects.create_user("guest-1", name="Nobody", is_guest=True, date_joined=LONG_AGO)


def test_session_that_expired(transactional_db):
    """Those that count stay."""
    for days in (-1, 1):
        session = open_session(None)
        session["n"] = days
        session.save()
        session_model().objects.filter(pk=session.session_key).update(expire_date=NOW + timedelta(days=days))
    assert sweep() == {"sessions that expired"}
    assert [open_session(each.pk)["n"] for each in session_model().objects.all()] == [1]


def test_guest_who_never_said_anything(guest, hall):
    """With the address that they had, and the public rooms that they looked into."""
    Membership.objects.create(room=hall, user=guest)
    GuestAddress.objects.create(user=guest, network="192.0.2.1")
    assert sweep() == {"guests who never said anything"}
    assert not User.objects.exists()


def posts(guest, say, hall, alice):
    say(hall, guest)


def reacts(guest, say, hall, alice):
    Reaction.objects.create(message_id=say(hall, alice).id, user=guest, emoji="👍")


def owns(guest, say, hall, alice):
    Room.objects.create(name="den", created_by=guest)


def is_let_in(guest, say, hall, alice):
    Membership.objects.create(room=Room.objects.create(name="cell", kind=Room.Kind.PRIVATE), user=guest)


def moderates(guest, say, hall, alice):
    Membership.objects.create(room=hall, user=guest, role=Membership.Role.MODERATOR)


def asks(guest, say, hall, alice):
    Contact.objects.create(asker=guest, asked=alice)


def is_banned(guest, say, hall, alice):
    moderation.impose(guest.pk, Sanction.Kind.BAN, room_id=None, by=None)


def is_here(guest, say, hall, alice):
    here = Process.objects.create(key="p")
    Connection.objects.create(
        process=here, key="c", person_key=f"u{guest.pk}", user=guest, name="Nobody", door="web"
    )


def is_new(guest, say, hall, alice):
    User.objects.filter(pk=guest.pk).update(date_joined=LATELY)


def signs_up(guest, say, hall, alice):
    User.objects.filter(pk=guest.pk).update(is_guest=False)


@pytest.mark.parametrize(
    "deed", [posts, reacts, owns, is_let_in, moderates, asks, is_banned, is_here, is_new, signs_up]
)
def test_guest_who_is_needed(guest, say, hall, alice, deed):
    """By what they did or what was done to them; their posts keep their author."""
    deed(guest, say, hall, alice)
    assert sweep() == set()
    assert User.objects.filter(pk=guest.pk).exists()


def test_guest_who_says_something_at_the_last_moment(guest, hall, say):
    """Between the look and the removal."""
    kind = "guests who never said anything"
    found = find(kind)
    say(hall, guest)
    remove(kind, found)
    assert User.objects.filter(pk=guest.pk).exists()


def test_session_whose_guest_was_swept(guest):
    """Its visitor gets an account again when they need one."""
    session = open_session(None)
    session[GUEST_USER] = guest.pk
    session.save()
    sweep()
    key = accounts.open_guest_account(session.session_key, "Vera")
    assert User.objects.get().pk == key
    assert open_session(session.session_key)[GUEST_USER] == key


def test_invitation_that_expired(alice):
    """A month after its end; used ones and those without an end stay."""
    for number, (end, used_by) in enumerate(
        [(LONG_AGO, None), (LATELY, None), (NOW + timedelta(days=1), None), (None, None), (LONG_AGO, alice)]
    ):
        Invitation.objects.create(digest=str(number), note=str(number), expires_at=end, used_by=used_by)
    assert sweep() == {"invitations that expired"}
    assert sorted(Invitation.objects.values_list("note", flat=True)) == ["1", "2", "3", "4"]


def test_log_in_that_was_tried_long_ago(alice):
    """Those that count stay."""
    log_ins.begin("alice", "192.0.2.1")
    assert sweep() == set()
    LogInAttempts.objects.update(since=NOW - log_ins.WINDOW - timedelta(minutes=1))
    assert sweep() == {"log-ins that were tried"}
    assert not LogInAttempts.objects.exists()


def test_addresses(guest, hall, say):
    """Of guests while a sanction would ask for them; of sanctions while these can be taken back."""
    say(hall, guest)
    for network, hours in (("192.0.2.1", 25), ("192.0.2.2", 23)):
        GuestAddress.objects.create(user=guest, network=network, seen_at=NOW - timedelta(hours=hours))
    sanction = Sanction.objects.create(user=guest, kind=Sanction.Kind.BAN)
    for network, until in (("192.0.2.1", LONG_AGO), ("192.0.2.2", LATELY)):
        SanctionedAddress.objects.create(sanction=sanction, network=network, until=until)
    assert sweep() == {"addresses of guests", "addresses under a sanction"}
    assert GuestAddress.objects.get().network == SanctionedAddress.objects.get().network == "192.0.2.2"


def test_little_at_a_time(transactional_db):
    """So that no post waits long."""
    User.objects.bulk_create(
        User(
            username=f"g{n}", name=f"g{n}", name_key=f"g{n}", name_look=f"g{n}", is_guest=True, date_joined=LONG_AGO
        )
        for n in range(AT_ONCE + 20)
    )
    sweep()
    assert User.objects.count() == 20
