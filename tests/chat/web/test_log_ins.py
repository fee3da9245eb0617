"""Guessing passwords: counted by name, by address and by both, for every form that looks at one."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.models import LogInAttempts, SiteSettings, User
from chat.services.entry import log_ins
from chat.services.entry.log_ins import MOST, WINDOW
from tests.proxy.client import Browser
from tests.server import Server

pytestmark = pytest.mark.long

PASSWORD = "correct horse battery"
TOO_MANY = "Too many wrong passwords"
BY_NAME, BY_ADDRESS, BY_BOTH = (MOST[by] for by in LogInAttempts.By)


class Counting(MD5PasswordHasher):
    """Quick, and says which passwords it has seen."""

    seen: list[str] = []

    def encode(self, password, salt):
        self.seen.append(password)
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def hashed(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    Counting.seen.clear()
    return Counting.seen


@pytest.fixture
def alice(db):
    SiteSettings.objects.create(pk=1, guests_allowed=True)
    return User.objects.create_user("alice", password=PASSWORD, name="Alice")


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root", password=PASSWORD)


def log_in(client, username="alice", password=PASSWORD, address="192.0.2.1"):
    data = {"username": username, "password": password}
    return client.post(reverse("login"), data, REMOTE_ADDR=address)


def errors(response):
    assert response.status_code == 200
    return response.context["form"].errors.get_json_data()


def test_guessing_one_password_from_one_address(client, alice, hashed):
    """After some even the right one waits, and is not looked at; from elsewhere it is let in."""
    for _ in range(BY_BOTH):
        assert TOO_MANY not in str(errors(log_in(client, password="wrong")))
    hashed.clear()
    assert TOO_MANY in str(errors(log_in(client)))
    assert hashed == []
    assert log_in(client, address="192.0.2.2").status_code == 302


def test_guessing_one_password_from_many_addresses(client, alice, hashed):
    """A name waits too, in whatever letters."""
    for number in range(BY_NAME):
        log_in(client, "ALICE" if number % 2 else "alice", "wrong", f"192.0.2.{number}")
    hashed.clear()
    assert TOO_MANY in str(errors(log_in(client, address="198.51.100.1")))
    assert hashed == []


def test_guessing_many_names_from_one_address(client, alice, hashed):
    """One password for everybody; the next address is free."""
    for number in range(BY_ADDRESS):
        log_in(client, f"u{number}", "wrong")
    hashed.clear()
    assert TOO_MANY in str(errors(log_in(client)))
    assert hashed == []
    assert log_in(client, address="192.0.2.2").status_code == 302


@pytest.mark.parametrize(
    ("tried", "same", "other"),
    [
        ("2001:db8::{:x}", "2001:db8::ffff", "2001:db8:0:1::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
    ],
)
def test_household_of_ipv6_is_one_address(client, alice, tried, same, other):
    """Its provider gives it 2^64; and what IPv6 shows of an IPv4 address is that address."""
    for number in range(BY_ADDRESS):
        log_in(client, f"u{number}", "wrong", tried.format(number))
    assert TOO_MANY in str(errors(log_in(client, address=same)))
    assert log_in(client, address=other).status_code == 302


def test_other_names_do_not_push_one_out(client, alice):
    """Many names from elsewhere, after those wrong passwords."""
    for _ in range(BY_BOTH):
        log_in(client, password="wrong")
    for number in range(450):
        log_ins.begin(f"u{number}", f"10.0.{number // 40}.1")
    assert TOO_MANY in str(errors(log_in(client)))


def test_thirty_at_once(transactional_db, alice, hashed):
    """Each is counted before its password is looked at: no more are than one after the other."""
    hashed.clear()
    start = threading.Barrier(30)

    def guess(number):
        start.wait(10)
        try:
            log_in(Client(), password=f"guess {number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len([password for password in hashed if password.startswith("guess")]) == BY_BOTH


def test_right_password_forgets_the_wrong_ones(client, alice):
    """Someone who mistypes now and then is not locked out."""
    for _ in range(3):
        for _ in range(BY_BOTH - 1):
            log_in(client, password="wrong")
        assert log_in(client).status_code == 302
        client.post(reverse("logout"))


def test_own_account_does_not_free_an_address(client, alice):
    """Mallory logs in to hers between guesses at those of others."""
    User.objects.create_user("mallory", password=PASSWORD)
    for number in range(BY_ADDRESS):
        assert log_in(client, "mallory").status_code == 302
        client.post(reverse("logout"))
        log_in(client, f"u{number}", "wrong")
    assert TOO_MANY in str(errors(log_in(client, "mallory")))


def test_after_the_window_one_may_try_again(client, alice):
    """And what was counted then is forgotten."""
    for _ in range(BY_BOTH):
        log_in(client, password="wrong")
    LogInAttempts.objects.update(since=timezone.now() - WINDOW - timedelta(seconds=1))
    assert log_in(client).status_code == 302
    assert LogInAttempts.objects.count() == 3


def test_limit_can_be_switched_off(client, alice, settings):
    """RATE_LIMITS=off is for benchmarks."""
    settings.RATE_LIMITS = False
    for _ in range(BY_BOTH + 1):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 302


def test_no_answer_says_whether_there_is_such_a_name(client, alice, hashed):
    """Wrong, unknown, switched off, without a password: the same words after the same work, once locked too."""
    User.objects.create_user("bot", is_bot=True)
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    seen = set()
    for name in ("alice", "nobody", "bot", "gone"):
        answers = []
        for _ in range(BY_BOTH + 1):
            hashed.clear()
            answers.append((str(errors(log_in(client, name, "wrong"))), len(hashed)))
        seen.add(tuple(answers))
    assert len(seen) == 1
    assert [count for _, count in seen.pop()] == [1] * BY_BOTH + [0]


def test_admin_has_no_form_of_its_own(client, alice, root, hashed):
    """Its address leads to the one form, and back; a password that is sent there is not looked at."""
    hashed.clear()
    answer = client.post("/admin/login/?next=/admin/chat/room/", {"username": "root", "password": PASSWORD})
    assert answer.headers["Location"] == "/accounts/login/?next=/admin/chat/room/"
    assert hashed == []
    assert "_auth_user_id" not in client.session
    client.post(answer.headers["Location"], {"username": "root", "password": PASSWORD, "next": "/admin/chat/room/"})
    assert client.get("/admin/chat/room/").status_code == 200


def test_person_without_the_right_is_told_so(client, alice):
    """Whoever is logged in and may not enter the admin is not led round in a circle."""
    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("path", ["/accounts/password_change/", "/admin/password_change/"])
def test_guessing_the_old_password_on_an_open_page(client, root, hashed, path):
    """Whoever finds a page open may not try as often as they like."""
    client.force_login(root)
    form = client.get(path, follow=True).request["PATH_INFO"]
    new = {"new_password1": "staple battery 42", "new_password2": "staple battery 42"}
    for _ in range(BY_BOTH):
        client.post(form, {"old_password": "wrong", **new})
    hashed.clear()
    assert TOO_MANY in client.post(form, {"old_password": PASSWORD, **new}).content.decode()
    assert hashed == []


def test_log_ins_are_logged_with_their_address(client, alice, caplog):
    """Those that succeed, those that fail, and those that are locked; a name that nobody has may be a password."""
    caplog.set_level("INFO", "hubtalk.log_in")
    log_in(Client())
    log_in(client, password="wrong")
    log_in(client, "hunter2", "wrong")
    LogInAttempts.objects.filter(by="both").update(count=BY_BOTH)
    log_in(client)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "log-in of alice from 192.0.2.1"),
        ("WARNING", "log-in of alice from 192.0.2.1: wrong password"),
        ("WARNING", "log-in of an unknown name from 192.0.2.1: wrong password"),
        ("WARNING", "log-in of alice from 192.0.2.1: locked by both"),
    ]
    assert "hunter2" not in str(LogInAttempts.objects.values())


def lock(client):
    for _ in range(BY_BOTH):
        log_in(client, password="wrong")
    return LogInAttempts.objects.get(by="both")


def unlock(client, attempts):
    url = reverse("admin:chat_loginattempts_changelist")
    return client.post(url, {"action": "unlock", "_selected_action": [attempts.pk]})


def test_staff_unlock_a_person(client, alice, root):
    """In the admin; they may try again at once, from everywhere."""
    attempts = lock(client)
    staff = Client()
    staff.force_login(root)
    assert "192.0.2.1" in staff.get(reverse("admin:chat_loginattempts_changelist"), {"q": "alice"}).content.decode()
    unlock(staff, attempts)
    assert log_in(client).status_code == 302


def test_mallory_who_may_look_does_not_unlock(client, alice):
    """The right to see attempts is not the right to forget them."""
    attempts = lock(client)
    mallory = User.objects.create_user("mallory", is_staff=True)
    mallory.user_permissions.set(Permission.objects.filter(codename="view_loginattempts"))
    staff = Client()
    staff.force_login(mallory)
    unlock(staff, attempts)
    url = reverse("admin:chat_loginattempts_delete", args=[attempts.pk])
    assert staff.post(url, {"post": "yes"}).status_code == 403
    assert TOO_MANY in str(errors(log_in(client)))


@pytest.mark.long
def test_lock_survives_a_restart(tmp_path):
    """It is in the database, where every other process finds it too."""
    server = Server(tmp_path / "data")
    make = f'from chat.models import User; User.objects.create_superuser("boss", password={PASSWORD!r})'
    server.manage("shell", "-v", "0", "-c", make)
    with server:
        for _ in range(BY_BOTH):
            Browser(server.url).log_in("boss", "wrong")
    with server:
        assert TOO_MANY in Browser(server.url).log_in("boss", PASSWORD).text
        assert Browser(server.url, address="127.0.0.2").log_in("boss", PASSWORD).status == 302
