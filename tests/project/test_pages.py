"""What every answer says of itself, whatever it is the answer to."""

import pytest

from chat.models import SiteSettings

PLACES = ["/", "/accounts/login/", "/accounts/signup/", "/admin/login/", "/healthz", "/nothing/here/", "/jsi18n/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PLACES)
def test_answer_allows_nothing_inline_and_nothing_from_elsewhere(client, path):
    """The policy is strict on every page, the admin's and the error's too, and names our own WebSocket."""
    response = client.get(path)
    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://testserver"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/", "/nothing/here/"])
def test_page_has_nothing_inline(client, path):
    """What the policy forbids is not there: it would silently not work."""
    SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)
    html = client.get(path).content.decode()
    assert "</html>" in html
    scripts = [part.split(">", 1) for part in html.split("<script")[1:]]
    assert all("src=" in tag or 'type="application/json"' in tag for tag, _ in scripts)
    assert "<style" not in html
    assert " style=" not in html
    assert " onclick=" not in html and "javascript:" not in html
