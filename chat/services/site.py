"""The site's own switches, and a word to everyone."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from chat.models import RateLimit, SiteSettings
from chat.queries.guests import session_digest
from chat.services.announcing import announce, announce_after_commit
from chat.services.events import Notice, SettingsChanged, SignedOut


def change_settings(**changes: Any) -> SiteSettings:
    """Set fields of the site's settings; open pages follow."""
    with transaction.atomic():
        settings, _ = SiteSettings.objects.update_or_create(pk=1, defaults=changes)
        announce_after_commit(SettingsChanged())
    return settings


def set_rate(limit: RateLimit) -> None:
    """Store a rate that an admin changed; it holds from now on."""
    with transaction.atomic():
        limit.save()
        announce_after_commit(SettingsChanged())


def reset_rates(limits: QuerySet[RateLimit]) -> None:
    """Bring back the defaults."""
    with transaction.atomic():
        limits.delete()
        announce_after_commit(SettingsChanged())


def announce_to_all(text: str, level: str = "info") -> None:
    """Announce something to everyone who is connected now; it is not stored."""
    announce(Notice(level=level, text=text))


def end_session(session_key: str) -> None:
    """Close the sockets of a session that logged out."""
    announce_after_commit(SignedOut(session_digest(session_key)))
