"""The admin acts through the services: what it changes is announced, and only who may, may."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.models import Invitation, Membership, Message, Room, Sanction, SiteSettings, Token, User
from chat.realtime import hub
from chat.services.entry.invitations import is_open
from chat.services.events import Changed, Notice, PersonChanged, Pushed, RoomChanged, SettingsChanged
from tests.chat.admin.conftest import Recorder, post

PAGES = [
    *("room", "membership", "message", "sanction", "token", "invitation", "contact", "connection", "user"),
]


@pytest.fixture
def admin(client, admin_user):
    client.force_login(admin_user)
    return client


@pytest.fixture
def token(alice):
    return Token.objects.create(user=alice, name="robot", digest="0" * 64, hint="0000", scopes=["read"])


def change_url(thing):
    return reverse(f"admin:chat_{thing._meta.model_name}_change", args=[thing.pk])


def list_url(name):
    return reverse(f"admin:chat_{name}_changelist")


def room_fields(room, **changes):
    fields = {"name": room.name, "topic": room.topic, "kind": room.kind, "slow_mode_seconds": 0, "auto_join": "on"}
    return {**fields, **changes}


@pytest.mark.parametrize("name", PAGES)
def test_each_list_opens(admin, site, message, name):
    """Every list shows, searches and forbids inline scripts."""
    response = admin.get(list_url(name), {"q": "cats"})
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"].rstrip(";").split("; ")


@pytest.mark.parametrize("name", ["room", "membership", "sanction", "invitation", "user"])
def test_each_form_to_add_opens(admin, site, name):
    """What can be made has its form."""
    assert admin.get(reverse(f"admin:chat_{name}_add")).status_code == 200


@pytest.mark.parametrize("name", ["message", "contact", "connection", "sitesettings"])
def test_what_is_not_made_here_cannot_be_added(admin, site, name):
    """Messages are posted, not made; settings are one row."""
    assert admin.get(reverse(f"admin:chat_{name}_add")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"name": "zoo"}, "name", "zoo"),
        ({"topic": "Cats, mostly"}, "topic", "Cats, mostly"),
        ({"read_only": "on"}, "read_only", True),
        ({"archived": "on"}, "archived", True),
        ({"kind": "private"}, "kind", "private"),
        ({"slow_mode_seconds": 30}, "slow_mode_seconds", 30),
    ],
)
def test_change_of_a_room_is_announced(admin, room, announced, changes, field, value):
    """Each change takes a version and is heard."""
    response = admin.post(change_url(room), room_fields(room, **changes))
    assert response.status_code == 302
    changed = Room.objects.get(pk=room.pk)
    assert getattr(changed, field) == value
    assert changed.version == room.version + 1


def test_what_a_rename_announces(admin, room, django_capture_on_commit_callbacks, monkeypatch):
    """After commit, and only then, the room's hearers learn its version and name."""
    recorder = Recorder()
    monkeypatch.setattr(hub, "_running", recorder)
    with django_capture_on_commit_callbacks() as callbacks:
        admin.post(change_url(room), room_fields(room, name="zoo"))
        assert recorder.events == []
    for callback in callbacks:
        callback()
    assert recorder.events == [RoomChanged(room.pk), Changed(room.pk, "zoo", 1, [])]


def test_room_of_a_taken_name_is_refused_in_words(admin, room):
    """A name that differs by case only is the same name."""
    response = admin.post(reverse("admin:chat_room_add"), room_fields(room, name="ANIMALS"))
    assert "A room with this name already exists." in response.content.decode()


def test_new_room_belongs_to_who_made_it(admin, admin_user):
    """A room made in the admin is made as any other, fields included."""
    fields = {"name": "ops", "kind": "private", "topic": "On call", "slow_mode_seconds": 0}
    admin.post(reverse("admin:chat_room_add"), fields)
    room = Room.objects.get(name__startswith="ops ~")
    assert (room.kind, room.topic) == ("private", "On call")
    assert Membership.objects.get(room=room).user == admin_user


def test_rooms_are_archived_by_an_action(admin, room, message):
    """Several at once, without opening each."""
    admin.post(list_url("room"), {"action": "archive", "_selected_action": [room.pk]})
    assert Room.objects.get(pk=room.pk).archived


