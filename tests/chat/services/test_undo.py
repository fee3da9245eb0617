"""What was done is taken back from the log: the database and every door are as they were."""

import random
from datetime import timedelta

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from chat.models import Act, Membership, Message, RateLimit, Reaction, Room, Sanction, SiteSettings, User
from chat.services import messages, moderation, rooms
from chat.services.accounts import RECORDED
from chat.services.acts.undo import take_back, take_back_all
from chat.services.entry.password_links import make_link
from rpc import OperationError
from tests.chat.deeds import some_act, take_back_everything

SEEDS = range(12)
STEPS = 14
ROOM_FIELDS = ("name", "topic", "kind", "auto_join", "archived", "read_only", "slow_mode_seconds")
MEMBERSHIP_FIELDS = ("left", "role", "muted", "read_seq", "read_posts")
SETTINGS_FIELDS = ("title", "sign_up", "guests_allowed", "rooms_by_everyone", "edit_window_minutes")


def state():
    """What the database has; not the versions, which only ever grow, nor what is kept for the record."""
    sanctions = Sanction.objects.in_force().values_list("user_id", "room_id", "kind", "until")
    return {
        "rooms": list(Room.objects.order_by("pk").values_list("pk", *ROOM_FIELDS, "posts")),
        "memberships": sorted(Membership.objects.values_list("room_id", "user_id", *MEMBERSHIP_FIELDS)),
        "sanctions": sorted(map(str, sanctions)),
        "messages": [
            (
                *(each.room_id, each.seq, each.body, each.edited_at, each.removed_at, each.removed_by_id),
                *(each.removal_reason, list(each.reactions.order_by("pk").values_list("user_id", "emoji"))),
            )
            for each in Message.objects.order_by("pk")
        ],
        "people": [
            (
                *(getattr(each, name) for name in RECORDED),
                sorted(each.user_permissions.values_list("pk", flat=True)),
            )
            for each in User.objects.order_by("pk")
        ],
        "rates": sorted(RateLimit.objects.values_list("name", "burst", "per_minute")),
        "site": list(SiteSettings.objects.values_list(*SETTINGS_FIELDS)),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_random_acts_that_are_taken_back_leave_no_trace(by, people, spoken, owner, seed):
    """Acts and their undoing in any mixture, then everything taken back: texts, roles and markers are as ever."""
    SiteSettings.objects.update_or_create(pk=1, defaults={"guests_allowed": True})
    dice = random.Random(seed)
    before = state()
    done = 0
    with by(owner):
        for _ in range(STEPS):
            try:
                if dice.random() < 0.2 and Act.objects.exists():
                    take_back(dice.choice(list(Act.objects.order_by("pk"))).pk)
                else:
                    some_act(dice, people, spoken, owner)
                done += 1
            except OperationError as refusal:
                assert refusal.code in ("no_such_message", "undone", "changed_since", "name_taken"), refusal.code
        assert done > STEPS // 3
        take_back_everything()
    assert state() == before


def test_same_act_is_taken_back_once(by, owner, bob):
    """Two moderators who do so at the same moment do it once."""
    with by(owner):
        moderation.impose(bob.pk, "ban", room_id=None, by=owner.pk)
        act = Act.objects.get()
        take_back(act.pk)
        with pytest.raises(OperationError) as refused:
            take_back(act.pk)
    assert refused.value.code == "undone"


def test_taking_back_can_be_taken_back(by, owner, bob, hall, say):
    """The message is gone again, with its reactions, and comes back once more."""
    message = say(hall, bob, "rude")
    Reaction.objects.create(message_id=message.id, user=owner, emoji="👎")
    shown = []
    with by(owner):
        messages.remove_message(hall.pk, message.seq, by=owner.pk)
        for _ in range(4):
            take_back(Act.objects.latest("pk").pk)
            shown.append((Message.objects.get().body, Reaction.objects.count()))
    assert shown == [("rude", 1), ("", 0)] * 2


def test_act_of_long_ago_stays(by, owner, bob):
    """After thirty days."""
    with by(owner):
        moderation.impose(bob.pk, "ban", room_id=None, by=owner.pk)
    act = Act.objects.get()
    # The application has no way to do this.
    QuerySet.update(Act.objects.all(), at=timezone.now() - timedelta(days=30, seconds=1))
    with pytest.raises(OperationError) as refused, by(owner):
        take_back(act.pk)
    assert refused.value.code == "too_late"


def test_what_was_heard_cannot_be_taken_back(by, owner, bob):
    """A link to a password, an announcement: the log says so."""
    with by(owner):
        make_link(bob, by=owner)
        with pytest.raises(OperationError) as refused:
            take_back(Act.objects.get().pk)
    assert refused.value.code == "final"


def test_later_change_of_the_same_stands_in_the_way(by, owner, hall):
    """What came after is not lost: it is taken back first, or stays."""
    with by(owner):
        for seconds in (10, 20):
            rooms.change_room(hall.pk, slow_mode_seconds=seconds)
        first, second = Act.objects.order_by("pk")
        with pytest.raises(OperationError) as refused:
            take_back(first.pk)
        assert refused.value.code == "changed_since"
        take_back(second.pk)
        take_back(first.pk)
    assert Room.objects.get().slow_mode_seconds == 0


def test_all_that_one_request_did_is_taken_back_together(by, owner, bob, hall, say):
    """Ten messages that were removed with one click come back with one."""
    texts = [say(hall, bob).body for _ in range(10)]
    with by(owner):
        for seq in range(1, 11):
            messages.remove_message(hall.pk, seq, by=owner.pk)
    assert {message.body for message in Message.objects.all()} == {""}
    with by(owner):
        assert take_back_all(Act.objects.latest("pk").bulk) == 10
    assert [message.body for message in Message.objects.order_by("pk")] == texts
