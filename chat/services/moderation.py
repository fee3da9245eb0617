"""Sanctions: imposed and lifted, of guests for their addresses too."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chat.models import Act, Sanction, SanctionedAddress, SiteSettings
from chat.queries.guests import networks_of_guest
from chat.queries.structs import instant
from chat.services.acts.record import change_of, made, record
from chat.services.announcing import announce_after_commit
from chat.services.events import AddressesSanctioned, Moderated, PersonChanged
from rpc import OperationError

MAX_ADDRESSES = 20
"""For which one sanction holds, those seen last: many a guest has two, who has hundreds will have one more."""


def impose(
    user_id: int,
    kind: str,
    *,
    room_id: int | None,
    by: int | None,
    reason: str = "",
    until: datetime | None = None,
    act: str | None = None,
) -> Sanction:
    """
    Mute or ban a person, in one room or (room_id None) everywhere; in force at once on all their sockets. They are
    told of it, under the name `act` if it is part of something else.

    A guest comes back as another one as often as they like, so it holds for all guests of their addresses too, for
    a while.
    """
    with transaction.atomic():
        sanction = Sanction.objects.create(
            user_id=user_id, kind=kind, room_id=room_id, created_by_id=by, reason=reason, until=until
        )
        done = Act.Kind.BAN if kind == Sanction.Kind.BAN else Act.Kind.MUTE
        what = made(sanction, "kind", "room_id", "until")
        record(done, what, by=by, person_id=user_id, room_id=room_id, reason=reason)
        # What happened to them first, for the sockets of a banned person close.
        announce_after_commit(_told(sanction, act or kind, reason), PersonChanged(user_id))
        if _hold_for_addresses(sanction):
            announce_after_commit(AddressesSanctioned())
    return sanction


def lift(sanction: Sanction, *, reason: str = "") -> None:
    """End a sanction; lifting it twice is as once."""
    with transaction.atomic():
        _set_lifted(sanction, timezone.now(), reason)


def lift_all(user_id: int, kind: str, *, room_id: int | None, reason: str = "") -> int:
    """End a person's mutes or bans in one room, or those that hold everywhere; returns how many there were."""
    with transaction.atomic():
        here = Q(room__isnull=True) if room_id is None else Q(room_id=room_id)
        sanctions = list(Sanction.objects.in_force().filter(here, user_id=user_id, kind=kind))
        for sanction in sanctions:
            lift(sanction, reason=reason)
    return len(sanctions)


def reimpose(sanction: Sanction) -> None:
    """A sanction that was lifted stands again, until the time that it always had."""
    with transaction.atomic():
        _set_lifted(sanction, None)


def _set_lifted(sanction: Sanction, moment: datetime | None, reason: str = "") -> None:
    standing = Sanction.objects.filter(pk=sanction.pk, lifted_at__isnull=moment is not None)
    if standing.update(lifted_at=moment):
        before = {"lifted_at": sanction.lifted_at}
        sanction.lifted_at = moment
        change = change_of(sanction, before)
        record(Act.Kind.LIFT, change, person_id=sanction.user_id, room_id=sanction.room_id, reason=reason)
        act = sanction.kind if moment is None else f"un{sanction.kind}"
        announce_after_commit(_told(sanction, act, reason), PersonChanged(sanction.user_id))
        if sanction.addresses.exists():
            announce_after_commit(AddressesSanctioned())


def _hold_for_addresses(sanction: Sanction) -> int:
    """Let the sanction of a guest hold for those from which they were here lately; returns how many these are."""
    now, hours = timezone.now(), timedelta(hours=SiteSettings.current().guest_address_hours)
    until = min(now + hours, sanction.until or now + hours)
    if until <= now:
        return 0
    held = [
        SanctionedAddress(sanction=sanction, network=network, until=until)
        for network in networks_of_guest(sanction.user_id, now - hours)[:MAX_ADDRESSES]
    ]
    return len(SanctionedAddress.objects.bulk_create(held))


def open_conversation(room_id: int, *, by: int | None, reason: str) -> None:
    """
    Enter into the log that somebody reads a conversation of two that is not theirs; to be called before they do.

    Raises:
        OperationError: `no_reason`.
    """
    if not reason.strip():
        raise OperationError("say why you read this conversation", code="no_reason", field="reason")
    record(Act.Kind.READ, by=by, room_id=room_id, reason=reason.strip())


def _told(sanction: Sanction, act: str, reason: str) -> Moderated:
    room = sanction.room.name if sanction.room is not None else None
    until = instant(sanction.until) if sanction.until is not None else None
    return Moderated(sanction.user_id, act, room, reason, until, SiteSettings.current().objections)
