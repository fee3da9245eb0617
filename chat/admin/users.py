"""People, their tokens, connections and contacts."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chat.admin.base import ActsOnPeople, NeverDeleted, ReadOnly, ReasonedActionForm, staff, staff_key
from chat.admin.verbs import Upon, VerbsUponPeople
from chat.models import Connection, Contact, Token, User
from chat.queries.people import free_name
from chat.queries.rights import exceeds, within_rights_of
from chat.services import accounts as people
from chat.services.entry.password_links import make_link
from chat.services.entry.second_factors import reset
from chat.services.push import FIRST_FREE, MAX_OPCODE, note_push, payload_of, push
from chat.services.tokens import revoke
from chat.web.forms import NewPersonForm
from rpc import OperationError


class PersonForm(UserChangeForm):  # type: ignore[type-arg]  # generic in its stubs only
    def clean_name(self) -> str:
        try:
            return free_name(self.cleaned_data["name"], besides=self.instance.pk, for_staff=True)
        except OperationError as error:
            raise forms.ValidationError(_(error.text)) from None


class PushForm(forms.Form):
    opcode = forms.IntegerField(label=_("Opcode"), min_value=FIRST_FREE, max_value=MAX_OPCODE, initial=FIRST_FREE)
    payload = forms.CharField(
        label=_("Payload"),
        widget=forms.Textarea(attrs={"rows": 4}),
        initial="{}",
        help_text=_("JSON. A JSON string is sent without its quotes."),
    )

    def clean_payload(self) -> Any:
        try:
            return payload_of(self.cleaned_data["payload"])
        except OperationError as error:
            raise forms.ValidationError(error.text) from None


@admin.register(User)
class PersonAdmin(NeverDeleted, VerbsUponPeople, UserAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    form = PersonForm
    add_form = NewPersonForm
    add_form_template = None
    fieldsets = (
        (None, {"fields": ("username", "name")}),
        (_("Kind"), {"fields": ("is_guest", "is_bot", "language")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "name")}),)
    readonly_fields = ("last_login", "date_joined")
    list_display = ("name", "username", "is_guest", "is_bot", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_guest", "is_bot", "is_staff")
    search_fields = ("name", "username", "email")
    ordering = ("name_key",)
    filter_horizontal = ("user_permissions",)
    actions = (
        *VerbsUponPeople.verbs,
        *("switch_off", "switch_on", "link_to_password", "reset_second_factor", "send_push"),
    )
    action_form = ReasonedActionForm

    def people(self, queryset: QuerySet[User]) -> list[Upon]:
        return [Upon(user, None) for user in queryset]

    def acts_upon(self, row: User) -> dict[str, int]:
        return {"person_id": row.pk}

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # Otherwise people who may change users could make themselves admins.
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "user_permissions")
        return (*self.readonly_fields, *rights)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Nor may they take over the account of somebody who is more.
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not exceeds(obj, staff(request)))

    def get_urls(self) -> list[URLPattern]:
        """Without the page on which Django's admin makes the password of another."""
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        people.change_account(obj)
        if not change:
            self._show_link(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        # The form sets the rights; the log needs to know what they were.
        chosen = form.cleaned_data.pop("user_permissions", None)
        super().save_related(request, form, formsets, change)
        if chosen is not None:
            people.set_permissions(form.instance, list(chosen))

    @admin.action(description=_("Show a link to choose a password"), permissions=["change"])
    def link_to_password(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._allowed(request, queryset):
            self._show_link(request, user)

    def _show_link(self, request: HttpRequest, user: User) -> None:
        link = request.build_absolute_uri(reverse("set_password", kwargs=make_link(user, by=staff(request))))
        text = _("This link, by which %(name)s chooses a password, is shown only once: %(link)s")
        messages.warning(request, text % {"name": user.name, "link": link})

    @staticmethod
    def _allowed(request: HttpRequest, people: QuerySet[User]) -> QuerySet[User]:
        return people.filter(pk__in=within_rights_of(staff(request)))

    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._allowed(request, queryset).exclude(pk=staff_key(request)):
            people.set_active(user.pk, False)

    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in self._allowed(request, queryset):
            people.set_active(user.pk, True)

    def has_reset_second_factor_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_secondfactor")

    @admin.action(
        description=_("Reset two-factor log-in (cannot be taken back)"), permissions=["reset_second_factor"]
    )
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        # One's own takes the password or a code, in the settings.
        others = self._allowed(request, queryset).exclude(pk=staff_key(request))
        count = sum(reset(user, by=staff(request)) for user in others)
        text = ngettext(
            "%d person logs in by password alone now.", "%d people log in by password alone now.", count
        )
        messages.success(request, text % count)

    @admin.action(description=_("Send a push (cannot be taken back)"), permissions=["change"])
    def send_push(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        queryset = self._allowed(request, queryset)
        form = PushForm(request.POST if "opcode" in request.POST else None)
        if form.is_valid():
            opcode, payload = form.cleaned_data["opcode"], form.cleaned_data["payload"]
            count = sum(push(user, opcode, payload) for user in queryset)
            for user in queryset:
                note_push(user, opcode)
            text = ngettext("Sent to %d socket.", "Sent to %d sockets.", count)
            messages.success(request, text % count)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send a push"),
            "people": queryset,
            "form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
            "opts": self.opts,
        }
        return render(request, "admin/send_push.html", context)


@admin.register(Token)
class TokenAdmin(NeverDeleted, ActsOnPeople, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Seen and revoked: a token acts as its person, who alone makes it."""

    list_display = ("name", "user", "hint", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "user__name", "user__username")
    actions = ("revoke",)
    action_form = ReasonedActionForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        # The list's action needs the right; a token itself is only revoked.
        return obj is None and super().has_change_permission(request)

    @admin.action(description=_("Revoke (cannot be taken back)"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        for token in self.allowed(request, queryset):
            revoke(token)


@admin.register(Connection)
class ConnectionAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ("name", "user", "door", "address", "connected_at")
    list_filter = ("door",)
    list_select_related = ("user",)
    search_fields = ("name", "address")


@admin.register(Contact)
class ContactAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ("asker", "asked", "state", "created_at")
    list_filter = ("state",)
    list_select_related = ("asker", "asked")
    search_fields = ("asker__name", "asked__name")
