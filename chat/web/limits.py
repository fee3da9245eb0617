"""How often an address, or a person, may do what is done in forms, and guess; and how many guests there may be."""

from collections.abc import Callable
from typing import TypeVar

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.utils.translation import gettext as _

from chat.actions.limits import count_visit
from chat.models import SiteSettings, User
from chat.queries.guests import client_network
from chat.queries.identity import sessions_full
from chat.queries.structs import person_key
from chat.services.entry import log_ins
from rpc import RetryLater

R = TypeVar("R")

NO_SESSION_RETRY_MS = 60_000


def count_form(request: HttpRequest, what: str) -> None:
    """
    Count a form that somebody sends: for the person who is logged in, else for their address, if that tells clients
    apart.

    Args:
        what: a key of `chat.actions.limits.RATES`.

    Raises:
        RetryLater: `too_fast`.
    """
    if request.method != "POST":
        return
    if isinstance(request.user, User):
        _count(request, what, person_key(request.user.pk))
    else:
        count_address(request, what)


def count_address(request: HttpRequest, what: str) -> None:
    """
    Count something that is asked for, for its address, if that tells clients apart.

    Raises:
        RetryLater: `too_fast`.
    """
    _count(request, what, client_network(request.META.get("REMOTE_ADDR", "")))


def count_new_guest(request: HttpRequest) -> None:
    """
    Count a guest who needs a session: for their address, and among all sessions.

    Raises:
        RetryLater: `too_fast`; `busy`, there are too many.
    """
    count_address(request, "visit")
    if settings.RATE_LIMITS and sessions_full(SiteSettings.current().sessions_for_guests):
        raise RetryLater(NO_SESSION_RETRY_MS, "too many guests are here", code="busy")


def count_guess(
    check: Callable[[], R],
    username: str,
    address: str,
    *,
    what: str = "password",
    whole: Callable[[], bool] = lambda: True,
) -> R:
    """
    Let a form look at a password or a code, which is counted before.

    Args:
        what: is looked at, for the log.
        whole: whether what was right lets the person in. If it does not, because something else is asked for then,
            what was tried before still counts: else a right password would free further guesses at the code.

    Raises:
        ValidationError: too many were tried, or it is wrong.
    """
    if settings.RATE_LIMITS and not log_ins.begin(username, address):
        raise ValidationError(_("Too many wrong passwords or codes. Try again in a quarter of an hour."))
    try:
        checked = check()
    except ValidationError:
        log_ins.fail(username, address, what)
        raise
    except BaseException:
        # Nobody looked at it.
        log_ins.take_back(username, address)
        raise
    if whole():
        log_ins.succeed(username, address)
    else:
        log_ins.go_on(username, address)
    return checked


def _count(request: HttpRequest, what: str, who: str | None) -> None:
    # The runtime is of the loop that serves.
    if who is not None and isinstance(request, ASGIRequest):
        async_to_sync(count_visit)(what, who)
