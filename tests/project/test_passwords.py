"""Passwords are hashed by few at a time, at a cost that a flood of log-ins cannot turn against the site."""

import queue
import threading
from contextlib import ExitStack

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, check_password, make_password
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from chat.models import SiteSettings, User
from chat.services.entry import setup
from chat.services.entry.log_ins import MOST
from project import passwords
from project.passwords import PasswordsBusy
from tests.deadlines import DEADLINE

PASSWORD = "correct horse battery"
LOG_IN = {"username": "alice", "password": PASSWORD}
SIGN_UP = {"username": "bob", "name": "Bob", "password1": PASSWORD, "password2": PASSWORD, "who": "invited"}
NEW_PASSWORD = {
    "old_password": PASSWORD,
    "new_password1": "staple battery 42",
    "new_password2": "staple battery 42",
}
OWASP = "argon2$argon2id$v=19$m=19456,t=2,p=1$"
"""The Password Storage Cheat Sheet: 19 MiB, two rounds, one lane."""


@pytest.fixture
def site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)


@pytest.fixture
def alice(site):
    return User.objects.create_user("alice", password=PASSWORD, name="Alice")


@pytest.fixture
def all_places_taken(monkeypatch):
    """As many passwords are being hashed as may be, and as many wait."""
    taken = passwords.BoundedSemaphore(1)
    taken.acquire()
    return lambda: monkeypatch.setattr(passwords, "_places", taken)


def test_password_costs_what_owasp_recommends():
    """A hash says with which parameters it was made."""
    assert make_password(PASSWORD).startswith(OWASP)
    assert check_password(PASSWORD, make_password(PASSWORD))
    assert not check_password("wrong", make_password(PASSWORD))


def test_admin_of_the_shell_has_such_a_password(db, monkeypatch):
    """`createsuperuser` hashes like everything else."""
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", username="root", email="root@example.org", verbosity=0)
    assert User.objects.get(username="root").password.startswith(OWASP)


@pytest.mark.parametrize("former", [Argon2PasswordHasher(), PBKDF2PasswordHasher()])
def test_stored_password_is_hashed_anew_at_the_next_log_in(client, alice, former):
    """Only then is the password known; until then the former hash counts."""
    User.objects.update(password=former.encode(PASSWORD, former.salt()))
    assert client.post(reverse("login"), {**LOG_IN, "password": "wrong"}).status_code == 200
    assert client.post(reverse("login"), LOG_IN).status_code == 302
    assert User.objects.get().password.startswith(OWASP)


def test_no_more_wait_than_may():
    """Two are hashed, four wait, and the next one is told to come back; those who wait are served."""
    outcomes = queue.Queue()

    def hash_one():
        try:
            outcomes.put(make_password(PASSWORD))
        except PasswordsBusy as busy:
            outcomes.put(busy)

    threads = [threading.Thread(target=hash_one) for _ in range(passwords.MAX_WAITING + 1)]
    with ExitStack() as turns:
        for _ in range(passwords.AT_ONCE):
            turns.enter_context(passwords.turn())
        for thread in threads:
            thread.start()
        assert isinstance(outcomes.get(timeout=DEADLINE), PasswordsBusy)
        assert outcomes.empty()
    for thread in threads:
        thread.join(DEADLINE)
    made = [outcomes.get_nowait() for _ in range(passwords.MAX_WAITING)]
    assert all(each.startswith(OWASP) for each in made)


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("login", LOG_IN),
        ("login", {**LOG_IN, "username": "nobody"}),
        ("signup", SIGN_UP),
    ],
)
def test_page_for_strangers_says_when_to_come_back(client, alice, all_places_taken, page, form):
    """Logging in, which is also the way to the admin, and signing up: 503, and nothing has changed."""
    all_places_taken()
    response = client.post(reverse(page), form)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert "Try again in a few seconds" in response.content.decode()
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 1


def test_page_for_a_new_password_says_when_to_come_back(client, alice, all_places_taken):
    """The old one stays."""
    client.force_login(alice)
    all_places_taken()
    assert client.post(reverse("password_change"), NEW_PASSWORD).status_code == 503
    assert User.objects.get().password == alice.password


def test_log_in_that_could_not_be_tried_is_no_failure(client, alice, all_places_taken, monkeypatch):
    """The pace of guessing counts wrong passwords only."""
    all_places_taken()
    for _ in range(max(MOST.values())):
        assert client.post(reverse("login"), LOG_IN).status_code == 503
    monkeypatch.undo()
    assert client.post(reverse("login"), LOG_IN).status_code == 302


@pytest.mark.parametrize("page", ["signup", "setup"])
def test_new_account_is_hashed_before_its_transaction(client, transactional_db, site, monkeypatch, page):
    """SQLite has one writer: everyone's posts would wait for the hash."""
    url = f"/setup/{setup.new_setup_token()}/" if page == "setup" else reverse("signup")
    within = []
    encode = passwords.Argon2.encode

    def watched(self, password, salt):
        within.append(connection.in_atomic_block)
        return encode(self, password, salt)

    monkeypatch.setattr(passwords.Argon2, "encode", watched)
    assert client.post(url, SIGN_UP).status_code == 302
    assert within == [False]
