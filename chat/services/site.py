"""The site's own switches, and a word to everyone."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chat.models import Act, RateLimit, SiteSettings
from chat.queries.guests import session_digest
from chat.services.acts.record import Change, change_of, record, table_of
from chat.services.announcing import announce, announce_after_commit
from chat.services.events import Notice, SettingsChanged, SignedOut


def change_settings(*, until: datetime | None = None, reason: str = "", **changes: Any) -> SiteSettings:
    """Set fields of the site's settings, until a time if given; open pages follow."""
    with transaction.atomic():
        settings, _ = SiteSettings.objects.select_for_update().get_or_create(pk=1)
        before = {name: getattr(settings, name) for name in changes}
        for name, value in changes.items():
            setattr(settings, name, value)
        settings.save(update_fields=[*changes])
        record(Act.Kind.SITE, change_of(settings, before), reason=reason, until=until)
        announce_after_commit(SettingsChanged())
    return settings


RATE = ("name", "burst", "per_minute")
"""What the log keeps of a rate limit."""


def set_rate(limit: RateLimit) -> None:
    """Store a rate that an admin changed; it holds from now on."""
    with transaction.atomic():
        before = RateLimit.objects.filter(name=limit.name).values(*RATE).first()
        limit.save()
        record(
            Act.Kind.RATE, Change(table_of(limit), limit.pk, before, {name: getattr(limit, name) for name in RATE})
        )
        announce_after_commit(SettingsChanged())


def reset_rates(limits: QuerySet[RateLimit]) -> None:
    """Bring back the defaults."""
    with transaction.atomic():
        for limit in limits:
            was = {name: getattr(limit, name) for name in RATE}
            record(Act.Kind.RATE, Change(table_of(limit), limit.pk, was, None))
        limits.delete()
        announce_after_commit(SettingsChanged())


def announce_to_all(text: str, level: str = "info") -> None:
    """Announce something to everyone who is connected now; it is not stored."""
    record(Act.Kind.ANNOUNCE, Change(table_of(SiteSettings()), 1, None, {"text": text, "level": level}))
    announce(Notice(level=level, text=text))


def end_session(session_key: str, *, moved: bool = False) -> None:
    """Close the sockets of a session that logged out, or that `moved` to another key."""
    announce_after_commit(SignedOut(session_digest(session_key), moved=moved))
