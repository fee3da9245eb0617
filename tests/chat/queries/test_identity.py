"""Who stands behind a session."""

import pytest
from django.contrib.auth.models import AnonymousUser

from chat.queries.guests import GUEST_NAME, GUEST_USER
from chat.queries.identity import identify, open_session, session_key_of, user_and_identity
from chat.services.accounts import open_guest_account, rename_guest
from tests.chat.conftest import session_of

ENGINES = ("db", "cached_db", "cache", "file")


@pytest.fixture(params=ENGINES)
def engine(request, settings, tmp_path):
    """Sessions of one of Django's engines."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)


def session_with(**contents):
    session = open_session(None)
    session.update(contents)
    session.save()
    return session.session_key


def test_person_of_a_session_of_any_engine(engine, alice):
    """The settings name the engine, for pages and doors alike."""
    assert identify(session_of(alice)).user_id == alice.pk
    assert identify(session_with(**{GUEST_NAME: "Vera"})).name == "Vera"


def test_what_a_guest_changes_stays_in_a_session_of_any_engine(engine, db):
    """A new name, and then the account of a first post."""
    key = session_with(**{GUEST_NAME: "Vera"})
    rename_guest(key, "Veronika")
    assert identify(key).name == "Veronika"
    user_id = open_guest_account(key, "Veronika")
    assert open_session(key)[GUEST_USER] == user_id
    assert identify(key).user_id == user_id


def test_session_under_a_former_secret_key_counts_and_stays_as_it_is(alice, settings):
    """Its key is in the browser's cookie, which a WebSocket cannot change."""
    key = session_of(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, after a change"
    contents = dict(open_session(key).items())
    assert identify(key).user_id == alice.pk
    assert dict(open_session(key).items()) == contents


def test_session_from_before_another_password_is_nobodys(alice):
    """Nor is anything of it left for a guest; to end it is for the next page."""
    key = session_of(alice)
    session = open_session(key)
    session[GUEST_NAME] = "Alice's guest"
    session.save()
    alice.set_password("another one")
    alice.save()
    user, person = user_and_identity(open_session(key))
    assert user == AnonymousUser()
    assert person.user_id is None
    assert person.name != "Alice's guest"
    assert open_session(key).exists(key)


@pytest.mark.parametrize("key", [None, "", "x", "0" * 32, "\x00'; DROP"], ids=repr)
def test_session_that_is_none(key, db):
    """Somebody without a name of their own, each time."""
    person = identify(key)
    assert person.user_id is None
    assert person.key != identify(key).key


def test_session_key_is_that_of_the_cookies(settings):
    """Which only a WebSocket has, and not each of them."""
    name = settings.SESSION_COOKIE_NAME
    assert session_key_of({"cookies": {name: "key", "other": "x"}}) == "key"
    assert session_key_of({"cookies": {name: ""}}) is None
    assert session_key_of({"cookies": {}}) is None
    assert session_key_of({"type": "tcp"}) is None
