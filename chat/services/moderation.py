"""Sanctions: imposed and lifted."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chat.models import Sanction
from chat.services.announcing import announce_after_commit
from chat.services.events import PersonChanged


def impose(
    user_id: int,
    kind: str,
    *,
    room_id: int | None,
    by: int | None,
    reason: str = "",
    until: datetime | None = None,
) -> Sanction:
    """Mute or ban a person, in one room or (room_id None) everywhere; in force at once on all their sockets."""
    with transaction.atomic():
        sanction = Sanction.objects.create(
            user_id=user_id, kind=kind, room_id=room_id, created_by_id=by, reason=reason, until=until
        )
        announce_after_commit(PersonChanged(user_id))
    return sanction


def lift(sanction: Sanction) -> None:
    """End a sanction; lifting it twice is as once."""
    with transaction.atomic():
        in_force = Sanction.objects.filter(pk=sanction.pk, lifted_at__isnull=True)
        if in_force.update(lifted_at=timezone.now()):
            announce_after_commit(PersonChanged(sanction.user_id))
