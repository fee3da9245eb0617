"""Mutes and bans: imposed and lifted, kept on record."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ActsOnPeople, NeverDeleted, ReasonedActionForm, staff_key
from chat.models import Sanction
from chat.services.moderation import impose, lift


@admin.register(Sanction)
class SanctionAdmin(NeverDeleted, ActsOnPeople, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    fields = ("user", "kind", "room", "reason", "until", "held_addresses")
    readonly_fields = ("held_addresses",)
    autocomplete_fields = ("user", "room")
    list_display = (
        "user",
        "kind",
        "room",
        "reason",
        "created_at",
        "until",
        "lifted_at",
        "created_by",
        "held_addresses",
    )
    list_filter = ("kind", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("user", "room", "created_by")
    search_fields = ("user__name", "user__username", "reason", "addresses__network")
    ordering = ("-pk",)
    actions = ("lift",)
    action_form = ReasonedActionForm

    def has_change_permission(self, request: HttpRequest, obj: Sanction | None = None) -> bool:
        # The list's action needs the right; a sanction itself is imposed once and then only lifted.
        return obj is None and super().has_change_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sanction]:
        return super().get_queryset(request).prefetch_related("addresses")

    @admin.display(description=_("for guests of"))
    def held_addresses(self, sanction: Sanction) -> str:
        return ", ".join(map(str, sanction.addresses.all())) if sanction.pk else ""

    def save_model(self, request: HttpRequest, obj: Sanction, form: Any, change: bool) -> None:
        imposed = impose(
            obj.user_id, obj.kind, room_id=obj.room_id, by=staff_key(request), reason=obj.reason, until=obj.until
        )
        obj.pk = imposed.pk

    @admin.action(description=_("Lift"), permissions=["change"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Sanction]) -> None:
        for sanction in self.allowed(request, queryset):
            lift(sanction)
