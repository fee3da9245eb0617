"""To the provider and back: a button on the page of the log-in, and the address to which the provider leads."""

import logging
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from chat.models import SiteSettings
from chat.services.entry import openid
from chat.web.accounts import CLOSED, guest_of
from chat.web.forms import LogInForm
from chat.web.limits import count_address
from chat.web.openid.asking import ProviderFails, ask
from chat.web.openid.attempt import Attempt, forget
from chat.web.openid.provider import NotProven, address_to_log_in, who_is
from chat.web.second_factor.step import log_in

logger = logging.getLogger("hubtalk.log_in")


@never_cache
@require_GET
def go_to_provider(request: HttpRequest) -> HttpResponse:
    """A link and no form: the policy of the pages lets no form lead elsewhere."""
    if not settings.OPENID_ISSUER:
        raise Http404
    asked = request.GET.get(REDIRECT_FIELD_NAME, "")
    own = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    attempt = Attempt.begun(asked if own else reverse("chat:page"))
    if request.user.is_authenticated:
        return HttpResponseRedirect(attempt.next)
    try:
        address = ask(partial(address_to_log_in, attempt=attempt, back=_back(request)))
    except ProviderFails as error:
        return _unavailable(request, error)
    response = HttpResponseRedirect(address)
    attempt.keep(response)
    return response


@never_cache
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people: with a code, or with an error."""
    if not settings.OPENID_ISSUER:
        raise Http404
    count_address(request, "openid")
    attempt = Attempt.kept_by(request)
    response = _refuse(request, "it was not begun here") if attempt is None else _finish(request, attempt)
    forget(response)
    return response


def _finish(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    code = request.GET.get("code")
    # RFC 9207: who says so, if they say who they are.
    if not code or request.GET.get("iss", settings.OPENID_ISSUER) != settings.OPENID_ISSUER:
        return _refuse(request, "the provider gave no code")
    try:
        known = ask(partial(who_is, attempt=attempt, back=_back(request), code=code))
    except ProviderFails as error:
        return _unavailable(request, error)
    except NotProven as error:
        return _refuse(request, error)
    user = openid.person_of(settings.OPENID_ISSUER, known.subject)
    if user is None:
        if not SiteSettings.current().sign_up_by_openid:
            return _to_log_in(request, CLOSED)
        user = openid.open_account(settings.OPENID_ISSUER, known.subject, known.names, guest_of(request))
    if not user.is_active:
        return _to_log_in(request, LogInForm.error_messages["invalid_login"])
    logger.info("log-in of %s from %s: by OpenID Connect", user.username, _address(request))
    return log_in(request, user, attempt.next)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("log-in by OpenID Connect from %s: %s", _address(request), error)
    return _to_log_in(request, _("The site at which you log in does not answer as it should. Try again later."))


def _refuse(request: HttpRequest, why: object) -> HttpResponse:
    logger.warning("log-in by OpenID Connect from %s: %s", _address(request), why)
    return _to_log_in(request, _("You were not logged in. Begin again here."))


def _to_log_in(request: HttpRequest, text: Any) -> HttpResponse:
    messages.error(request, text)
    return redirect("login")


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("openid_back"))


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
