"""Forms of accounts: Django's own, with our rules for names and a rate limit for guessing."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from chat.models import User
from chat.queries.people import free_name
from chat.secrets import digest_of
from rpc import OperationError

MAX_FAILURES = 10
"""Wrong passwords for one name from one address, within `FAILURE_WINDOW`."""
FAILURE_WINDOW = 15 * 60
"""Seconds."""


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]  # generic in its stubs only
    for_staff = False

    class Meta:
        model = User
        fields = ("username", "name")
        help_texts = {"name": _("The name that others see. If you leave it empty, it is your username.")}

    def clean_name(self) -> str:
        name: str | None = self.cleaned_data["name"] or self.cleaned_data.get("username")
        if name is None:
            return ""  # A username that is refused, for which that field has its error.
        try:
            return free_name(name, besides=self.instance.pk, for_staff=self.for_staff)
        except OperationError as error:
            raise forms.ValidationError(error.text) from None


class SetUpForm(SignUpForm):
    """For the operator, who may be called admin."""

    for_staff = True


class LogInForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        if settings.RATE_LIMITS and cache.get(self._pace_key(), 0) >= MAX_FAILURES:
            raise forms.ValidationError(_("Too many wrong passwords. Try again in a quarter of an hour."))
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            cache.add(self._pace_key(), 0, FAILURE_WINDOW)
            cache.incr(self._pace_key())
            raise
        cache.delete(self._pace_key())
        return cleaned

    def _pace_key(self) -> str:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request is not None else ""
        # A digest: names may hold what a cache's keys may not.
        return "log-in:" + digest_of(f"{self.cleaned_data.get('username', '').casefold()} {address}")
