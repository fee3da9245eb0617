"""Closes the sockets of sessions that Django ends."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from chat.services.site import end_session


@receiver(user_logged_out)
def close_sockets(request: HttpRequest, **kwargs: Any) -> None:
    if request.session.session_key is not None:
        end_session(request.session.session_key)
