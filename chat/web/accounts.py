"""Signing up, logging in, choosing a password, and the operator's first account."""

from typing import Any

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.contrib.auth.views import LoginView, PasswordChangeView, PasswordResetConfirmView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from chat.models import SiteSettings, User
from chat.queries.guests import GUEST_USER
from chat.services import accounts as people
from chat.services.entry import invitations, setup
from chat.services.entry.password_links import LINKS
from chat.services.site import change_settings
from chat.services.tokens import revoke_all
from chat.web.forms import ChangePasswordForm, ChoosePasswordForm, LogInForm, SetUpForm, SignUpForm
from chat.web.limits import count_form
from chat.web.second_factor.step import log_in
from chat.web.signals import moving_session

CLOSED = gettext_lazy("This site does not accept new accounts. Ask its admin for one.")


class LogIn(LoginView):
    form_class = LogInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site = SiteSettings.current()
        can_sign_up = site.sign_up != SiteSettings.SignUp.CLOSED
        more = {"can_sign_up": can_sign_up, "guests_allowed": site.guests_allowed}
        openid = settings.OPENID_NAME if settings.OPENID_ISSUER else None
        return super().get_context_data(**more, openid=openid, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        return log_in(self.request, form.get_user(), self.get_success_url())


def log_in_to_admin(request: HttpRequest) -> HttpResponse:
    """The admin's own form would be a second way in; who is logged in and came here lacks the right."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, "") or reverse("admin:index"))


class CountsForms:
    """Each form that is sent counts, for the person or the address."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        count_form(request, "password")
        response: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # the view's
        return response


class ChangePassword(CountsForms, PasswordChangeView):
    form_class = ChangePasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "address": self.request.META.get("REMOTE_ADDR", "")}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _end_what_was(form)
        return response


class SetPassword(CountsForms, PasswordResetConfirmView):
    """Where a link of `chat.services.entry.password_links` leads."""

    form_class = ChoosePasswordForm
    token_generator = LINKS
    template_name = "registration/set_password.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        _end_what_was(form)
        return response


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """
    Open an account, if the site's switch allows it: for everyone, or with an invitation's code.

    A guest's account becomes a full one, so that their posts stay theirs.
    """
    if request.user.is_authenticated:
        return redirect("chat:page")
    count_form(request, "sign-up")
    site = SiteSettings.current()
    if site.sign_up == SiteSettings.SignUp.CLOSED:
        return _refused(request, str(CLOSED))
    code = request.POST.get("invitation") or request.GET.get("invitation", "")
    needs_code = site.sign_up == SiteSettings.SignUp.INVITATION
    if needs_code and not invitations.is_open(code):
        return _refused(request, _("You need an invitation to sign up here. Open the link that you were sent."))
    form = SignUpForm(request.POST or None, instance=guest_of(request))
    if request.method == "POST" and form.is_valid():
        # This hashes the password: within the transaction everyone's posts would wait for it.
        user = form.save(commit=False)
        with transaction.atomic():
            people.open_account(user)
            if needs_code and not invitations.redeem(code, user):
                transaction.set_rollback(True)
                return _refused(request, _("This invitation was used a moment ago."))
        with moving_session():
            login(request, user)
        return redirect("chat:page")
    return render(request, "registration/signup.html", {"form": form, "invitation": code if needs_code else ""})


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """The one-time link of the server's first start: the operator chooses the admin's name and password."""
    count_form(request, "password")
    if not setup.is_open(token):
        raise Http404
    who = SetUpForm.EVERYONE if SiteSettings.current().guests_allowed else SetUpForm.INVITED
    form = SetUpForm(request.POST or None, initial={"who": who})
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.is_staff = user.is_superuser = True
        with transaction.atomic():
            if not setup.redeem(token):
                raise Http404
            change_settings(**form.site_settings)
            people.open_account(user)
        with moving_session():
            login(request, user)
        return redirect("chat:page")
    return render(request, "registration/setup.html", {"form": form})


def _end_what_was(form: Any) -> None:
    """Whoever knew the old password is out, and if the person says so, their programs are."""
    people.end_sessions(form.user.pk)
    if form.cleaned_data["revoke_tokens"]:
        revoke_all(form.user.pk)


def guest_of(request: HttpRequest) -> User | None:
    """The account that a guest got with their first post, which becomes the one that they open."""
    guest_id = request.session.get(GUEST_USER)
    return User.objects.filter(pk=guest_id, is_guest=True).first() if guest_id is not None else None


def _refused(request: HttpRequest, text: str) -> HttpResponse:
    return render(request, "registration/refused.html", {"text": text}, status=403)
