"""
Between the two steps of a log-in.

Whoever is asked for the code learns that the password was right: only by asking everybody for a code, which most
people do not have, could that be kept from them. So a wrong code is treated as what OWASP's Multifactor
Authentication Cheat Sheet takes it for, a sign that somebody else may know the password: it counts as a wrong
password does, however often the right password comes in between, and is in the log.
"""

import time

from django.contrib.auth import login
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from chat.models import User
from chat.services.entry.second_factors import factor_of
from chat.web.signals import moving_session

HALF = "half_logged_in"
"""Session key: who showed the first factor, when, and a digest that changes with their password."""
HALF_SECONDS = 600


def log_in(request: HttpRequest, user: User) -> bool:
    """
    Log in somebody whose first factor was right, whatever it was.

    Returns:
        False if they have a second one, which is to be asked for now.
    """
    with moving_session():
        if factor_of(user) is not None:
            # A session that somebody else knows must not come half-way with its person.
            request.session.cycle_key()
            half = {"user": user.pk, "at": time.time(), "hash": user.get_session_auth_hash()}
            request.session[HALF] = half
            return False
        login(request, user)
    return True


def half_logged_in(request: HttpRequest) -> User | None:
    """Who showed their first factor in this session a short while ago, and may still log in by it."""
    half = request.session.get(HALF)
    if half is None or not 0 <= time.time() - half["at"] <= HALF_SECONDS:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True, second_factor__isnull=False).first()
    return user if user is not None and constant_time_compare(half["hash"], user.get_session_auth_hash()) else None


def finish(request: HttpRequest, user: User) -> None:
    """Log in somebody whose second factor was right too."""
    del request.session[HALF]
    with moving_session():
        login(request, user)
