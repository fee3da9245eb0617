"""The page, and whether the process serves."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

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
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")
