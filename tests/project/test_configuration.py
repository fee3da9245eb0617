"""What the environment says, and what is said back when it makes no sense."""

import os
import stat
import subprocess
import sys

import pytest

from tests.server import ROOT


def manage(tmp_path, *arguments, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, "HUBTALK_DATA": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("RATE_LIMITS", "sometimes"),
        ("PORT", "eighty"),
        ("PORT", "-1"),
        ("HSTS_SECONDS", "a year"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://elsewhere/chat"),
        ("ROOT_PATH", "chat"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_value_without_sense_is_named_in_one_line(tmp_path, name, value):
    """The variable's name, and no traceback."""
    done = manage(tmp_path, "check", **{name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    """A folder below a file cannot be made, not even by root."""
    (tmp_path / "file").touch()
    done = manage(tmp_path / "file" / "data", "serve")
    assert done.returncode == 1
    assert "set HUBTALK_DATA to a folder that can" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_secret_key_is_made_once_for_its_owner_only(tmp_path):
    """Sessions survive a restart, and nobody else on the machine reads the key."""
    manage(tmp_path, "check")
    key = tmp_path / "secret_key"
    first = key.read_text()
    assert len(first) >= 50
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    manage(tmp_path, "check")
    assert key.read_text() == first


def test_nothing_set_is_safe(tmp_path):
    """DEBUG off, SQLite that syncs, guests' cookies HttpOnly."""
    script = (
        "from django.conf import settings as s;"
        "print(s.DEBUG, s.DATABASES['default']['OPTIONS']['transaction_mode'], s.SESSION_COOKIE_HTTPONLY,"
        " 'synchronous=FULL' in s.DATABASES['default']['OPTIONS']['init_command'], s.RATE_LIMITS)"
    )
    assert manage(tmp_path, "shell", "-v0", "-c", script).stdout.split() == [
        "False",
        "IMMEDIATE",
        "True",
        "True",
        "True",
    ]


def hsts(tmp_path, **environment):
    """The answer's Strict-Transport-Security for a person who comes over https through a proxy."""
    script = (
        "from django.test import Client;"
        "answer = Client().get('/healthz', secure=True, HTTP_X_FORWARDED_PROTO='https', SERVER_NAME='localhost');"
        "print(answer.headers.get('Strict-Transport-Security'))"
    )
    return manage(tmp_path, "shell", "-v0", "-c", script, HTTPS="on", **environment).stdout.strip()


def test_https_alone_sends_no_hsts(tmp_path):
    """A browser cannot be told to forget it, so only the operator switches it on."""
    assert hsts(tmp_path) == "None"


def test_hsts_is_for_this_host_only(tmp_path):
    """Neither subdomains nor the browsers' built-in list."""
    assert hsts(tmp_path, HSTS_SECONDS="3600") == "max-age=3600"


@pytest.mark.parametrize("seconds", ["0", "31536000"])
def test_deployment_check_accepts_either_choice(tmp_path, seconds):
    """Django's check asks for HSTS on the whole domain; the rest of what it asks for still counts."""
    environment = {"HTTPS": "on", "ALLOWED_HOSTS": "chat.example.org", "HSTS_SECONDS": seconds}
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **environment)
    assert done.returncode == 0, done.stderr
    environment["DEBUG"] = "on"
    assert manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **environment).returncode == 1


def test_seeding_twice_is_as_once(tmp_path):
    """A site that has rooms is left alone."""
    for _ in range(2):
        manage(tmp_path, "migrate", "-v0")
        assert manage(tmp_path, "seed").returncode == 0
    count = "from chat.models import *; print(Room.objects.count(), Message.objects.count())"
    assert manage(tmp_path, "shell", "-v0", "-c", count).stdout.split() == ["4", "3"]
