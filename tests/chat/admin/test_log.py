"""The log in the admin: every act with who, from where and why; it is filtered, exported, and taken back from."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from chat.models import Act, Invitation, Membership, Message, Room, Sanction, Token, User
from chat.services.moderation import impose
from tests.chat.admin.test_admin import change_url, list_url, room_fields

ADDRESS = "127.0.0.1"


@pytest.fixture
def admin(client, admin_user):
    client.force_login(admin_user)
    return client


def act_on(client, name, action, *things, **more):
    return client.post(list_url(name), {"action": action, "_selected_action": [each.pk for each in things], **more})


def allow(user, *names):
    user.user_permissions.add(*Permission.objects.filter(codename__in=names, content_type__app_label="chat"))


@pytest.fixture
def banned(announced, admin_user, alice):
    impose(alice.pk, "ban", room_id=None, by=admin_user.pk, reason="spam")
    return Act.objects.get()


def test_change_by_a_form_is_entered_with_its_reason(admin, admin_user, room, announced):
    """Each form asks why."""
    admin.post(change_url(room), room_fields(room, read_only="on", act_reason="a calm evening"))
    act = Act.objects.get()
    assert (act.kind, act.by, act.address, act.door, act.room) == ("room", admin_user, ADDRESS, "admin", room)
    assert (act.changes[0]["before"], act.changes[0]["after"]) == ({"read_only": False}, {"read_only": True})
    assert act.reason == "a calm evening"
    assert 'name="act_reason"' in admin.get(change_url(room)).content.decode()


def test_bulk_act_is_one_entry_for_each_that_belong_together(admin, announced, room):
    """What one click did can be found, and taken back, as a whole."""
    rooms = [room, *(Room.objects.create(name=name) for name in ("one", "two"))]
    act_on(admin, "room", "archive", *rooms, act_reason="closing time")
    acts = Act.objects.all()
    assert {act.room for act in acts} == set(rooms)
    assert len({act.bulk for act in acts}) == 1
    assert {act.reason for act in acts} == {"closing time"}


def test_rights_that_are_given_are_entered(admin, alice, announced):
    """Those of a form's list as well, which Django stores on its own."""
    permission = Permission.objects.get(codename="view_act")
    fields = {"username": "alice", "name": "Alice", "is_active": "on", "is_staff": "on"}
    admin.post(change_url(alice), {**fields, "user_permissions": [permission.pk]})
    changes = [change["after"] for act in Act.objects.order_by("pk") for change in act.changes]
    assert changes == [{"is_staff": True}, {"permissions": [permission.pk]}]


def test_list_opens_and_is_filtered(admin, banned):
    """By act, by what can be taken back, by words."""
    for query, count in (
        ({"kind__exact": "ban"}, 1),
        ({"undo": "done"}, 0),
        ({"undo": "can"}, 1),
        ({"q": "Alic"}, 1),
    ):
        response = admin.get(list_url("act"), query)
        assert response.context["cl"].result_count == count, query
    assert "spam" in admin.get(change_url(banned)).content.decode()


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_nobody_changes_the_log(admin, banned, page):
    """Not even who may do everything else."""
    url = reverse(f"admin:chat_act_{page}", args=[] if page == "add" else [banned.pk])
    assert admin.post(url, {"reason": "another", "post": "yes"}).status_code == 403
    assert Act.objects.get().reason == "spam"


def test_export_is_a_table_without_formulas(admin, admin_user, alice, announced):
    """A name that begins like a formula is text in every spreadsheet."""
    User.objects.filter(pk=alice.pk).update(name="=cmd()")
    impose(alice.pk, "mute", room_id=None, by=admin_user.pk, reason="loud, very")
    response = act_on(admin, "act", "export", Act.objects.get())
    assert response["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(response.content.decode()))
    assert (row["act"], row["who"], row["whom"], row["reason"]) == ("mute", "root", "'=cmd()", "loud, very")
    assert row["after"] == "kind: mute, room_id: None, until: None"


def test_act_is_taken_back_after_a_page_that_asks(admin, admin_user, banned):
    """With a reason, in the name of whoever does so."""
    page = act_on(admin, "act", "take_back", banned)
    assert "Alice" in page.content.decode() and Sanction.objects.in_force().exists()
    act_on(admin, "act", "take_back", banned, confirmed="yes", act_reason="the wrong Alice")
    assert not Sanction.objects.in_force().exists()
    undo = Act.objects.get(undoes=banned)
    assert (undo.kind, undo.by, undo.address, undo.reason) == ("undo", admin_user, ADDRESS, "the wrong Alice")


def test_what_cannot_be_taken_back_is_said_first(admin, site, alice, room):
    """By the page that asks, the name of the action, or the field, before it is done."""
    invitation = Invitation.objects.create(note="Zoe")
    Token.objects.create(user=alice, name="robot")
    pages = [
        reverse("admin:chat_room_delete", args=[room.pk]),
        reverse("admin:chat_invitation_delete", args=[invitation.pk]),
        reverse("admin:chat_sitesettings_change", args=[1]),
        list_url("user"),
        list_url("token"),
    ]
    for page in pages:
        assert "cannot be taken back" in admin.get(page).content.decode(), page
    asked = act_on(admin, "room", "delete_selected", room)
    assert "cannot be taken back" in asked.content.decode()


def test_moderator_of_the_admin_takes_back_what_they_may_do(client, mallory, banned, room, announced):
    """The right to read the log is not enough."""
    allow(mallory, "view_act")
    client.force_login(mallory)
    act_on(client, "act", "take_back", banned, confirmed="yes")
    assert Sanction.objects.in_force().exists()
    allow(mallory, "change_sanction")
    act_on(client, "act", "take_back", banned, confirmed="yes")
    assert not Sanction.objects.in_force().exists()


def test_rights_are_taken_back_by_those_who_have_all(client, admin_user, alice, mallory, announced):
    """Else a member of the staff could put an admin back."""
    client.force_login(admin_user)
    fields = {"username": "alice", "name": "Alice", "is_active": "on", "is_superuser": "on", "is_staff": "on"}
    client.post(change_url(alice), fields)
    fields.pop("is_superuser")
    client.post(change_url(alice), fields)
    act = Act.objects.latest("pk")
    assert act.changes[0]["before"] == {"is_superuser": True}
    allow(mallory, "view_act", "change_user")
    client.force_login(mallory)
    act_on(client, "act", "take_back", act, confirmed="yes")
    assert not User.objects.get(pk=alice.pk).is_superuser


def test_removed_messages_and_left_memberships_come_back(admin, announced, message, room, alice):
    """From the lists of the admin, through the log, to what they were."""
    membership = Membership.objects.create(room=room, user=alice, role="moderator", read_seq=1, read_posts=1)
    act_on(admin, "message", "remove", message, reason="rude")
    act_on(admin, "membership", "delete_selected", membership, post="yes")
    assert Message.objects.get().body == "" and Membership.objects.get().left
    act_on(admin, "act", "take_back", *Act.objects.all(), confirmed="yes")
    assert Message.objects.get().body == "I like cats"
    assert Membership.objects.values_list("left", "role", "read_seq", "read_posts").get() == (
        False,
        "moderator",
        1,
        1,
    )
