"""The queue of reports."""

from typing import Any

import msgspec
from django.db.models import Count, QuerySet

from chat.models import Report, Room
from chat.queries.sizes import fitting
from chat.queries.structs import instant

MAX_REPORTS = 50


class OpenReport(msgspec.Struct):
    """A report that nobody answered yet; `context` is what was said there then."""

    id: int
    seq: int
    author: str
    author_id: int
    reporter: str
    reason: str
    at: str
    context: list[dict[str, Any]]


def open_reports(room_id: int) -> list[OpenReport]:
    """Those of a room, the oldest first, at most `MAX_REPORTS` and as many as fit into an answer."""
    found = Report.objects.filter(message__room_id=room_id, answered_at__isnull=True).order_by("pk")
    listed = [
        OpenReport(
            id=each.pk,
            seq=each.message.seq,
            author=each.message.author_name,
            author_id=each.message.author_id,
            reporter=each.reporter.name,
            reason=each.reason,
            at=instant(each.created_at),
            context=each.context,
        )
        for each in found.select_related("message", "reporter")[:MAX_REPORTS]
    ]
    return listed[: fitting(listed)]


def count_open(rooms: QuerySet[Room]) -> dict[int, int]:
    """How many reports wait for an answer, in each of these rooms that has any."""
    found = Report.objects.filter(message__room__in=rooms, answered_at__isnull=True).values("message__room_id")
    return dict(found.annotate(count=Count("pk")).values_list("message__room_id", "count"))


def room_of_report(report_id: int) -> int | None:
    return Report.objects.filter(pk=report_id).values_list("message__room_id", flat=True).first()
