"""Conversations of two in the administration: seen and archived, never made, opened to others or renamed."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from chat.models import Act, Membership, Room, User
from chat.services.rooms import open_direct
from tests.chat.admin.conftest import post


@pytest.fixture
def pair(site):
    alice, bob = (User.objects.create_user(name.lower(), name=name) for name in ("Alice", "Bob"))
    return open_direct(alice.pk, bob.pk)


def fields(**changes):
    return {"name": "a room", "topic": "", "kind": "public", "slow_mode_seconds": 0, **changes}


@pytest.mark.parametrize("changes", [{"kind": "direct"}, {"name": "Direct 1-2"}])
def test_nobody_makes_one_by_hand(admin_client, site, changes):
    """They are told why."""
    response = admin_client.post(reverse("admin:chat_room_add"), fields(**changes))
    assert response.status_code == 200 and response.context["adminform"].form.errors
    assert not Room.objects.exists()


def test_it_is_archived_and_keeps_kind_and_name(admin_client, pair):
    """What else the form says does not count."""
    url = reverse("admin:chat_room_change", args=[pair.pk])
    assert admin_client.post(url, fields(archived="on")).status_code == 302
    changed = Room.objects.get(pk=pair.pk)
    assert (changed.name, changed.kind, changed.archived) == (pair.name, "direct", True)


@pytest.fixture
def secret(pair):
    author = pair.memberships.get(user__username="alice").user
    return post(pair, author, "a secret of two")


def read(client, *rooms, **more):
    keys = [room.pk for room in rooms]
    fields = {"action": "read_conversation", "_selected_action": keys, **more}
    return client.post(reverse("admin:chat_room_changelist"), fields, follow=True).content.decode()


def test_what_two_people_say_is_read_with_a_reason_only(admin_client, admin_user, pair, secret):
    """The log says who read it, from where, and why, before they see a word."""
    for asked in ({}, {"reason": " "}):
        assert "a secret of two" not in read(admin_client, pair, **asked)
    assert not Act.objects.exists()
    assert "a secret of two" in read(admin_client, pair, reason="report 7")
    act = Act.objects.get()
    assert (act.kind, act.by, act.address, act.room, act.reason) == (
        "read",
        admin_user,
        "127.0.0.1",
        pair,
        "report 7",
    )


def test_what_two_people_say_is_in_no_list(admin_client, secret):
    """Nor found by its words, nor shown by its address."""
    listed = admin_client.get(reverse("admin:chat_message_changelist"), {"q": "secret"})
    assert "a secret of two" not in listed.content.decode()
    assert admin_client.get(reverse("admin:chat_message_change", args=[secret.pk])).status_code == 302


def test_one_conversation_is_read_at_a_time(admin_client, pair, secret, room):
    """A reason is for one; and other rooms need none."""
    for rooms in ((pair, room), (room,)):
        assert "Choose one direct room" in read(admin_client, *rooms, reason="curious")
    assert not Act.objects.exists()


def test_conversations_are_read_by_those_who_may_see_messages(client, mallory, pair, secret):
    """The right to see rooms is not enough."""
    mallory.user_permissions.add(Permission.objects.get(codename="view_room"))
    client.force_login(mallory)
    assert "a secret of two" not in read(client, pair, reason="curious")
    assert not Act.objects.exists()


def test_nobody_else_is_put_into_it(admin_client, admin_user, pair):
    """Not even the admin."""
    url = reverse("admin:chat_membership_add")
    response = admin_client.post(url, {"user": admin_user.pk, "room": pair.pk, "role": "member"})
    assert response.status_code == 200 and "room" in response.context["adminform"].form.errors
    assert Membership.objects.filter(room=pair).count() == 2
