"""Who is connected, in whichever process."""

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from chat.models import Connection, Process
from chat.queries.structs import PersonCard

EXPIRY = timedelta(seconds=30)
"""A process not seen for this long is dead, and its connections are: three heartbeats."""


def people_online(person_keys: Iterable[str] | None = None) -> dict[str, PersonCard]:
    """Person key → card of everyone who is connected, or of those with some keys."""
    found = Connection.objects.filter(process__seen_at__gte=timezone.now() - EXPIRY).order_by("pk")
    if person_keys is not None:
        found = found.filter(person_key__in=person_keys)
    return {
        key: PersonCard(key, user_id, name, is_guest is not False, is_bot is True)
        for key, user_id, name, is_guest, is_bot in found.values_list(
            "person_key", "user_id", "name", "user__is_guest", "user__is_bot"
        )
    }


def oldest_process() -> str | None:
    """The key of the process that has served longest of those that live."""
    live = Process.objects.filter(seen_at__gte=timezone.now() - EXPIRY).order_by("started_at", "key")
    return live.values_list("key", flat=True).first()


def count_connections(user_id: int, doors: Iterable[str]) -> int:
    """How many connections a person has at some doors."""
    live = Connection.objects.filter(process__seen_at__gte=timezone.now() - EXPIRY)
    return live.filter(user_id=user_id, door__in=doors).count()
