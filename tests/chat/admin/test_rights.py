"""Nobody acts on a person who has a right that they lack: each model and action, at raw addresses too."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from chat.models import LogInAttempts, Membership, Room, Sanction, SecondFactor, Token, User
from chat.services.entry.password_links import make_link
from chat.services.events import SignedOut
from tests.chat.admin.test_admin import change_url, list_url

PASSWORD = "correct horse battery"
NEW = "staple battery 42"


@pytest.fixture
def mallory(client, site):
    """Staff with every right in the admin but the one to delete rooms; logged in."""
    mallory = User.objects.create_user("mallory", password=PASSWORD, is_staff=True)
    mallory.user_permissions.set(Permission.objects.exclude(codename="delete_room"))
    client.force_login(mallory)
    return mallory


@pytest.fixture(params=["superuser", "staff with one more right", "one with that right who is not staff yet"])
def boss(request, db):
    """Somebody who may do what mallory may not."""
    user = User.objects.create_user("boss", password=PASSWORD, name="Boss")
    if request.param == "superuser":
        user.is_superuser = user.is_staff = True
    else:
        user.is_staff = request.param.startswith("staff")
        user.user_permissions.set(Permission.objects.filter(codename="delete_room"))
    user.save()
    return user


@pytest.fixture
def colleague(db):
    """Staff with less rights than mallory."""
    return User.objects.create_user("colleague", password=PASSWORD, name="Colleague", is_staff=True)


def act(client, model, action, thing, **more):
    return client.post(list_url(model), {"action": action, "_selected_action": [thing.pk], **more}, follow=True)


def person_fields(user, **changes):
    return {"username": user.username, "name": user.name, "is_active": "on", **changes}


def test_person_is_not_changed(client, mallory, boss, colleague):
    """Neither name nor login; that of somebody with less rights is."""
    assert client.post(change_url(boss), person_fields(boss, name="Fool", is_active="")).status_code == 403
    boss.refresh_from_db()
    assert (boss.name, boss.is_active) == ("Boss", True)
    assert client.post(change_url(colleague), person_fields(colleague, name="Friend")).status_code == 302


def test_rights_are_not_given(client, mallory, colleague):
    """Not to others and not to oneself."""
    for user in (mallory, colleague):
        rights = {"is_staff": "on", "is_superuser": "on", "user_permissions": list(range(1, 20))}
        client.post(change_url(user), person_fields(user, **rights))
        user.refresh_from_db()
        assert not user.is_superuser
    assert not colleague.user_permissions.exists()


@pytest.mark.parametrize("action", ["switch_off", "switch_on"])
def test_person_is_not_switched(client, mallory, boss, action):
    """Neither off nor on again."""
    before = action == "switch_off"
    User.objects.filter(pk=boss.pk).update(is_active=before)
    act(client, "user", action, boss)
    assert User.objects.get(pk=boss.pk).is_active is before


def test_no_link_to_a_password_is_shown(client, mallory, boss, colleague):
    """Whoever has it has the account."""
    assert "set_password" not in act(client, "user", "link_to_password", boss).content.decode()
    assert "set_password" in act(client, "user", "link_to_password", colleague).content.decode()


def test_second_factor_is_not_reset(client, mallory, boss, colleague):
    """That of somebody with less rights is, by people with the right to."""
    for user in (boss, colleague):
        SecondFactor.objects.create(user=user, secret="x", last_step=0)
        act(client, "user", "reset_second_factor", user)
    assert [each.user for each in SecondFactor.objects.all()] == [boss]
    SecondFactor.objects.create(user=colleague, secret="x", last_step=0)
    mallory.user_permissions.remove(Permission.objects.get(codename="delete_secondfactor"))
    act(client, "user", "reset_second_factor", colleague)
    assert SecondFactor.objects.count() == 2


@pytest.mark.parametrize("path", ["/admin/chat/user/{}/password/", "/admin/chat/user/{}/change/password/"])
def test_nobody_makes_the_password_of_another(admin_client, colleague, path):
    """Not even a superuser: there is no such page."""
    data = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    admin_client.post(path.format(colleague.pk), data)
    admin_client.post(change_url(colleague), person_fields(colleague, password=NEW, **data))
    assert User.objects.get(pk=colleague.pk).check_password(PASSWORD)


def test_no_push_is_sent(client, mallory, boss, announced):
    """An app that trusts its site would believe it."""
    act(client, "user", "send_push", boss, opcode=1000, payload="{}")
    assert announced.events == []


def test_nobody_makes_the_token_of_another(admin_client, colleague):
    """A token acts as its person."""
    data = {"user": colleague.pk, "name": "robot", "scopes": ["read"]}
    assert admin_client.post(reverse("admin:chat_token_add"), data).status_code == 403
    assert not Token.objects.exists()


def test_token_is_not_revoked(client, mallory, boss):
    """Their programs go on."""
    token = Token.objects.create(user=boss, name="robot", digest="0" * 64, hint="0000")
    act(client, "token", "revoke", token)
    assert client.post(change_url(token), {"name": "mine"}).status_code == 403
    assert Token.objects.get().revoked_at is None


@pytest.mark.parametrize("kind", ["ban", "mute"])
def test_person_is_not_banned(client, mallory, boss, colleague, kind):
    """Neither everywhere nor in a room; somebody with less rights is."""
    room = Room.objects.create(name="hall")
    for where in ("", room.pk):
        response = client.post(reverse("admin:chat_sanction_add"), {"user": boss.pk, "kind": kind, "room": where})
        assert response.context["adminform"].form.errors["user"]
    assert not Sanction.objects.exists()
    client.post(reverse("admin:chat_sanction_add"), {"user": colleague.pk, "kind": kind})
    assert Sanction.objects.get().user == colleague


def test_sanction_is_not_lifted(client, mallory, boss):
    """Who imposed it had the right to."""
    sanction = Sanction.objects.create(user=boss, kind="ban")
    act(client, "sanction", "lift", sanction)
    assert Sanction.objects.get().lifted_at is None


def test_membership_is_not_changed(client, mallory, boss):
    """Neither given, nor another role, nor ended."""
    room, other = (
        Room.objects.create(name="cellar", kind="private"),
        Room.objects.create(name="den", kind="private"),
    )
    membership = Membership.objects.create(room=room, user=boss, role="owner")
    add = {"room": other.pk, "user": boss.pk, "role": "member"}
    assert client.post(reverse("admin:chat_membership_add"), add).context["adminform"].form.errors["user"]
    assert client.post(change_url(membership), {"role": "member"}).status_code == 403
    assert (
        client.post(reverse("admin:chat_membership_delete", args=[membership.pk]), {"post": "yes"}).status_code
        == 403
    )
    act(client, "membership", "delete_selected", membership, post="yes")
    assert list(Membership.objects.values_list("room", "role", "left")) == [(room.pk, "owner", False)]


def test_person_is_not_unlocked(client, mallory, boss):
    """Whoever guesses their password would go on."""
    attempts = LogInAttempts.objects.create(by="name", digest="0" * 64, user=boss, count=50)
    nobody = LogInAttempts.objects.create(by="address", digest="1" * 64, count=50)
    for each in (attempts, nobody):
        act(client, "loginattempts", "unlock", each)
    assert LogInAttempts.objects.get() == attempts


# --- links -------------------------------------------------------------------------------------------------


def address_of(user, by):
    return reverse("set_password", kwargs=make_link(user, by=by))


def choose(browser, address):
    page = browser.get(address, follow=True)
    if not page.context["validlink"]:
        return False
    browser.post(page.request["PATH_INFO"], {"new_password1": NEW, "new_password2": NEW})
    return True


def test_person_chooses_their_password_by_a_link(
    admin_user, colleague, announced, django_capture_on_commit_callbacks
):
    """Once; what the old one opened is closed."""
    address = address_of(colleague, admin_user)
    with django_capture_on_commit_callbacks(execute=True):
        assert choose(Client(), address)
    assert User.objects.get(pk=colleague.pk).check_password(NEW)
    assert announced.of(SignedOut) == [SignedOut(user_id=colleague.pk)]
    assert not choose(Client(), address)


def test_new_person_has_no_password_but_a_link(admin_client):
    """Which the admin shows once."""
    add = reverse("admin:chat_user_add")
    response = admin_client.post(add, {"username": "carol", "name": "Carol"}, follow=True)
    carol = User.objects.get(username="carol")
    assert not carol.has_usable_password()
    (text,) = [str(each) for each in response.context["messages"] if "set_password" in str(each)]
    assert choose(Client(), text.split(": ")[1].removeprefix("http://testserver"))
    assert User.objects.get(username="carol").check_password(NEW)


def test_new_person_has_a_name_and_login_of_their_own(admin_client, colleague):
    """As for those who sign up."""
    response = admin_client.post(reverse("admin:chat_user_add"), {"username": "COLLEAGUE", "name": "CoIleague"})
    assert set(response.context["adminform"].form.errors) == {"username", "name"}


@pytest.mark.parametrize("gain", [{"is_superuser": True}, {"is_staff": True}, {"permission": True}])
def test_link_from_before_somebody_got_rights_is_void(mallory, alice, gain):
    """Mallory keeps one of everybody, and waits."""
    address = address_of(alice, mallory)
    if gain.pop("permission", False):
        alice.user_permissions.set(Permission.objects.filter(codename="delete_room"))
    User.objects.filter(pk=alice.pk).update(**{"name": "Alice", **gain})
    assert not choose(Client(), address)
