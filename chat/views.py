"""The page, and what a monitor asks."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chat.models import SiteSettings
from chat.services.people import visitor_name
from chat.visitors import GUEST_NAME


@require_safe
@ensure_csrf_cookie
def room_page(request: HttpRequest) -> HttpResponseBase:
    """The chat. A visitor's session gets a name here, since a WebSocket cannot set a cookie."""
    if not request.user.is_authenticated:
        if not SiteSettings.objects.filter(guests_allowed=True).exists():
            return redirect_to_login(request.path)
        if GUEST_NAME not in request.session:
            request.session[GUEST_NAME] = visitor_name()
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
