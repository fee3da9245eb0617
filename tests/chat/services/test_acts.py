"""The log: each act of a moderator or admin is in it, with its change, and nothing in it changes."""

import pytest
from django.db import transaction

from chat.models import (
    Act,
    Invitation,
    LogInAttempts,
    Membership,
    Message,
    RateLimit,
    Room,
    Sanction,
    SecondFactor,
    Token,
    Unchangeable,
)
from chat.services import (
    accounts,
    memberships,
    messages,
    moderation,
    push,
    rooms,
    site,
    tokens,
)
from chat.services.entry import invitations, log_ins, password_links, second_factors
from tests.chat.conftest import ADDRESS


def test_entry_says_who_did_what_when_from_where_to_whom_and_why(by, owner, bob, hall):
    """The names are those of that moment, and stay."""
    with by(owner, "spam"):
        moderation.impose(bob.pk, "mute", room_id=hall.pk, by=owner.pk)
    act = Act.objects.get()
    assert (act.kind, act.by, act.by_name, act.address, act.door) == ("mute", owner, "Root", ADDRESS, "admin")
    assert (act.person, act.person_name, act.room, act.room_name, act.reason) == (bob, "Bob", hall, "hall", "spam")
    assert act.changes == [
        {
            "table": "sanction",
            "key": Sanction.objects.get().pk,
            "before": None,
            "after": {"kind": "mute", "room_id": hall.pk, "until": None},
        }
    ]


DEEDS = {
    "mute": lambda t: moderation.impose(t.bob.pk, "mute", room_id=None, by=t.owner.pk),
    "ban": lambda t: moderation.impose(t.bob.pk, "ban", room_id=None, by=t.owner.pk),
    "lift": lambda t: moderation.lift(t.sanction),
    "kick": lambda t: memberships.kick(t.cellar.pk, t.bob.pk, by=t.owner.pk),
    "member": lambda t: memberships.join_room(t.cellar.pk, t.bob.pk, role="moderator"),
    "remove": lambda t: messages.remove_message(t.cellar.pk, t.message.seq, by=t.owner.pk),
    "edit": lambda t: messages.edit_message(t.cellar.pk, t.message.seq, "better", by=t.owner.pk),
    "room": lambda t: rooms.change_room(t.cellar.pk, read_only=True),
    "room-made": lambda t: rooms.create_room("attic", by=t.owner.pk),
    "room-deleted": lambda t: rooms.delete_room(t.cellar.pk),
    "person": lambda t: accounts.set_active(t.bob.pk, False),
    "password": lambda t: password_links.make_link(t.bob, by=t.owner),
    "unlock": lambda t: log_ins.unlock([t.attempts], by=t.owner),
    "two-factor": lambda t: second_factors.reset(t.bob, by=t.owner),
    "rate": lambda t: site.set_rate(RateLimit(name="post", burst=1, per_minute=1)),
    "site": lambda t: site.change_settings(title="Elsewhere"),
    "announce": lambda t: site.announce_to_all("soon"),
    "push": lambda t: push.note_push(t.bob, 1000),
    "revoke": lambda t: tokens.revoke(t.token),
    "invite": lambda t: invitations.invite(Invitation(note="Zoe")),
    "read": lambda t: moderation.open_conversation(t.cellar.pk, by=t.owner.pk, reason="a report"),
    "withdraw": lambda t: invitations.withdraw(t.invitation),
}


class Things:
    """What there is to act upon."""

    def __init__(self, owner, bob, cellar, message):
        self.owner, self.bob, self.cellar, self.message = owner, bob, cellar, message
        self.sanction = Sanction.objects.create(user=bob, kind="mute")
        self.attempts = LogInAttempts.objects.create(by="name", digest="x", user=bob)
        self.token = Token.objects.create(user=bob, name="old")
        self.invitation = Invitation.objects.create(note="Yan")
        SecondFactor.objects.create(user=bob, secret="x", last_step=0)


@pytest.fixture
def things(owner, bob, cellar, say):
    return Things(owner, bob, cellar, say(cellar, bob, "a secret of the cellar"))


@pytest.mark.parametrize("kind", [kind for kind in Act.Kind if kind != Act.Kind.UNDO])
def test_each_kind_of_act_is_entered(by, things, kind):
    """Once, in the name of whoever did it."""
    with by(things.owner):
        DEEDS[kind](things)
    assert [(act.kind, act.by) for act in Act.objects.all()] == [(kind, things.owner)]


@pytest.mark.parametrize("kind", ["remove", "edit"])
def test_log_holds_no_text_of_a_message(by, things, kind):
    """Who reads the log need not be one who may read the room."""
    with by(things.owner):
        DEEDS[kind](things)
    assert "secret" not in str(Act.objects.get().changes)


def test_change_that_is_rolled_back_leaves_no_entry(by, things):
    """The entry is part of the same transaction."""
    with pytest.raises(KeyError), by(things.owner), transaction.atomic():
        rooms.change_room(things.cellar.pk, topic="never")
        raise KeyError
    assert not Act.objects.exists()


def test_act_that_changes_nothing_is_not_entered(by, things):
    """Doing it twice is as once."""
    with by(things.owner):
        for _ in range(2):
            moderation.lift(things.sanction)
            tokens.revoke(things.token)
    assert sorted(act.kind for act in Act.objects.all()) == ["lift", "revoke"]


@pytest.mark.parametrize(
    "deed",
    [
        lambda t: accounts.rename(t.bob.pk, "Bobby"),
        lambda t: memberships.leave_room(t.cellar.pk, t.bob.pk),
        lambda t: messages.edit_message(t.cellar.pk, t.message.seq, "better", by=t.bob.pk),
        lambda t: messages.remove_message(t.cellar.pk, t.message.seq, by=t.bob.pk),
        lambda t: tokens.revoke(t.token),
    ],
)
def test_what_people_do_to_themselves_is_nobody_elses_business(by, things, deed):
    """In the chat; what an admin does to themselves in the admin is entered, such as entering a private room."""
    with by(things.bob, door="web"):
        deed(things)
    assert not Act.objects.exists()


def test_admin_who_enters_a_private_room_is_entered_in_the_log(by, things):
    """They hear the room from then on."""
    with by(things.owner):
        memberships.join_room(things.cellar.pk, things.owner.pk)
    assert Act.objects.get().kind == Act.Kind.MEMBER


def test_entries_cannot_be_changed_or_deleted(by, things):
    """Not by a form, not by a query, not with the room that they are about."""
    with by(things.owner):
        rooms.change_room(things.cellar.pk, topic="new")
    act = Act.objects.get()
    act.reason = "another"
    for change in (act.save, act.delete, Act.objects.all().delete, lambda: Act.objects.update(reason="x")):
        with pytest.raises(Unchangeable):
            change()
    Message.objects.all().delete()
    Membership.objects.all().delete()
    Room.objects.get(pk=things.cellar.pk).delete()
    assert Act.objects.get().room_name == "cellar"
