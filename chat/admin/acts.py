"""The log: read, filtered, exported, and taken back from; nothing in it can be changed."""

import csv
from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.contrib import messages as notes
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chat.admin.base import BoundedPaginator, ReadOnly
from chat.models import FINAL, UNDO_DAYS, Act
from chat.queries.rights import within_rights_of
from chat.services.accounts import PERMISSIONS
from chat.services.acts.undo import take_back
from rpc import OperationError

MAX_EXPORTED = 100_000
"""Rows in one file; narrow the filters for more."""
RIGHTS = {"is_staff", "is_superuser", PERMISSIONS}
COLUMNS = (
    *("time", "act", "who", "who_id", "address", "door", "whom", "whom_id", "room", "room_id"),
    *("before", "after", "reason", "done_together", "takes_back"),
)


class TakenBackFilter(admin.SimpleListFilter):
    title = _("taken back")
    parameter_name = "undo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("can", _("can be taken back")), ("done", _("was taken back"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "can":
            return queryset.can_be_undone()
        if self.value() == "done":
            return queryset.filter(undone_by__isnull=False)
        return queryset


@admin.register(Act)
class ActAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    fields = (
        *("at", "kind", "by_name", "address", "door", "person_name", "room_name"),
        *("before", "after", "reason", "bulk", "undoes", "undone"),
    )
    list_display = ("at", "kind", "by_name", "address", "person_name", "room_name", "after", "reason", "undone")
    list_filter = ("kind", TakenBackFilter, "door", ("by", admin.RelatedOnlyFieldListFilter), "at")
    list_select_related = ("undone_by",)
    date_hierarchy = "at"
    search_fields = ("by_name", "person_name", "room_name", "reason", "address", "bulk")
    ordering = ("-pk",)
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("take_back", "export")

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        """Each act also needs the right to change what it changed."""
        return request.user.has_perm("chat.view_act")

    @admin.display(description=_("before"))
    def before(self, act: Act) -> str:
        return _shown(act, "before")

    @admin.display(description=_("after"))
    def after(self, act: Act) -> str:
        return _shown(act, "after")

    @admin.display(description=_("taken back"), boolean=True)
    def undone(self, act: Act) -> bool | None:
        """No sign for what cannot be taken back."""
        return None if act.kind in FINAL else hasattr(act, "undone_by")

    @admin.action(description=_("Take back"), permissions=["take_back"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Act]) -> HttpResponse | None:
        chosen = list(queryset.order_by("-pk"))
        possible = _possible(request, chosen)
        if "confirmed" not in request.POST:
            return ask_to_take_back(request, chosen)
        count = 0
        for act in possible:
            try:
                take_back(act.pk)
                count += 1
            except OperationError as error:
                notes.error(request, f"{act}: {error.text}")
        notes.success(request, ngettext("%d act was taken back.", "%d acts were taken back.", count) % count)
        return None

    @admin.action(description=_("Export as CSV"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Act]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="log-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        writer = csv.writer(response)
        writer.writerow(COLUMNS)
        for act in queryset.order_by("pk")[:MAX_EXPORTED].iterator():
            writer.writerow(map(_cell, _row(act)))
        return response


def ask_to_take_back(request: HttpRequest, acts: Collection[Act]) -> HttpResponse:
    """The page that asks why; its answer goes to the log, whichever list the question came from."""
    possible = _possible(request, acts)
    context = {
        **admin.site.each_context(request),
        "title": _("Take back"),
        "acts": possible,
        "kept": [act for act in acts if act not in possible],
        "days": UNDO_DAYS,
        "checkbox": ACTION_CHECKBOX_NAME,
        "opts": Act._meta,
        "target": reverse("admin:chat_act_changelist"),
    }
    return render(request, "admin/take_back.html", context)


def _possible(request: HttpRequest, acts: Collection[Act]) -> list[Act]:
    return [act for act in acts if act.kind not in FINAL and may_take_back(request.user, act)]


def may_take_back(user: Any, act: Act) -> bool:
    """Whoever may change what was changed, and act on the person; rights are given and taken by superusers only."""
    tables = {change["table"] for change in act.changes}
    if not all(user.has_perm(f"chat.change_{table}") for table in tables):
        return False
    if act.person_id is not None and not within_rights_of(user).filter(pk=act.person_id).exists():
        return False
    fields = {name for change in act.changes for name in (change["before"] or {})}
    return user.is_superuser or not ("user" in tables and fields & RIGHTS)


def _row(act: Act) -> list[Any]:
    return [
        *(act.at.isoformat(), act.kind, act.by_name, act.by_id, act.address, act.door),
        *(act.person_name, act.person_id, act.room_name, act.room_id),
        *(_shown(act, "before"), _shown(act, "after"), act.reason, act.bulk, act.undoes_id),
    ]


def _shown(act: Act, side: str) -> str:
    parts = [
        f"{name}: {value}"
        for change in act.changes
        for name, value in (change[side] or {}).items()
        if (change["before"] or {}).get(name, ...) != (change["after"] or {}).get(name, ...)
    ]
    return ", ".join(parts)


def _cell(value: Any) -> str:
    """A spreadsheet takes what begins like a formula for one, and people choose their names themselves."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
