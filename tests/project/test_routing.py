"""Which application serves which WebSocket path."""

import sys
from importlib import import_module

import pytest
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.urls import path, re_path

from chat.models import User
from project.routing import websocket_router
from tests.chat.conftest import session_of
from tests.project.asgi import run


@pytest.fixture
def app(monkeypatch, settings, tmp_path):
    """Installs an app with the given routes; returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, patterns):
        (tmp_path / name).mkdir()
        for module in ("__init__", "routing"):
            (tmp_path / name / f"{module}.py").touch()
        import_module(f"{name}.routing").websocket_urlpatterns = patterns
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, name]

    yield install
    for folder in tmp_path.iterdir():
        del sys.modules[folder.name], sys.modules[f"{folder.name}.routing"]


class Consumer:
    """Keeps the scope that it is called with."""

    async def __call__(self, scope, receive, send):
        self.scope = scope
        await send({"type": "websocket.close"})


def ask(url, **scope):
    return run(websocket_router(), path=url, **scope)


def test_unknown_path_is_told_so():
    """An accepted socket shows its close code to a page; a refused one does not."""
    assert ask("/nowhere") == [{"type": "websocket.accept"}, {"type": "websocket.close", "code": 4404}]


def test_route_of_an_app_is_found(app, transactional_db):
    """By `path` or `re_path`, with its arguments, or behind a router of its own."""
    consumer = Consumer()
    inner = URLRouter([path("<int:sides>/", consumer)])
    app(
        "dice",
        [path("dice/<int:sides>/", consumer), re_path(r"^die/(?P<sides>\d+)$", consumer), path("cup/", inner)],
    )
    for url, sides in (("/dice/6/", 6), ("/die/6", "6"), ("/cup/6/", 6)):
        assert ask(url, cookies={}) == [{"type": "websocket.close"}]
        assert consumer.scope["url_route"]["kwargs"] == {"sides": sides}
    assert ask("/dice/", cookies={})[-1]["code"] == 4404


def test_consumer_of_an_app_is_told_who_connects(app, settings, transactional_db):
    """The session of the settings' engine, Django's user, and the person of the chat."""
    alice = User.objects.create_user("alice", name="Alice")
    consumer = Consumer()
    app("dice", [path("dice/", consumer)])
    ask("/dice/", cookies={settings.SESSION_COOKIE_NAME: session_of(alice)})
    assert consumer.scope["user"] == alice
    assert consumer.scope["person"].name == "Alice"
    assert consumer.scope["session"]["_auth_user_id"] == str(alice.pk)
    ask("/dice/", cookies={})
    assert consumer.scope["user"] == AnonymousUser()
    assert consumer.scope["person"].is_guest
    assert consumer.scope["session"].is_empty()


@pytest.mark.parametrize(("make", "pattern", "word"), [(path, "ws/dice/", "ws"), (re_path, "^echo$", "echo")])
def test_route_that_a_door_would_hide_stops_the_start(app, make, pattern, word):
    """In one sentence that names the app, the route and the way out."""
    app("dice", [make(pattern, Consumer())])
    with pytest.raises(ImproperlyConfigured, match=f"^dice.routing: .* must not begin with {word}, .*another word"):
        websocket_router()


def test_same_route_of_two_apps_stops_the_start(app):
    """One of them would never be reached."""
    app("dice", [path("roll/", Consumer())])
    app("cards", [path("roll/", Consumer())])
    with pytest.raises(ImproperlyConfigured, match=r"^cards.routing: .*'roll/' is one of dice.routing already"):
        websocket_router()
