"""The queue of reports."""

from typing import Any

import msgspec

from chat.models import Report
from chat.queries.structs import instant

MAX_REPORTS = 50


class OpenReport(msgspec.Struct):
    """A report that nobody answered yet; `context` is what was said there then."""

    id: int
    seq: int
    author: str
    reporter: str
    reason: str
    at: str
    context: list[dict[str, Any]]


def open_reports(room_id: int) -> list[OpenReport]:
    """Those of a room, the oldest first, at most `MAX_REPORTS`."""
    found = Report.objects.filter(message__room_id=room_id, answered_at__isnull=True).order_by("pk")
    return [
        OpenReport(
            id=each.pk,
            seq=each.message.seq,
            author=each.message.author_name,
            reporter=each.reporter.name,
            reason=each.reason,
            at=instant(each.created_at),
            context=each.context,
        )
        for each in found.select_related("message", "reporter")[:MAX_REPORTS]
    ]


def room_of_report(report_id: int) -> int | None:
    return Report.objects.filter(pk=report_id).values_list("message__room_id", flat=True).first()
