"""The acts of moderators as verbs of the admin: from a list and from a page, with a reason, upon whom one may."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from chat.models import Act, Message, Room, Sanction, User
from tests.chat.admin.conftest import post
from tests.chat.admin.test_admin import change_url, list_url
from tests.chat.admin.test_rights import act

UPON_PEOPLE = ["mute_for_an_hour", "ban_for_a_day", "remove_all_messages"]


@pytest.fixture
def admin(client, admin_user, site):
    client.force_login(admin_user)
    return client


@pytest.fixture
def deputy(client, site):
    """Staff with every right but the one to delete rooms; logged in."""
    deputy = User.objects.create_user("deputy", password="correct horse battery", is_staff=True)
    deputy.user_permissions.set(Permission.objects.exclude(codename="delete_room"))
    client.force_login(deputy)
    return deputy


@pytest.fixture
def boss(room):
    """Somebody with a right that the deputy lacks."""
    boss = User.objects.create_user("boss", name="Boss")
    boss.user_permissions.set(Permission.objects.filter(codename="delete_room"))
    return boss


@pytest.mark.parametrize(
    ("verb", "kind", "lasts"),
    [("mute_for_an_hour", "mute", timedelta(hours=1)), ("ban_for_a_day", "ban", timedelta(days=1))],
)
def test_sanction_of_a_person_asks_why_and_ends_by_itself(admin, admin_user, alice, announced, verb, kind, lasts):
    """Nothing is done before there is a reason; then everywhere, with it and an end, in the log."""
    asked = act(admin, "user", verb, alice, act_reason="from the list").content.decode()
    assert "Alice" in asked and 'value="from the list"' in asked and "errorlist" not in asked
    assert "errorlist" in act(admin, "user", verb, alice, confirmed="yes", act_reason=" ").content.decode()
    assert not Sanction.objects.exists()
    act(admin, "user", verb, alice, confirmed="yes", act_reason="spam")
    sanction = Sanction.objects.get()
    assert (sanction.user, sanction.kind, sanction.room, sanction.reason) == (alice, kind, None, "spam")
    assert abs(sanction.until - timezone.now() - lasts) < timedelta(minutes=1)
    entry = Act.objects.get()
    assert (entry.kind, entry.by, entry.reason, entry.door) == (kind, admin_user, "spam", "admin")


def test_author_of_a_message_is_muted_in_its_room(admin, alice, message, room, announced):
    """Once, however many of their messages were chosen."""
    again = post(room, alice, "I like them a lot")
    chosen = {
        "action": "mute_for_an_hour",
        "_selected_action": [message.pk, again.pk],
        "act_reason": "cats",
        "confirmed": "yes",
    }
    admin.post(list_url("message"), chosen)
    assert [(each.user, each.room) for each in Sanction.objects.all()] == [(alice, room)]


@pytest.mark.parametrize("model", ["user", "message"])
def test_all_messages_of_a_person_are_removed(admin, alice, message, room, announced, model):
    """Those of the others stay; the log has why."""
    other = post(room, User.objects.create_user("bob", name="Bob"), "so do I")
    chosen = alice if model == "user" else message
    assert "Alice" in act(admin, model, "remove_all_messages", chosen).content.decode()
    page = act(
        admin, model, "remove_all_messages", chosen, confirmed="yes", act_reason="spam", since=""
    ).content.decode()
    assert "Messages removed: 1." in page
    assert [(each.body, each.removal_reason) for each in Message.objects.order_by("pk")] == [
        ("", "spam"),
        (other.body, ""),
    ]


def test_messages_since_a_time_are_removed(admin, alice, room, announced):
    """Older ones stay."""
    old, new = post(room, alice, "old"), post(room, alice, "new")
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    since = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    act(admin, "user", "remove_all_messages", alice, confirmed="yes", act_reason="spam", since=since)
    assert [each.body for each in Message.objects.order_by("pk")] == ["old", ""]
    assert Message.objects.get(pk=new.pk).removal_reason == "spam"


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [("read_only_for_an_hour", "read_only", True), ("slow_for_an_hour", "slow_mode_seconds", 30)],
)
def test_room_is_closed_or_slowed_for_an_hour(admin, room, announced, verb, field, value):
    """With a reason and an end; a conversation of two is left alone."""
    direct = Room.objects.create(name="direct 1-2", kind="direct")
    for each in (room, direct):
        act(admin, "room", verb, each, confirmed="yes", act_reason="a raid")
    room.refresh_from_db()
    direct.refresh_from_db()
    assert (getattr(room, field), getattr(direct, field)) == (value, Room._meta.get_field(field).default)
    entry = Act.objects.get()
    assert entry.reason == "a raid"
    assert abs(entry.ending.at - timezone.now() - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize("model", ["user", "message", "room"])
def test_verbs_are_buttons_on_the_page_of_each(admin, alice, message, room, announced, model):
    """They lead to the same question as the list, and what was done is taken back from there."""
    thing = {"user": alice, "message": message, "room": room}[model]
    page = admin.get(change_url(thing)).content.decode()
    verbs = re.findall(r'name="action" value="(\w+)"', page)
    assert verbs[-1] == "take_back_last" and len(verbs) >= 3
    done = act(admin, model, verbs[0], thing, confirmed="yes", act_reason="a reason").content.decode()
    assert "Take it back" in done
    entry = Act.objects.get()
    assert f"?q={entry.bulk}" in done
    asked = act(admin, model, "take_back_last", thing).content.decode()
    assert f'action="{list_url("act")}"' in asked and f'value="{entry.pk}"' in asked
    act(admin, "act", "take_back", entry, confirmed="yes", act_reason="a mistake")
    assert Act.objects.get(undoes=entry).reason == "a mistake"


@pytest.mark.parametrize("verb", UPON_PEOPLE)
@pytest.mark.parametrize("model", ["user", "message"])
def test_nobody_acts_upon_a_person_who_has_a_right_that_they_lack(
    client, deputy, boss, room, announced, verb, model
):
    """Nor upon themselves: neither from the list of people nor by their messages, at raw addresses too."""
    for person in (boss, deputy):
        said = post(room, person, "my words")
        act(
            client,
            model,
            verb,
            person if model == "user" else said,
            confirmed="yes",
            act_reason="revenge",
            since="",
        )
    assert not Sanction.objects.exists() and not Act.objects.exists()
    assert not Message.objects.filter(removed_at__isnull=False).exists()


@pytest.mark.parametrize("verb", [*UPON_PEOPLE, "take_back_last"])
@pytest.mark.parametrize("model", ["user", "message"])
def test_staff_without_the_right_has_no_such_verb(client, mallory, alice, message, site, announced, verb, model):
    """Who may only look at people and messages is shown none, and posts in vain."""
    mallory.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_message", "view_room"]))
    client.force_login(mallory)
    thing = alice if model == "user" else message
    assert verb not in client.get(change_url(thing)).content.decode()
    assert verb not in client.get(list_url(model)).content.decode()
    act(client, model, verb, thing, confirmed="yes", act_reason="mine", since="")
    assert not Sanction.objects.exists() and not Act.objects.exists()


@pytest.mark.parametrize("verb", ["read_only_for_an_hour", "slow_for_an_hour"])
def test_staff_without_the_right_switches_no_room(client, mallory, room, site, announced, verb):
    """They may look at it."""
    mallory.user_permissions.set(Permission.objects.filter(codename="view_room"))
    client.force_login(mallory)
    assert verb not in client.get(change_url(room)).content.decode()
    act(client, "room", verb, room, confirmed="yes", act_reason="mine")
    assert not Act.objects.exists()


def test_last_act_upon_somebody_with_more_rights_is_not_taken_back(client, deputy, boss, site, announced):
    """The page says so, and the log refuses."""
    Sanction.objects.create(user=boss, kind="mute")
    entry = Act.objects.create(kind="mute", person=boss, person_name="Boss", bulk="0" * 32, changes=[])
    asked = act(client, "user", "take_back_last", boss).content.decode()
    assert "or not by you" in asked and f'value="{entry.pk}"' not in asked
    act(client, "act", "take_back", entry, confirmed="yes")
    assert not Act.objects.filter(undoes=entry).exists()
