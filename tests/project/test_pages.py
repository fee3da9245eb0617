"""What every answer says of itself, whatever it is the answer to."""

from contextlib import closing

import pytest
from csp.decorators import csp_update
from django.http import HttpResponse
from django.urls import path

from chat.models import SiteSettings

PLACES = ["/", "/accounts/login/", "/accounts/signup/", "/admin/login/", "/healthz", "/nothing/here/", "/jsi18n/"]
TILES = "https://tiles.example"


@csp_update({"img-src": [TILES], "connect-src": [TILES]})
def map_of_towns(request):
    return HttpResponse("a map")


urlpatterns = [path("map/", map_of_towns)]


def policy_of(response):
    return dict(part.split(" ", 1) for part in response["Content-Security-Policy"].rstrip(";").split("; "))


@pytest.mark.django_db
@pytest.mark.parametrize("path", PLACES)
def test_answer_allows_nothing_inline_and_nothing_from_elsewhere(client, path):
    """The policy is strict on every page, the admin's and the error's too, and names our own WebSocket."""
    response = client.get(path)
    policy = policy_of(response)
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://testserver"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"


@pytest.mark.django_db
def test_script_of_a_page_elsewhere_may_be_loaded(client):
    """A page whose origin is allowed talks through our gotalk.js."""
    with closing(client.get("/gotalk/gotalk.js")) as response:
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.urls(__name__)
def test_view_has_a_policy_of_its_own(client):
    """An app that needs a source more says so at its view, and the rest stays as it is."""
    policy = policy_of(client.get("/map/"))
    assert policy["img-src"] == "'self' data: https://tiles.example"
    assert policy["connect-src"] == "'self' https://tiles.example ws://testserver"
    assert policy["script-src"] == "'self'"


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
