"""The settings page: people make, see and revoke their own tokens, and nobody else's."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from chat.models import SiteSettings, Token, User
from chat.queries.tokens import find_token
from chat.realtime import hub
from chat.services.events import TokenRevoked
from chat.services.tokens import make_token
from chat.web.token_forms import MAX_TOKENS

NEW = {"name": "robot", "scopes": ["read", "post"], "expires": "90"}
PAGE = "/settings/"


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice", name="Alice")


@pytest.fixture
def mallory(db):
    return User.objects.create_user("mallory", name="Mallory")


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def token(alice):
    made = Token(user=alice, name="robot", scopes=["read"])
    make_token(made)
    return made


def revoke_url(token):
    return reverse("chat:revoke-token", args=[token.pk])


def test_secret_is_shown_once(page, alice):
    """On the page right after making, which nothing keeps; later pages know its last letters."""
    response = page.post(PAGE, NEW)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    later = page.get(PAGE).content.decode()
    assert secret not in later
    assert f"…{secret[-4:]}" in later


def test_token_is_what_was_asked_for(page, alice):
    """Name, scopes and end; it logs in as its maker."""
    secret = page.post(PAGE, NEW).context["secret"]
    token = Token.objects.get()
    assert (token.user, token.name, token.scopes) == (alice, "robot", ["read", "post"])
    assert timedelta(days=89) < token.expires_at - timezone.now() < timedelta(days=90)
    found, identity = find_token(secret)
    assert (found.user_id, identity.user_id) == (alice.pk, alice.pk)


def test_token_without_end(page):
    """Where that is chosen."""
    page.post(PAGE, {**NEW, "expires": ""})
    assert Token.objects.get().expires_at is None


@pytest.mark.parametrize(
    "fault",
    [
        {"name": ""},
        {"name": "x" * 41},
        {"name": "a\0b"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"expires": "1000000"},
        {"expires": "-1"},
    ],
)
def test_form_that_makes_no_sense(page, fault):
    """It is shown again, and nothing was made."""
    response = page.post(PAGE, {**NEW, **fault})
    assert response.status_code == 200
    assert response.context["form"].errors
    assert "secret" not in response.context
    assert not Token.objects.exists()


def test_push_is_for_staff(page, alice):
    """To reach everyone's apps is an admin's right; a made-up form does not help."""
    assert "Push" not in page.get(PAGE).content.decode()
    page.post(PAGE, {**NEW, "scopes": ["push"]})
    assert not Token.objects.exists()
    User.objects.update(is_staff=True)
    assert "Push" in page.get(PAGE).content.decode()
    page.post(PAGE, {**NEW, "scopes": ["push"]})
    assert Token.objects.get().scopes == ["push"]


def test_enough_is_enough(page, alice):
    """A program that makes a token for each run is told so."""
    Token.objects.bulk_create(Token(user=alice, name="robot", digest=str(number)) for number in range(MAX_TOKENS))
    assert "Revoke some first" in page.post(PAGE, NEW).content.decode()
    assert Token.objects.count() == MAX_TOKENS


def test_list(page, alice, token):
    """Name, scopes, dates; a token that ended says so."""
    html = page.get(PAGE).content.decode()
    assert "robot" in html and "never expires" in html and "never used" in html
    Token.objects.update(expires_at=timezone.now() - timedelta(days=1), last_used_at=timezone.now())
    html = page.get(PAGE).content.decode()
    assert "expired" in html and "last used" in html


def test_name_is_text(page, token):
    """Never HTML."""
    Token.objects.update(name="<script>alert(1)</script>")
    assert "<script>alert" not in page.get(PAGE).content.decode()


def test_revoke(page, token, monkeypatch, django_capture_on_commit_callbacks):
    """By POST; its sockets hear of it, and it leaves the list."""
    events = []
    monkeypatch.setattr(hub, "_running", type("Recorder", (), {"publish": staticmethod(events.append)}))
    with django_capture_on_commit_callbacks(execute=True):
        assert page.post(revoke_url(token)).headers["Location"] == PAGE
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert events == [TokenRevoked(token.pk)]
    assert "robot" not in page.get(PAGE).content.decode()


def test_revoking_twice(page, token):
    """Two tabs: as once."""
    page.post(revoke_url(token))
    token.refresh_from_db()
    first = token.revoked_at
    assert page.post(revoke_url(token)).status_code == 302
    token.refresh_from_db()
    assert token.revoked_at == first


def test_link_does_not_revoke(page, token):
    """Nor does a picture in a page elsewhere."""
    assert page.get(revoke_url(token)).status_code == 405
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize("path", [PAGE, "/settings/tokens/1/revoke/"])
def test_form_of_a_page_elsewhere(alice, path):
    """It has no CSRF token."""
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(path, NEW).status_code == 403
    assert not Token.objects.exists()


def test_token_of_another(client, mallory, token):
    """Mallory neither sees nor revokes it; it is as if it were not there."""
    client.force_login(mallory)
    html = client.get(PAGE).content.decode()
    assert "robot" not in html and token.hint not in html
    assert client.post(revoke_url(token)).status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_staff_revoke_others_tokens_in_the_admin_only(client, token):
    """Here everyone is a person with their own tokens."""
    client.force_login(User.objects.create_superuser("root"))
    assert "robot" not in client.get(PAGE).content.decode()
    assert client.post(revoke_url(token)).status_code == 404


@pytest.mark.parametrize(("sign_up", "is_offered"), [("open", True), ("closed", False)])
def test_guest(client, db, sign_up, is_offered):
    """They are told to sign up, where the site lets them."""
    SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=sign_up)
    response = client.get(PAGE)
    assert response.status_code == 403
    assert (reverse("signup") in response.content.decode()) is is_offered
    assert client.post(PAGE, NEW).status_code == 403
    assert not Token.objects.exists()


def test_guest_revokes_nothing(client, token):
    """Whatever number they try."""
    assert client.post(revoke_url(token)).status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


def test_chinese(page, token):
    """Every sentence of the page is translated."""
    html = page.get(PAGE, headers={"Accept-Language": "zh-hans"}).content.decode()
    text = " ".join(re.sub(r"<title>.*?</title>|<[^>]*>", " ", html).split())
    found = re.findall(r"[A-Za-z]{2,}", text.replace(token.hint, ""))
    assert set(found) == {"Hubtalk", "gotalk", "robot", "read"}


def test_way_there(page, alice):
    """From the menu of one's account."""
    SiteSettings.objects.create(pk=1)
    assert f'href="{PAGE}"' in page.get("/").content.decode()
