"""Site settings, announcements, and invitations."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from chat.actions.limits import RATES
from chat.admin.base import NeverDeleted
from chat.models import Invitation, RateLimit, SiteSettings
from chat.services.entry.invitations import invite, withdraw
from chat.services.site import announce_to_all, change_settings, reset_rates, set_rate


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    announcement = forms.CharField(
        label=_("Announcement"),
        required=False,
        max_length=300,
        help_text=_("Every open page shows it at once. It cannot be taken back."),
    )


@admin.register(SiteSettings)
class SettingsAdmin(NeverDeleted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    form = SettingsForm
    fields = (
        *("title", "sign_up", "sign_up_by_openid", "guests_allowed", "rooms_by_everyone", "calm"),
        *("staff_need_two_factors", "edit_window_minutes", "guest_address_hours", "guests_at_once"),
        *("guests_per_address", "sessions_for_guests", "objections", "announcement"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect(reverse("admin:chat_sitesettings_change", args=[1]))

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        announcement = form.cleaned_data["announcement"]
        fields = [name for name in form.changed_data if name != "announcement"]
        if fields:
            change_settings(**{name: form.cleaned_data[name] for name in fields})
        if announcement:
            announce_to_all(announcement)


class RateForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stubs only
    name = forms.ChoiceField(
        label=_("What"),
        choices=[(name, f"{name} ({rate.burst}, {rate.per_minute:g})") for name, rate in RATES.items()],
        help_text=_("In brackets: the default, at once and a minute. docs/operations.md says what each counts."),
    )


@admin.register(RateLimit)
class RateLimitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """The rates that were changed; to delete one brings back its default."""

    form = RateForm
    fields = ("name", "burst", "per_minute")
    list_display = fields

    def save_model(self, request: HttpRequest, obj: RateLimit, form: Any, change: bool) -> None:
        set_rate(obj)

    def delete_model(self, request: HttpRequest, obj: RateLimit) -> None:
        reset_rates(RateLimit.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RateLimit]) -> None:
        reset_rates(queryset)


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    fields = ("note", "expires_at")
    list_display = ("note", "created_by", "created_at", "expires_at", "used_by")
    list_filter = (("used_by", admin.EmptyFieldListFilter),)
    list_select_related = ("created_by", "used_by")
    search_fields = ("note", "used_by__name")

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Invitation) -> None:
        withdraw(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        for invitation in queryset:
            withdraw(invitation)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        obj.created_by_id = request.user.pk
        link = request.build_absolute_uri(reverse("signup")) + "?invitation=" + invite(obj)
        messages.warning(request, _("This invitation link is shown only once: %(link)s") % {"link": link})
