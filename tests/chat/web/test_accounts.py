"""Signing up, logging in and out, and the operator's first link."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from chat.models import Invitation, SiteSettings, Token, User
from chat.queries.guests import GUEST_NAME, GUEST_USER
from chat.realtime import hub
from chat.services.accounts import open_guest_account
from chat.services.entry import setup
from chat.services.entry.invitations import invite
from chat.services.entry.password_links import make_link
from chat.services.events import SignedOut

PASSWORD = "correct horse battery"
SIGN_UP = {"username": "bob", "name": "Bob", "password1": PASSWORD, "password2": PASSWORD}
SET_UP = {**SIGN_UP, "username": "root", "who": "everyone"}


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Argon2 is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice", password=PASSWORD, name="Alice")


def log_in(client, username="alice", password=PASSWORD, **extra):
    return client.post(reverse("login"), {"username": username, "password": password}, **extra)


def test_visitor_gets_a_name_and_keeps_it(client, site):
    """The page gives a session its name once."""
    assert client.get("/").status_code == 200
    name = client.session[GUEST_NAME]
    client.get("/")
    assert client.session[GUEST_NAME] == name


def test_site_without_guests_asks_to_log_in(client, site):
    """Where guests are not allowed a visitor sees the log-in, and an account the page."""
    SiteSettings.objects.update(guests_allowed=False)
    assert client.get("/").headers["Location"] == "/accounts/login/?next=/"


def test_account_sees_the_page_of_a_site_without_guests(client, site, alice):
    """An account needs no guest's name."""
    SiteSettings.objects.update(guests_allowed=False)
    client.force_login(alice)
    assert client.get("/").status_code == 200
    assert GUEST_NAME not in client.session


def test_log_in_and_out(client, site, alice):
    """Logging out is a POST, and ends the session."""
    assert log_in(client).headers["Location"] == "/"
    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).headers["Location"] == "/"
    assert "_auth_user_id" not in client.session


