"""What the environment says, and what is said back when it makes no sense."""

import os
import runpy
import stat
import subprocess
import sys

import pytest
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from environ import Env

from chat.models import Message, Room
from tests.server import ROOT

SETTINGS = ROOT / "project/settings.py"
NOT_OF_A_TEST = {"DATABASES", "DATABASE", "INSTALLED_APPS"}
"""Settings that cannot change in a process that runs."""


@pytest.fixture
def site_settings(tmp_path, monkeypatch):
    """Runs the settings with these variables alone; returns what they set."""

    def run(**environment):
        with monkeypatch.context() as patch:
            patch.setattr(Env, "ENVIRON", {"HUBTALK_DATA": str(tmp_path), **environment})
            values = runpy.run_path(str(SETTINGS))
        return {name: value for name, value in values.items() if name.isupper()}

    return run


@pytest.fixture
def with_environment(site_settings, settings):
    """Gives this process the settings that these variables make."""

    def change(**environment):
        for name, value in site_settings(**environment).items():
            if name not in NOT_OF_A_TEST:
                setattr(settings, name, value)

    return change


def manage(tmp_path, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "HUBTALK_DATA": str(tmp_path), **environment},
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
        ("WEB_THREADS", "many"),
        ("WEB_THREADS", "0"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://elsewhere/chat"),
        ("ROOT_PATH", "chat"),
        ("TRUSTED_PROXIES", "nginx"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_value_without_sense_is_named(site_settings, name, value):
    """The start stops, and says where to look."""
    with pytest.raises(ImproperlyConfigured, match=name):
        site_settings(**{name: value})


def test_value_without_sense_is_told_in_one_line(tmp_path):
    """The variable's name, and no traceback."""
    done = manage(tmp_path, "check", PORT="eighty")
    assert done.returncode == 1
    assert "PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    """A folder below a file cannot be made, not even by root."""
    (tmp_path / "file").touch()
    done = manage(tmp_path / "file" / "data", "serve")
    assert done.returncode == 1
    assert "set HUBTALK_DATA to a folder that can" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_secret_key_is_made_once_for_its_owner_only(site_settings, tmp_path):
    """Sessions survive a restart, and nobody else on the machine reads the key."""
    first = site_settings()["SECRET_KEY"]
    key = tmp_path / "secret_key"
    assert key.read_text() == first
    assert len(first) >= 50
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert site_settings()["SECRET_KEY"] == first


def test_nothing_set_is_safe(site_settings):
    """DEBUG off, SQLite that syncs, cookies that no script reads, rate limits."""
    values = site_settings()
    assert values["DEBUG"] is False
    assert values["RATE_LIMITS"] is True
    assert values["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in values["DATABASES"]["default"]["OPTIONS"]["init_command"]
    assert values.get("SESSION_COOKIE_HTTPONLY", global_settings.SESSION_COOKIE_HTTPONLY) is True


def hsts():
    """The answer's Strict-Transport-Security for a person who comes over https through a proxy."""
    answer = Client().get("/healthz", secure=True, HTTP_X_FORWARDED_PROTO="https", SERVER_NAME="localhost")
    assert answer.status_code == 200
    return answer.headers.get("Strict-Transport-Security")


def test_https_alone_sends_no_hsts(with_environment):
    """A browser cannot be told to forget it, so only the operator switches it on."""
    with_environment(HTTPS="on")
    assert hsts() is None


def test_hsts_is_for_this_host_only(with_environment):
    """Neither subdomains nor the browsers' built-in list."""
    with_environment(HTTPS="on", HSTS_SECONDS="3600")
    assert hsts() == "max-age=3600"


@pytest.mark.parametrize("seconds", ["0", "31536000"])
def test_deployment_check_accepts_either_choice(with_environment, seconds):
    """Django's check asks for HSTS on the whole domain; the rest of what it asks for still counts."""
    environment = {"HTTPS": "on", "ALLOWED_HOSTS": "chat.example.org", "HSTS_SECONDS": seconds}
    with_environment(**environment)
    call_command("check", deploy=True, fail_level="WARNING")
    with_environment(**environment, DEBUG="on")
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("check", deploy=True, fail_level="WARNING")


def test_seeding_twice_is_as_once(db):
    """A site that has rooms is left alone."""
    for _ in range(2):
        call_command("seed")
        assert (Room.objects.count(), Message.objects.count()) == (4, 3)
