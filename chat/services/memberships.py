"""Who belongs to a room, in which role, and how far they have read."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from chat.models import Membership, Room, Sanction
from chat.services.announcing import announce_after_commit
from chat.services.events import PersonChanged
from chat.services.moderation import impose
from rpc import OperationError

KICKED_FOR = timedelta(minutes=10)
"""How long a public room stays closed to whom its moderators removed."""


def join_room(room_id: int, user_id: int, *, role: str | None = None) -> Membership:
    """
    Make a person a member, or one again; a role is changed only when given.

    Raises:
        OperationError: `not_allowed`, a third person in a room of two.
    """
    with transaction.atomic():
        if Room.objects.filter(pk=room_id, kind=Room.Kind.DIRECT).exclude(memberships__user_id=user_id).exists():
            raise OperationError("a direct room has only its two people", code="not_allowed")
        changes = {"left": False} if role is None else {"left": False, "role": role}
        membership, _ = Membership.objects.update_or_create(room_id=room_id, user_id=user_id, defaults=changes)
        announce_after_commit(PersonChanged(user_id))
    return membership


def leave_room(room_id: int, user_id: int) -> None:
    """The person no longer hears the room; their read marker and role are forgotten, that they left is not."""
    with transaction.atomic():
        changes = {"left": True, "role": Membership.Role.MEMBER}
        Membership.objects.update_or_create(room_id=room_id, user_id=user_id, defaults=changes)
        announce_after_commit(PersonChanged(user_id))


def bring_back(room_ids: Collection[int]) -> None:
    """Direct rooms are in the lists of both again."""
    with transaction.atomic():
        away = Membership.objects.filter(room_id__in=room_ids, left=True)
        for user_id in set(away.values_list("user_id", flat=True)):
            announce_after_commit(PersonChanged(user_id))
        away.update(left=False)


def kick(room_id: int, user_id: int, *, by: int, reason: str = "") -> None:
    """
    Take a person out of a room. A private one closes behind them; from a public one they are banned for
    `KICKED_FOR`, as nothing else would keep them out. Both stand among the sanctions, with the reason.
    """
    with transaction.atomic():
        is_public = Room.objects.filter(pk=room_id, kind=Room.Kind.PUBLIC).exists()
        until = timezone.now() + (KICKED_FOR if is_public else timedelta(0))
        impose(user_id, Sanction.Kind.BAN, room_id=room_id, by=by, reason=reason, until=until)
        leave_room(room_id, user_id)


def save_read_markers(markers: Mapping[tuple[int, int], tuple[int, int]]) -> None:
    """Store how far people have read: {(room, user): (seq, number of posts)}. A marker never moves back."""
    with transaction.atomic():
        memberships = [Membership(room_id=room_id, user_id=user_id) for room_id, user_id in markers]
        Membership.objects.bulk_create(memberships, ignore_conflicts=True)
        for (room_id, user_id), (seq, number) in markers.items():
            behind = Membership.objects.filter(room_id=room_id, user_id=user_id, read_seq__lt=seq)
            behind.update(read_seq=seq, read_posts=number)
