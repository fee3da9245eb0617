"""The second step of a log-in, and the page on which people set it up."""

from typing import Any

import segno
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import RedirectURLMixin, redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django.views.generic import FormView

from chat.models import SecondFactor, User
from chat.services.entry import second_factors
from chat.web.second_factor.forms import ChangeForm, OfPerson, StepForm, SwitchOnForm
from chat.web.second_factor.step import enter, half_logged_in

OFFERED = "offered_app_secret"
"""Session key: the secret that was shown and not confirmed yet."""


@method_decorator([never_cache, sensitive_post_parameters("code")], name="dispatch")
class SecondStep(RedirectURLMixin, FormView):  # type: ignore[type-arg]  # generic in its stubs only
    """Asks whoever showed a password for the code."""

    form_class = StepForm
    template_name = "registration/second_step.html"
    next_page = "chat:page"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            return HttpResponseRedirect(self.get_success_url())
        user = half_logged_in(request)
        if user is None:
            return redirect_to_login(self.get_success_url())
        self._user = user
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), **_of(self.request, self._user)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(next=self.get_redirect_url(), **kwargs)

    def form_valid(self, form: OfPerson) -> HttpResponse:
        enter(self.request, self._user)
        return super().form_valid(form)


@never_cache
@sensitive_post_parameters("code", "password", "proof")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def two_factor(request: HttpRequest) -> HttpResponse:
    """Switch it on; or off, or make new recovery codes. Only the answer to a form shows recovery codes."""
    assert isinstance(request.user, User)  # of `login_required`
    factor = second_factors.factor_of(request.user)
    return _switch_on(request, request.user) if factor is None else _change(request, request.user, factor)


def _switch_on(request: HttpRequest, user: User) -> HttpResponse:
    secret = request.session.setdefault(OFFERED, second_factors.new_app_secret())
    form = SwitchOnForm(request.POST or None, secret=secret, **_of(request, user))
    if form.is_valid():
        codes = second_factors.switch_on(user, secret, form.cleaned_data["code"])
        del request.session[OFFERED]
        return _show(request, codes=codes) if codes is not None else redirect(request.path)
    picture = _picture(second_factors.address_for_app(user, secret))
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    return _show(request, form=form, picture=picture, secret=groups, needed=second_factors.is_missing(user))


def _change(request: HttpRequest, user: User, factor: SecondFactor) -> HttpResponse:
    form = ChangeForm(request.POST or None, **_of(request, user))
    if form.is_valid():
        if "off" not in request.POST:
            return _show(request, codes=second_factors.new_recovery_codes(factor))
        second_factors.switch_off(user)
        return redirect(request.path)
    return _show(request, form=form, factor=factor, left=factor.recovery_codes.count())


def _show(request: HttpRequest, **context: Any) -> HttpResponse:
    return render(request, "chat/two_factor.html", context)


def _of(request: HttpRequest, user: User) -> dict[str, Any]:
    return {"user": user, "address": request.META.get("REMOTE_ADDR", "")}


def _picture(text: str) -> SafeString:
    """A QR code as SVG, to stand in the page: black on white in both themes, or some apps would not read it."""
    drawn = segno.make_qr(text).svg_inline(dark="#000", light="#fff", border=4, omitsize=True)
    # Of segno's own numbers: the text is in it as squares.
    return mark_safe(drawn)  # noqa: S308
