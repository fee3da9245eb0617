"""The page of settings: a person's own tokens, made and revoked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from chat.models import SiteSettings, User
from chat.services.entry.second_factors import factor_of
from chat.services.tokens import make_token, revoke
from chat.web.limits import count_form
from chat.web.token_forms import TokenForm, tokens_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """The person's tokens and the form for a new one. Only the answer to that form shows the secret."""
    if not isinstance(request.user, User):
        return _for_guests(request)
    count_form(request, "token")
    form = TokenForm(request.POST or None, user=request.user)
    context: dict[str, object] = {}
    if request.method == "POST" and form.is_valid():
        context = {"made": form.instance, "secret": make_token(form.instance)}
        form = TokenForm(user=request.user)
    context |= {"form": form, "tokens": tokens_of(request.user), "now": timezone.now()}
    return render(request, "chat/settings.html", {**context, "two_factor": factor_of(request.user)})


@require_POST
def revoke_token(request: HttpRequest, key: int) -> HttpResponse:
    """The token is found through the person, so the tokens of others do not exist here."""
    if not isinstance(request.user, User):
        return _for_guests(request)
    revoke(get_object_or_404(request.user.tokens, pk=key))
    return redirect("chat:settings")


def _for_guests(request: HttpRequest) -> HttpResponse:
    site = SiteSettings.current()
    can_sign_up = site.sign_up != SiteSettings.SignUp.CLOSED
    return render(request, "chat/settings.html", {"for_guests": True, "can_sign_up": can_sign_up}, status=403)