def test_log_in_goes_only_to_own_pages(client, site, alice):
    """`next` may not lead elsewhere."""
    data = {"username": "alice", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(reverse("login"), data).headers["Location"] == "/"


def test_sign_up_opens_an_account_and_logs_in(client, site):
    """Open sign-up is one form."""
    assert client.post(reverse("signup"), SIGN_UP).headers["Location"] == "/"
    bob = User.objects.get(username="bob")
    assert (bob.name, bob.is_guest, bob.is_staff) == ("Bob", False, False)
    assert client.session["_auth_user_id"] == str(bob.pk)


def test_guest_who_signs_up_keeps_their_posts(client, site):
    """The same account, now with a password."""
    client.get("/")
    guest = open_guest_account(client.session.session_key, client.session[GUEST_NAME])
    assert client.session[GUEST_USER] == guest
    client.post(reverse("signup"), SIGN_UP)
    bob = User.objects.get(username="bob")
    assert (bob.pk, bob.is_guest, bob.has_usable_password()) == (guest, False, True)


def test_account_is_not_taken_over_through_an_old_guest_session(client, site):
    """Once they have signed up, a session that remembers it as its guest signs up somebody new."""
    client.get("/")
    guest = open_guest_account(client.session.session_key, client.session[GUEST_NAME])
    User.objects.filter(pk=guest).update(is_guest=False, username="owner")
    client.post(reverse("signup"), SIGN_UP)
    assert User.objects.get(username="owner").pk == guest
    assert User.objects.get(username="bob").pk != guest


@pytest.mark.parametrize(("name", "words"), [("ALICE", "this name is taken"), ("a\u202eb", "control or direction")])
def test_bad_name_is_refused_in_words(client, site, alice, name, words):
    """A name that is another's, or that hides something, is refused beside its field."""
    response = client.post(reverse("signup"), {**SIGN_UP, "name": name})
    assert words in response.content.decode()
    assert not User.objects.filter(username="bob").exists()


FORMS = ["login", "signup", "password_change"]


@pytest.mark.parametrize("name", FORMS)
def test_forms_speak_in_the_words_of_the_site(client, site, alice, name):
    """Labels without colons, and the rules of a password in one sentence."""
    if name == "password_change":
        client.force_login(alice)
    html = client.get(reverse(name)).content.decode()
    assert ":</label>" not in html
    assert "Username" not in html and "confirmation" not in html
    assert "<li>" not in html
    assert ("At least 8 characters" in html) is (name != "login")


def test_forms_speak_chinese(client, site):
    """The words of the site are translated, also those that are put together."""
    html = client.get(reverse("signup"), headers={"Accept-Language": "zh-Hans"}).content.decode()
    assert "至少 8 个字符" in html
    assert "用户名" in html


@pytest.mark.parametrize(
    ("passwords", "fields"),
    [(("12345678", "12345678"), ["password1"]), ((PASSWORD, "another one"), ["password2"])],
    ids=["weak", "two"],
)
def test_what_is_wrong_with_a_password_stands_beside_it(client, site, passwords, fields):
    """A weak one at the first field, another one at the second."""
    given = dict(zip(("password1", "password2"), passwords, strict=True))
    response = client.post(reverse("signup"), {**SIGN_UP, **given})
    assert [*response.context["form"].errors] == fields


def test_weak_new_password_is_refused_beside_its_field(client, site, alice):
    """As where one signs up."""
    client.force_login(alice)
    new = {"old_password": "wrong", "new_password1": "12345678", "new_password2": "12345678"}
    errors = client.post(reverse("password_change"), new).context["form"].errors
    assert [*errors] == ["old_password", "new_password1"]
    assert errors["old_password"] == ["This is not your present password."]


def test_wrong_log_in_does_not_say_what_was_wrong(client, site, alice):
    """Neither the name nor the password is confirmed."""
    words = "There is no account with this user name and password."
    assert words in log_in(client, password="wrong").content.decode()
    assert words in log_in(client, username="nobody").content.decode()


def test_closed_site_takes_nobody(client, site):
    """Closed is closed, for the form and for what is sent without it."""
    SiteSettings.objects.update(sign_up=SiteSettings.SignUp.CLOSED)
    assert client.get(reverse("signup")).status_code == 403
    assert client.post(reverse("signup"), SIGN_UP).status_code == 403
    assert not User.objects.filter(username="bob").exists()


def test_invitation_lets_one_person_in(client, site):
    """By invitation: without a code nobody, with one exactly one."""
    SiteSettings.objects.update(sign_up=SiteSettings.SignUp.INVITATION)
    assert client.post(reverse("signup"), SIGN_UP).status_code == 403
    code = invite(Invitation(note="Bob"))
    assert code in client.get(reverse("signup"), {"invitation": code}).content.decode()
    assert client.post(reverse("signup"), {**SIGN_UP, "invitation": code}).status_code == 302
    client.post(reverse("logout"))
    assert client.post(reverse("signup"), {**SIGN_UP, "username": "eve", "invitation": code}).status_code == 403
    assert Invitation.objects.get().used_by.username == "bob"


def test_set_up_link_makes_the_admin_once(client, site):
    """The link of the first start works once, and then is no more."""
    url = f"/setup/{setup.new_setup_token()}/"
    assert client.get(url).status_code == 200
    assert client.post(url, SET_UP).headers["Location"] == "/"
    root = User.objects.get(username="root")
    assert root.is_superuser
    assert root.is_staff
    assert client.post(url, {**SET_UP, "username": "second"}).status_code == 404
    assert setup.new_setup_token() is None


@pytest.mark.parametrize(
    ("who", "guests", "sign_up"), [("everyone", True, "open"), ("invited", False, "invitation")]
)
def test_set_up_asks_who_may_come(client, site, who, guests, sign_up):
    """Nobody opens a site to strangers without having been asked."""
    url = f"/setup/{setup.new_setup_token()}/"
    assert "Who may come?" in client.get(url).content.decode()
    assert client.post(url, {**SIGN_UP, "username": "root"}).context["form"].errors["who"]
    assert client.post(url, {**SET_UP, "who": who}).status_code == 302
    site = SiteSettings.objects.get()
    assert (site.guests_allowed, site.sign_up) == (guests, sign_up)


@pytest.mark.parametrize("guests", [True, False])
def test_set_up_proposes_what_there_is(client, site, guests):
    """At home everything is open, elsewhere people are invited."""
    SiteSettings.objects.update(guests_allowed=guests)
    form = client.get(f"/setup/{setup.new_setup_token()}/").context["form"]
    assert form["who"].value() == ("everyone" if guests else "invited")


def test_older_set_up_link_is_dead(client, site):
    """Each start prints a new link; the old one no longer opens."""
    old = setup.new_setup_token()
    setup.new_setup_token()
    assert client.get(f"/setup/{old}/").status_code == 404


@pytest.mark.parametrize("token", ["x", "0" * 43])
def test_wrong_set_up_link_is_not_found(client, site, token):
    """A guess is a page that does not exist, also while nobody ever asked for a link."""
    assert client.get(f"/setup/{token}/").status_code == 404


def test_weak_password_makes_no_admin(client, site):
    """The link stays open until a good password is chosen."""
    url = f"/setup/{setup.new_setup_token()}/"
    weak = {"username": "root", "name": "", "password1": "12345678", "password2": "12345678"}
    assert client.post(url, weak).status_code == 200
    assert not User.objects.exists()
    assert client.get(url).status_code == 200


@pytest.fixture
def announced(monkeypatch):
    events = []

    class Recorder:
        publish = staticmethod(events.append)

    monkeypatch.setattr(hub, "_running", Recorder())
    return events


def test_log_out_closes_the_sockets_of_the_session(
    client, site, alice, announced, django_capture_on_commit_callbacks
):
    """Other processes are told a digest of the session's key, not the key."""
    log_in(client)
    key = client.session.session_key
    announced.clear()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("logout"))
    (event,) = set(announced)
    assert isinstance(event, SignedOut)
    assert event.session is not None
    assert key not in event.session


