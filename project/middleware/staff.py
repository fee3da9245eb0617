"""Where staff come from: they are let in when the site is full."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from project.admission import welcome


def welcome_staff(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, after that of the accounts: remembers the address of staff who ask for a page."""

    def respond(request: HttpRequest) -> HttpResponse:
        # Without a session nobody is logged in, and no query need find that out.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_staff:
            welcome(request.META.get("REMOTE_ADDR") or "")
        return get_response(request)

    return respond
