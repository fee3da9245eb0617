"""Pages while the database takes nothing; the real lock is in tests/chaos/test_locked.py."""

import sqlite3

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.http import HttpResponse

from chat.models import SiteSettings
from project.middleware.busy import Sessions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site():
    """Lets guests in, who get a session with their first page."""
    SiteSettings.objects.create(pk=1, guests_allowed=True)


@pytest.fixture
def failing(monkeypatch):
    """Lets a method of a model raise what SQLite says with this name."""

    def failing(model, method, name):
        def fail(*args, **kwargs):
            cause = sqlite3.OperationalError("as SQLite says")
            cause.sqlite_errorname = name
            raise OperationalError("as SQLite says") from cause

        monkeypatch.setattr(model, method, fail)

    return failing


@pytest.mark.parametrize("name", ["SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"])
def test_locked_database_is_busy(client, failing, name):
    """Whoever asks is told to come back."""
    failing(SiteSettings, "current", name)
    answer = client.get("/accounts/login/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")


def test_mistake_in_a_query_is_not_busy(client, failing):
    """SQLite calls it an operational error too, but it does not pass."""
    failing(SiteSettings, "current", "SQLITE_ERROR")
    with pytest.raises(OperationalError):
        client.get("/accounts/login/")


def test_session_that_cannot_be_made_now_is_busy(client, failing):
    """A guest who comes for the first time is told to come back."""
    failing(Session, "save", "SQLITE_BUSY")
    assert client.get("/").status_code == 503


def answered(session, rf):
    """What becomes of a page that changed the session of a guest."""
    request = rf.get("/")
    request.session = session
    request.session["changed"] = True
    return Sessions(lambda request: HttpResponse()).process_response(request, HttpResponse())


def test_session_that_cannot_be_changed_now_is_busy(client, rf, failing):
    """Django takes it for one that is over."""
    client.get("/")
    session = client.session
    failing(Session, "save", "SQLITE_BUSY")
    assert answered(session, rf).status_code == 503


def test_session_that_is_over_is_not_busy(client, rf):
    """Nothing is to be waited for."""
    client.get("/")
    session = client.session
    assert session.keys()
    Session.objects.all().delete()
    with pytest.raises(SessionInterrupted):
        answered(session, rf)
