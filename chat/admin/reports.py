"""The queue of reports: read with what was said around, and answered."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chat.admin.base import NeverDeleted, staff_key
from chat.models import Report
from chat.services.acts.reports import answer_report


@admin.register(Report)
class ReportAdmin(NeverDeleted, admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    fields = ("room", "author", "reporter", "reason", "created_at", "said", "answer", "answered_by", "answered_at")
    readonly_fields = ("room", "author", "reporter", "reason", "created_at", "said", "answered_by", "answered_at")
    list_display = ("created_at", "room", "author", "reporter", "reason", "answered_at", "answered_by")
    list_filter = (("answered_at", admin.EmptyFieldListFilter),)
    list_select_related = ("message__room", "message__author", "reporter", "answered_by")
    search_fields = ("reason", "answer", "reporter__name", "message__author_name", "message__room__name")
    ordering = ("answered_at", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        # The first answer counts.
        return super().has_change_permission(request, obj) and (obj is None or obj.answered_at is None)

    def save_model(self, request: HttpRequest, obj: Report, form: Any, change: bool) -> None:
        answer_report(obj.pk, obj.answer, by=staff_key(request))

    @admin.display(description=_("room"), ordering="message__room")
    def room(self, report: Report) -> str:
        return str(report.message.room)

    @admin.display(description=_("author"))
    def author(self, report: Report) -> str:
        return report.message.author_name

    @admin.display(description=_("what was said"))
    def said(self, report: Report) -> SafeString:
        lines = (
            ("→ " if each["seq"] == report.message.seq else "", each["author"], each["body"], each["at"])
            for each in report.context
        )
        return format_html_join("", "<p>{}<b>{}</b>: {} <small>{}</small></p>", lines)