def test_message_is_removed_with_its_reason_from_its_page(admin, admin_user, message, announced):
    """A tombstone stays, the text is on record."""
    admin.post(
        change_url(message),
        {"remove": "on", "removal_reason": "spam", "revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0},
    )
    gone = Message.objects.get(pk=message.pk)
    assert (gone.body, gone.removal_reason, gone.removed_by) == ("", "spam", admin_user)
    assert "I like cats" in admin.get(change_url(message)).content.decode()


def test_messages_are_removed_by_an_action_that_asks_why(admin, message):
    """The action shows what will go, and takes a reason."""
    chosen = {"action": "remove", "_selected_action": [message.pk]}
    asked = admin.post(list_url("message"), chosen)
    assert "I like cats" in asked.content.decode()
    assert Message.objects.get(pk=message.pk).removed_at is None
    admin.post(list_url("message"), {**chosen, "reason": "spam"})
    assert Message.objects.get(pk=message.pk).removal_reason == "spam"


def test_text_of_a_message_is_never_changed_in_the_admin(admin, message):
    """A posted text stands for its author; staff may only remove it."""
    admin.post(
        change_url(message), {"body": "I like dogs", "revisions-TOTAL_FORMS": 0, "revisions-INITIAL_FORMS": 0}
    )
    assert Message.objects.get(pk=message.pk).body == "I like cats"


def test_sanction_is_imposed_and_lifted(admin, alice, room):
    """A mute is imposed once and then only lifted."""
    fields = {"user": alice.pk, "kind": "mute", "room": room.pk, "reason": "loud", "until_0": "", "until_1": ""}
    admin.post(reverse("admin:chat_sanction_add"), fields)
    sanction = Sanction.objects.get(user=alice)
    assert (sanction.kind, sanction.room, sanction.reason) == ("mute", room, "loud")
    admin.post(list_url("sanction"), {"action": "lift", "_selected_action": [sanction.pk]})
    assert Sanction.objects.get().lifted_at is not None


def test_membership_is_made_changed_and_ended_by_services(admin, alice, room):
    """Ending a membership leaves the fact that one left."""
    admin.post(reverse("admin:chat_membership_add"), {"user": alice.pk, "room": room.pk, "role": "moderator"})
    membership = Membership.objects.get(user=alice)
    assert membership.role == "moderator"
    admin.post(reverse("admin:chat_membership_delete", args=[membership.pk]), {"post": "yes"})
    assert Membership.objects.get(user=alice).left


def test_person_is_renamed_and_switched_off(admin, alice):
    """People are switched off, never deleted."""
    assert admin.post(reverse("admin:chat_user_delete", args=[alice.pk])).status_code == 403
    admin.post(change_url(alice), {"username": "alice", "name": " Alice  B ", "is_active": "on"})
    assert User.objects.get(pk=alice.pk).name == "Alice B"
    admin.post(list_url("user"), {"action": "switch_off", "_selected_action": [alice.pk]})
    assert not User.objects.get(pk=alice.pk).is_active


def test_push_to_chosen_people(admin, alice, admin_user, announced):
    """The action asks for opcode and JSON, and tells how many sockets took it."""
    chosen = {"action": "send_push", "_selected_action": [alice.pk, admin_user.pk]}
    page = admin.post(list_url("user"), chosen).content.decode()
    assert "Alice" in page and 'name="opcode"' in page
    pushed = admin.post(list_url("user"), {**chosen, "opcode": 1000, "payload": '{"a": [1]}'}, follow=True)
    assert "Sent to 0 sockets." in pushed.content.decode()
    assert [(each.user_id, each.opcode, each.payload) for each in announced.of(Pushed)] == [
        (user.pk, 1000, b'{"a":[1]}') for user in sorted((alice, admin_user), key=lambda user: user.name_key)
    ]


@pytest.mark.parametrize(("opcode", "payload"), [(999, "{}"), (1000, "{"), (1000, f'"{"x" * 70_000}"'), ("", "{}")])
def test_push_that_cannot_be_sent(admin, alice, announced, opcode, payload):
    """The form says so, and nothing goes out."""
    fields = {"action": "send_push", "_selected_action": [alice.pk], "opcode": opcode, "payload": payload}
    assert "errorlist" in admin.post(list_url("user"), fields).content.decode()
    assert announced.of(Pushed) == []


def test_staff_without_the_right_pushes_nothing(client, mallory, alice, announced):
    """Whoever may not change people has no action on them."""
    client.force_login(mallory)
    fields = {"action": "send_push", "_selected_action": [alice.pk], "opcode": 1000, "payload": "{}"}
    client.post(list_url("user"), fields)
    assert announced.of(Pushed) == []


def test_nobody_switches_their_own_account_off(admin, admin_user):
    """The last admin cannot lock themselves out by a slip."""
    admin.post(list_url("user"), {"action": "switch_off", "_selected_action": [admin_user.pk]})
    assert User.objects.get(pk=admin_user.pk).is_active


def test_taken_name_is_refused_in_words(admin, alice, admin_user):
    """Nobody is given another's name."""
    response = admin.post(change_url(alice), {"username": "alice", "name": "ROOT", "is_active": "on"})
    assert "this name is taken" in response.content.decode()


def test_token_is_revoked_here_and_not_made(admin, alice, token):
    """It acts as its person, who alone makes one."""
    assert admin.get(reverse("admin:chat_token_add")).status_code == 403
    admin.post(list_url("token"), {"action": "revoke", "_selected_action": [token.pk]})
    assert Token.objects.get().revoked_at is not None


def test_invitation_is_shown_once(admin):
    """Its link opens the sign-up; only a digest is kept."""
    response = admin.post(
        reverse("admin:chat_invitation_add"), {"note": "Bob", "expires_at_0": "", "expires_at_1": ""}, follow=True
    )
    link = str(next(iter(response.context["messages"])))
    assert is_open(link.split("invitation=")[1])
    assert Invitation.objects.get().digest not in link


def test_settings_and_a_word_to_everyone(admin, site, announced, django_capture_on_commit_callbacks):
    """The switches are heard at once; a word to everyone is not stored."""
    numbers = {"edit_window_minutes": 0, "guest_address_hours": 24, "guests_at_once": 9, "guests_per_address": 9}
    numbers["sessions_for_guests"] = 9
    fields = {"title": "Club", "sign_up": "closed", "announcement": "Tea is ready", **numbers}
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(change_url(site), fields)
    assert SiteSettings.objects.get().title == "Club"
    assert announced.of(SettingsChanged) == [SettingsChanged()]
    assert [notice.text for notice in announced.of(Notice)] == ["Tea is ready"]


@pytest.mark.parametrize("name", [*PAGES])
def test_staff_without_rights_sees_no_list(client, mallory, name):
    """Being staff opens the admin, not its pages."""
    client.force_login(mallory)
    assert client.get(list_url(name)).status_code == 403


def test_staff_who_may_only_look_changes_nothing(client, mallory, room, message, alice):
    """The right to view is not the right to act."""
    mallory.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(mallory)
    assert client.post(change_url(room), room_fields(room, name="mine")).status_code == 403
    client.post(list_url("message"), {"action": "remove", "_selected_action": [message.pk], "reason": "x"})
    client.post(list_url("user"), {"action": "switch_off", "_selected_action": [alice.pk]})
    assert Room.objects.get(pk=room.pk).name == "animals"
    assert Message.objects.get(pk=message.pk).removed_at is None
    assert User.objects.get(pk=alice.pk).is_active


def test_staff_who_may_change_people_cannot_become_admins(client, mallory):
    """Only a superuser gives rights."""
    mallory.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(mallory)
    rights = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(change_url(mallory), {"username": "mallory", "name": "m", **rights})
    assert not User.objects.get(pk=mallory.pk).is_superuser


@pytest.mark.parametrize("name", ["message", "membership", "sanction"])
def test_longer_lists_cost_no_more_queries(admin, room, alice, name):
    """No query a row, and no count of all messages, only of so many."""

    def fill(count):
        for number in range(count):
            person = User.objects.create_user(f"{name}{User.objects.count()}")
            post(room, person, f"text {number}")
            Membership.objects.create(room=room, user=person)
            Sanction.objects.create(user=person, room=room, kind="mute", created_by=alice)

    fill(3)
    with CaptureQueriesContext(connection) as few:
        admin.get(list_url(name))
    fill(30)
    with CaptureQueriesContext(connection) as many:
        admin.get(list_url(name))
    assert len(many) == len(few)
    if name == "message":
        counts = [query["sql"] for query in many if "COUNT(" in query["sql"]]
        assert counts == [each for each in counts if "LIMIT 10000" in each] != []


def test_change_of_a_person_reaches_their_sockets(admin, alice, announced, django_capture_on_commit_callbacks):
    """What the admin changes of a person is announced after commit."""
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(change_url(alice), {"username": "alice", "name": "Alicia", "is_active": "on"})
    assert announced.of(PersonChanged) == [PersonChanged(alice.pk)]
