"""Who stands behind a connection: read from its session cookie, once per connection and again when it changes."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import uuid4

import msgspec
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from chat.models import Membership, Sanction, User
from chat.queries.guests import GUEST_NAME, GUEST_USER, visitor_key
from chat.services.accounts import visitor_name


class Place(msgspec.Struct):
    """A person's membership of one room."""

    role: str
    left: bool
    muted: bool
    read_seq: int
    read_posts: int


class Restraint(msgspec.Struct, frozen=True):
    """A sanction in force: `until` in seconds of the epoch, None without an end; `room_id` None is everywhere."""

    kind: str
    room_id: int | None
    until: float | None
    reason: str


class Identity(msgspec.Struct, frozen=True):
    """What the database knows of a person at one moment; `user_id` is None for a visitor without a row."""

    key: str
    user_id: int | None
    name: str
    is_guest: bool
    is_bot: bool
    is_staff: bool
    is_active: bool
    places: dict[int, Place]
    restraints: list[Restraint]


def session_key_of(scope: Mapping[str, Any]) -> str | None:
    """The session key in an ASGI scope's cookies, if there is one."""
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            try:
                cookie = SimpleCookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            except CookieError:
                return None
            return cookie.value if cookie is not None else None
    return None


def identify(session_key: str | None) -> Identity:
    """
    The person of a session: an account, a guest with a row, or a visitor, who gets a name for this connection
    when his session has none. Runs in a database thread.
    """
    if session_key is not None:
        request = HttpRequest()
        request.session = SessionStore(session_key)
        user = get_user(request)
        if isinstance(user, User):
            return of_user(user)
        guest_id = request.session.get(GUEST_USER)
        guest = User.objects.filter(pk=guest_id).first() if guest_id is not None else None
        if guest is not None:
            return of_user(guest)
        name = request.session.get(GUEST_NAME)
        if name is not None:
            return _visitor(visitor_key(session_key), name)
    return _visitor("g" + uuid4().hex[:24], visitor_name())


def of_user(user: User) -> Identity:
    in_force = models.Q(until__isnull=True) | models.Q(until__gt=timezone.now())
    return Identity(
        key=f"u{user.pk}",
        user_id=user.pk,
        name=user.name,
        is_guest=user.is_guest,
        is_bot=user.is_bot,
        is_staff=user.is_staff,
        is_active=user.is_active,
        places={
            tie.room_id: Place(tie.role, tie.left, tie.muted, tie.read_seq, tie.read_posts)
            for tie in Membership.objects.filter(user=user)
        },
        restraints=[
            Restraint(each.kind, each.room_id, each.until.timestamp() if each.until else None, each.reason)
            for each in Sanction.objects.filter(in_force, user=user, lifted_at__isnull=True)
        ],
    )


def of_user_id(user_id: int) -> Identity | None:
    user = User.objects.filter(pk=user_id).first()
    return of_user(user) if user is not None else None


def _visitor(key: str, name: str) -> Identity:
    return Identity(key, None, name, True, False, False, True, {}, [])