def test_new_password_ends_every_other_socket(client, site, alice, announced, django_capture_on_commit_callbacks):
    """Whoever knew the old password is out."""
    log_in(client)
    announced.clear()
    new = {"old_password": PASSWORD, "new_password1": "staple battery 42", "new_password2": "staple battery 42"}
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("password_change"), new)
    assert response.headers["Location"] == reverse("password_change_done")
    assert SignedOut(user_id=alice.pk) in announced


@pytest.mark.parametrize("way", ["password_change", "link"])
@pytest.mark.parametrize("asked", [True, False])
def test_new_password_ends_the_tokens_if_asked_to(client, site, alice, way, asked):
    """Whoever knew the old one may have made some; but programs that go on are the person's to decide about."""
    token = Token.objects.create(user=alice, name="robot", digest="0" * 64, hint="0000")
    form = {"old_password": PASSWORD, "new_password1": "staple battery 42", "new_password2": "staple battery 42"}
    if way == "link":
        page = client.get(reverse("set_password", kwargs=make_link(alice, by=alice)), follow=True)
        path = page.request["PATH_INFO"]
    else:
        log_in(client)
        path = reverse("password_change")
        page = client.get(path)
    assert "Revoke my tokens too" in page.content.decode()
    assert client.post(path, form | ({"revoke_tokens": "on"} if asked else {})).status_code == 302
    token.refresh_from_db()
    assert (token.revoked_at is not None) == asked


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Bearer "])
def test_metrics_are_for_who_has_the_token(client, settings, header):
    """Without the token, or when none is set, there is no such page."""
    settings.METRICS_TOKEN = "right"
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404
    assert b"hubtalk_posts_total" in client.get("/metrics", headers={"Authorization": "Bearer right"}).content
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_healthz_answers_without_a_database(client):
    """A probe costs no query."""
    assert client.get("/healthz").content == b"ok"


def test_expired_session_is_removed_in_silence(client, site, announced, django_capture_on_commit_callbacks):
    """Many are swept at once, and each process finds by itself which of its sockets had one of them."""
    client.get(reverse("chat:page"))
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        Session.objects.all().delete()
    assert announced == []
