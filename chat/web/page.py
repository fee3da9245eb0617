"""The page."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from chat.models import SiteSettings
from chat.queries.guests import GUEST_NAME
from chat.queries.people import new_guest_name
from chat.web.limits import count_new_guest


def for_everyone_here(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponseBase]:
    """
    A page that opens sockets: for accounts, and for guests where they are allowed.

    A guest's session gets its name here, since a WebSocket cannot set a cookie.
    """

    @require_safe
    @ensure_csrf_cookie
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if not SiteSettings.objects.filter(guests_allowed=True).exists():
                return redirect_to_login(request.path)
            if GUEST_NAME not in request.session:
                count_new_guest(request)
                request.session[GUEST_NAME] = new_guest_name()
        return view(request)

    return checked


@for_everyone_here
def room_page(request: HttpRequest) -> HttpResponse:
    """The chat."""
    return render(request, "chat/page.html")
