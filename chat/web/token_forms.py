"""The form for a new token."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat.models import Token, User
from chat.queries.tokens import POST, PUSH, READ, RPC

MAX_TOKENS = 50
"""Tokens of one person: more than these come from a program that makes one for each run."""

SCOPE_CHOICES = [
    (READ, _("Read: see the rooms and messages that you see")),
    (POST, _("Post: write, edit and remove messages, create and join rooms, as you")),
    (RPC, _("Connect over gotalk: for programs that keep a connection open")),
    (PUSH, _("Push: send anything to the open apps of any person")),
]
LIFETIMES = [("30", _("in 30 days")), ("90", _("in 90 days")), ("365", _("in a year")), ("", _("never"))]


class ScopesField(forms.MultipleChoiceField):
    """The scopes of a token, as checkboxes; at least one is required."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": _("Scopes"), "choices": SCOPE_CHOICES, **kwargs})


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    """For a person's own tokens. The scope `push` is for staff only, as pushing in the admin is."""

    scopes = ScopesField()
    expires = forms.ChoiceField(label=_("Expires"), choices=LIFETIMES, required=False, initial="90")

    class Meta:
        model = Token
        fields = ("name", "scopes")

    def __init__(self, data: Mapping[str, Any] | None = None, *, user: User) -> None:
        super().__init__(data, instance=Token(user=user), label_suffix="")
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        if not user.is_staff:
            scopes = self.fields["scopes"]
            assert isinstance(scopes, ScopesField)
            scopes.choices = [choice for choice in SCOPE_CHOICES if choice[0] != PUSH]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if tokens_of(self.instance.user).count() >= MAX_TOKENS:
            raise forms.ValidationError(
                _("You already have %(count)d tokens. Revoke some first."), params={"count": MAX_TOKENS}
            )
        days = cleaned.get("expires")
        self.instance.expires_at = timezone.now() + timedelta(days=int(days)) if days else None
        return cleaned


def tokens_of(user: User) -> QuerySet[Token]:
    """Those that were not revoked, the newest first."""
    return user.tokens.filter(revoked_at__isnull=True).order_by("-created_at", "-pk")
