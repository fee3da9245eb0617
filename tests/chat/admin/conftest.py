from uuid import uuid4

import pytest

from chat.models import Message, Room, SiteSettings, User
from chat.realtime import hub
from chat.services.posts import NewPost, store_posts


class Recorder:
    """Stands where the process's hub stands, and keeps what was announced."""

    def __init__(self):
        self.events = []

    def publish(self, event):
        self.events.append(event)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Argon2 is slow on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def announced(monkeypatch, django_capture_on_commit_callbacks):
    """What was announced; commits take place at once, as outside of a test."""
    recorder = Recorder()
    monkeypatch.setattr(hub, "_running", recorder)
    with django_capture_on_commit_callbacks(execute=True):
        yield recorder


@pytest.fixture
def site(db):
    return SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)


@pytest.fixture
def admin_user(db):
    return User.objects.create_superuser("root", password="correct horse battery")


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice", password="correct horse battery", name="Alice")


@pytest.fixture
def mallory(db):
    """Staff without any right."""
    return User.objects.create_user("mallory", password="correct horse battery", is_staff=True)


@pytest.fixture
def room(db):
    return Room.objects.create(name="animals")


@pytest.fixture
def message(room, alice):
    return post(room, alice, "I like cats")


def post(room, author, body):
    stored = store_posts([NewPost(room.pk, room.name, author.pk, author.name, False, False, body, uuid4(), "web")])
    return Message.objects.get(pk=stored[0].message.id)
