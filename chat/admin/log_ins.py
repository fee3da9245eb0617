"""Log-ins that were tried, and people who are locked out."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from chat.admin.base import ActsOnPeople, ReadOnly, staff
from chat.models import LogInAttempts
from chat.services.entry.log_ins import MOST, unlock


@admin.register(LogInAttempts)
class LogInAttemptsAdmin(ReadOnly, ActsOnPeople, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    list_display = ("by", "user", "address", "count", "is_locked", "since")
    list_filter = ("by",)
    list_select_related = ("user",)
    search_fields = ("user__name", "user__username", "address")
    ordering = ("-since",)
    actions = ("unlock",)

    @admin.display(description=_("locked"), boolean=True)
    def is_locked(self, attempts: LogInAttempts) -> bool:
        return attempts.count >= MOST[LogInAttempts.By(attempts.by)]

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_loginattempts")

    @admin.action(description=_("Unlock"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[LogInAttempts]) -> Any:
        unlock(self.allowed(request, queryset).select_related("user"), by=staff(request))
