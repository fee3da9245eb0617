"""The page, and what a monitor asks."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chat.models import SiteSettings
from chat.queries.guests import GUEST_NAME
from chat.services.accounts import visitor_name


def for_everyone_here(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponseBase]:
    """
    A page that opens sockets: for accounts, and for visitors where guests are allowed.

    A visitor's session gets its name here, since a WebSocket cannot set a cookie.
    """

    @require_safe
    @ensure_csrf_cookie
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if not SiteSettings.objects.filter(guests_allowed=True).exists():
                return redirect_to_login(request.path)
            if GUEST_NAME not in request.session:
                request.session[GUEST_NAME] = visitor_name()
        return view(request)

    return checked


@for_everyone_here
def room_page(request: HttpRequest) -> HttpResponse:
    """The chat."""
    return render(request, "chat/page.html")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus, for who has the token of the settings; without a token there is no such page."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, expected):
        raise Http404
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")
