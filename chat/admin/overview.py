"""The first page of the admin: what happens on the site now, and what waits for an answer."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.utils import timezone

from chat.admin.base import staff
from chat.models import Connection, Message, Process, Report, Sanction
from chat.queries.presence import EXPIRY

MINUTES = 60
MOST_MESSAGES = 5000
"""The latest ones are counted: times have no index, and the page costs the same however much was ever said."""
PLOT_HEIGHT = 40
LATEST = 5
"""Reports, and sanctions."""


class Bar(NamedTuple):
    """One of a plot, in its units."""

    x: int
    y: int
    height: int


def show_overview(request: HttpRequest) -> HttpResponse:
    """Django's first page, with figures above it, and of reports and sanctions what the person may see."""
    now = timezone.now()
    user = staff(request)
    connections = Connection.objects.filter(process__in=Process.objects.filter(seen_at__gte=now - EXPIRY))
    keys_and_doors = list(connections.values_list("person_key", "door"))
    counted = _messages_by_minute(now)
    context: dict[str, Any] = {
        "people_here": len({key for key, _ in keys_and_doors}),
        "doors": Counter(door for _, door in keys_and_doors).most_common(),
        "said": sum(counted),
        "are_more": sum(counted) == MOST_MESSAGES,
        "bars": _bars(counted),
        "minutes": MINUTES,
        "plot_height": PLOT_HEIGHT,
    }
    if user.has_perm("chat.view_report"):
        waiting = Report.objects.filter(answered_at=None).select_related("message__room", "reporter")
        context["reports"] = waiting.order_by("pk")[:LATEST]
    if user.has_perm("chat.view_sanction"):
        in_force = Sanction.objects.in_force().select_related("user", "room")
        context["sanctions"] = in_force.order_by("-pk")[:LATEST]
    return admin.site.index(request, context)


def _messages_by_minute(now: datetime) -> list[int]:
    """How many messages there were in each of the last `MINUTES`, oldest first."""
    latest = Message.objects.order_by("-pk").values_list("created_at", flat=True)[:MOST_MESSAGES]
    counted = Counter((now - at) // timedelta(minutes=1) for at in latest)
    return [counted[ago] for ago in reversed(range(MINUTES))]


def _bars(counts: list[int]) -> list[Bar]:
    """The highest of them fills the plot."""
    heights = [round(PLOT_HEIGHT * count / (max(counts) or 1)) for count in counts]
    return [Bar(x, PLOT_HEIGHT - height, height) for x, height in enumerate(heights)]
