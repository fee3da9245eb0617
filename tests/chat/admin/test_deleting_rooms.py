"""Rooms are deleted after a page that counts what goes with them, by those who may, and everyone hears of it."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from chat.models import Membership, Message, Reaction, Revision, Room, Sanction, User
from chat.services import rooms as rooms_module
from chat.services.events import RoomChanged
from chat.services.messages import edit_message, react
from chat.services.rooms import delete_room, open_direct
from tests.chat.admin.conftest import post

LIST = reverse("admin:chat_room_changelist")


@pytest.fixture
def busy_room(room, alice):
    """Three messages, one of them edited and reacted to; a member, and a mute."""
    for number in range(3):
        post(room, alice, f"text {number}")
    edit_message(room.pk, 1, "better", by=alice.pk)
    react(room.pk, 1, "👍", by=alice.pk, on=True)
    Membership.objects.create(room=room, user=alice)
    Sanction.objects.create(room=room, user=alice, kind="mute")
    return room


@pytest.fixture
def other_room(alice, admin_user):
    room = Room.objects.create(name="golang")
    post(room, alice, "stays")
    Membership.objects.create(room=room, user=admin_user)
    return room


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """What waits for the commit is done at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def delete_url(room):
    return reverse("admin:chat_room_delete", args=[room.pk])


def rows():
    return [model.objects.count() for model in (Room, Message, Revision, Reaction, Membership, Sanction)]


@pytest.mark.parametrize("way", ["page", "action"])
def test_page_asks_first_and_counts(admin_client, busy_room, other_room, way):
    """Nothing goes before it is confirmed."""
    before = rows()
    if way == "page":
        page = admin_client.get(delete_url(busy_room))
    else:
        page = admin_client.post(LIST, {"action": "delete_selected", "_selected_action": [busy_room.pk]})
    counts = {str(name): count for name, count in page.context["model_count"]}
    assert counts == {"rooms": 1, "messages": 3, "memberships": 1, "sanctions": 1}
    assert "animals" in page.content.decode() and "golang" not in page.content.decode()
    assert rows() == before


def test_confirmed(admin_client, busy_room, other_room, announced, committed):
    """All that belongs to it goes, and nothing else; every process is told after commit."""
    with committed():
        assert admin_client.post(delete_url(busy_room), {"post": "yes"}).url == LIST
    assert rows() == [1, 1, 0, 0, 1, 0]
    assert set(announced.of(RoomChanged)) == {RoomChanged(busy_room.pk)}
    assert admin_client.get(reverse("admin:chat_room_change", args=[busy_room.pk])).status_code == 302


def test_several_at_once(admin_client, busy_room, other_room, announced, committed):
    """The action of the list."""
    pair = open_direct(*User.objects.values_list("pk", flat=True)[:2])
    chosen = {"action": "delete_selected", "_selected_action": [busy_room.pk, pair.pk]}
    with committed():
        admin_client.post(LIST, {**chosen, "post": "yes"})
    assert list(Room.objects.all()) == [other_room]
    assert {RoomChanged(busy_room.pk), RoomChanged(pair.pk)} <= set(announced.of(RoomChanged))


def test_right_to_delete_rooms_is_needed_and_is_enough(client, mallory, busy_room, committed):
    """Messages are deleted with their room only, so there is no right to ask for."""
    client.force_login(mallory)
    mallory.user_permissions.set(Permission.objects.filter(codename__in=["view_room", "change_room"]))
    assert client.post(delete_url(busy_room), {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [busy_room.pk], "post": "yes"})
    assert Room.objects.filter(pk=busy_room.pk).exists()
    mallory.user_permissions.add(Permission.objects.get(codename="delete_room"))
    with committed():
        client.post(delete_url(busy_room), {"post": "yes"})
    assert not Room.objects.filter(pk=busy_room.pk).exists()


def test_large_room_goes_in_steps(busy_room, announced, monkeypatch):
    """Each step is a transaction; nothing is said in the room while it goes, and the last step takes the room."""
    monkeypatch.setattr(rooms_module, "DELETED_AT_ONCE", 2)
    seen = []

    def note(room_id):
        room = Room.objects.get(pk=room_id)
        seen.append((room.archived, room.messages.count()))
        return delete_messages(room_id)

    delete_messages = rooms_module._delete_messages
    monkeypatch.setattr(rooms_module, "_delete_messages", note)
    delete_room(busy_room.pk)
    assert seen == [(True, 3), (True, 1)]
    assert rows() == [0] * 6


def test_deleting_twice_is_as_once(room):
    """Two admins may have the page open."""
    delete_room(room.pk)
    delete_room(room.pk)
    assert not Room.objects.exists()
