"""Closes the sockets of sessions that Django ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from chat.services.site import end_session

_moving: ContextVar[bool] = ContextVar("moving", default=False)


@contextmanager
def moving_session() -> Iterator[None]:
    """Whoever logs in gets a session of another key, with which pages of the former one come back by themselves."""
    before = _moving.set(True)
    try:
        yield
    finally:
        _moving.reset(before)


@receiver(post_delete, sender=Session)
def close_sockets_of_deleted(instance: Session, **kwargs: Any) -> None:
    if instance.expire_date < timezone.now():
        return  # each process finds those by itself, regularly
    end_session(instance.session_key, moved=_moving.get())


@receiver(user_logged_out)
def close_sockets(request: HttpRequest, **kwargs: Any) -> None:
    if request.session.session_key is not None:
        end_session(request.session.session_key)
