"""
Between the two steps of a log-in.

Whoever is asked for the code learns that the password was right: only by asking everybody for a code, which most
people do not have, could that be kept from them. So a wrong code is treated as what OWASP's Multifactor
Authentication Cheat Sheet takes it for, a sign that somebody else may know the password: it counts as a wrong
password does, however often the right password comes in between, and is in the log.
"""

import time

from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from chat.models import User
from chat.services.entry.second_factors import factor_of
from chat.web.signals import moving_session

HALF = "half_logged_in"
"""Session key: who showed the first factor, when, and a digest that changes with their password."""
HALF_SECONDS = 600


def log_in(request: HttpRequest, user: User, next_url: str) -> HttpResponse:
    """
    Log in somebody whose first factor was right, whatever it was; or ask for the second one, if they have one.

    Args:
        next_url: where they wanted to go.
    """
    if factor_of(user) is not None:
        with moving_session():
            # A session that somebody else knows must not come half-way with its person.
            request.session.cycle_key()
        request.session[HALF] = {"user": user.pk, "at": time.time(), "hash": user.get_session_auth_hash()}
        return redirect_to_login(next_url, reverse("second_step"))
    enter(request, user)
    return HttpResponseRedirect(next_url)


def half_logged_in(request: HttpRequest) -> User | None:
    """Who showed their first factor in this session a short while ago, and may still log in by it."""
    half = request.session.get(HALF)
    if half is None or not 0 <= time.time() - half["at"] <= HALF_SECONDS:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True, second_factor__isnull=False).first()
    return user if user is not None and constant_time_compare(half["hash"], user.get_session_auth_hash()) else None


def enter(request: HttpRequest, user: User) -> None:
    """Log in somebody of whom nothing more is to be asked."""
    request.session.pop(HALF, None)
    with moving_session():
        login(request, user)
