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
from tests.proxy.client import Browser
from tests.server import ROOT, Server

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
        ("OPENID_ISSUER", "id.example.org"),
        ("OPENID_ISSUER", "http://id.example.org"),
        ("OPENID_ISSUER", "http://127.0.0.1.example.org"),
        ("OPENID_ISSUER", "https://"),
        ("OPENID_ISSUER", "https://id.example.org/?realm=staff"),
        ("OPENID_ISSUER", "https://id.example.org"),
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


def test_local_probes_come_through_where_people_need_https(with_environment):
    """They ask the server itself, by its address; people are still led to https, by the site's name alone."""
    with_environment(HTTPS="on", ALLOWED_HOSTS="chat.example.org", METRICS_TOKEN="secret")
    probe = Client(SERVER_NAME="127.0.0.1")
    assert probe.get("/healthz").status_code == 200
    assert probe.get("/metrics", headers={"Authorization": "Bearer secret"}).status_code == 200
    assert Client(SERVER_NAME="chat.example.org").get("/").headers["Location"] == "https://chat.example.org/"
    assert Client(SERVER_NAME="evil.example").get("/healthz").status_code == 400


@pytest.mark.long
@pytest.mark.parametrize(
    ("environment", "is_open"),
    [
        ({}, True),
        ({"GOTALK_LISTEN": "tcp://127.0.0.1:0"}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"GOTALK_LISTEN": "tcp://0.0.0.0:0"}, False),
        ({"ALLOWED_HOSTS": "chat.example.org"}, False),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, False),
    ],
)
def test_new_site_is_open_on_this_machine_only(tmp_path, environment, is_open):
    """Whoever can be reached by strangers invites; the start says which of the two it is."""
    (tmp_path / "data").mkdir()
    with Server(tmp_path / "data", environment=environment) as server:
        guest = Browser(server.url).get("/").status
        assert (guest == 200) == is_open
        sign_up = Browser(server.url).get("/accounts/signup/").status
        assert (sign_up == 200) == is_open
        said = (
            "Guests may enter, and everyone may sign up" if is_open else "Guests may not enter, and people sign up"
        )
        server.says(said)


@pytest.mark.long
def test_set_up_link_leads_through_the_proxy_where_people_need_https(tmp_path):
    """The one that is printed: over http its form would be led away, and its cookies not be sent."""
    environment = {"HTTPS": "on", "ALLOWED_HOSTS": "chat.example.org", "TRUSTED_PROXIES": "127.0.0.1"}
    with Server(tmp_path / "data", environment=environment) as server:
        assert server.setup_url.startswith("https://chat.example.org/setup/")
        headers = {"Host": "chat.example.org", "X-Forwarded-Proto": "https"}
        path = server.setup_url.removeprefix("https://chat.example.org")
        assert Browser(server.url).get(path, headers).status == 200
        assert Browser(server.url).get("/healthz").status == 200


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_data_is_for_its_owner_only(tmp_path, umask):
    """Database, what SQLite keeps beside it, key and folder; also of a site that others could read before."""
    data = tmp_path / "data"
    for _ in range(2):
        before = os.umask(umask)
        try:
            assert manage(data, "migrate").returncode == 0
        finally:
            os.umask(before)
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
        assert {"data", "hubtalk.sqlite3", "secret_key"} <= found.keys()
        assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
        for path in (data, *data.iterdir()):
            path.chmod(0o755)


def test_seeding_twice_is_as_once(db):
    """A site that has rooms is left alone."""
    for _ in range(2):
        call_command("seed")
        assert (Room.objects.count(), Message.objects.count()) == (4, 3)
