"""Conversations of two in the administration: seen and archived, never made, opened to others or renamed."""

import pytest
from django.urls import reverse

from chat.models import Membership, Room, User
from chat.services.rooms import open_direct


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


def test_nobody_else_is_put_into_it(admin_client, admin_user, pair):
    """Not even the admin."""
    url = reverse("admin:chat_membership_add")
    response = admin_client.post(url, {"user": admin_user.pk, "room": pair.pk, "role": "member"})
    assert response.status_code == 200 and "room" in response.context["adminform"].form.errors
    assert Membership.objects.filter(room=pair).count() == 2
