"""Who belongs to a room, in which role, and how far they have read."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chat.models import Act, Membership, Room, Sanction
from chat.services.acts.record import Change, as_one, change_of, is_own, made, record, table_of
from chat.services.announcing import announce_after_commit
from chat.services.events import PersonChanged
from chat.services.moderation import impose
from chat.services.rooms import no_such_room
from rpc import OperationError

KICKED_FOR = timedelta(minutes=10)
"""How long a public room stays closed to whom its moderators removed."""
RECORDED = ("left", "role", "muted", "read_seq", "read_posts")
"""What the log keeps of a membership: all that would be lost with it."""


def join_room(room_id: int, user_id: int, *, role: str | None = None) -> Membership:
    """
    Make a person a member, or one again; a role is changed only when given.

    Raises:
        OperationError: `no_such_room`; `not_allowed`, a third person in a room of two.
    """
    with transaction.atomic():
        is_direct = _kind_of(room_id) == Room.Kind.DIRECT
        if is_direct and not Membership.objects.filter(room_id=room_id, user_id=user_id).exists():
            raise OperationError("a direct room has only its two people", code="not_allowed")
        return _put(room_id, user_id, {"left": False} if role is None else {"left": False, "role": role})


def leave_room(room_id: int, user_id: int) -> None:
    """
    The person no longer hears the room; their read marker and role are forgotten, that they left is not.

    Raises:
        OperationError: `no_such_room`.
    """
    with transaction.atomic():
        _kind_of(room_id)
        _put(room_id, user_id, {"left": True, "role": Membership.Role.MEMBER.value})


def put_back(room_id: int, user_id: int, fields: Mapping[str, Any] | None) -> None:
    """
    A membership is as it was; None: there was none.

    Raises:
        OperationError: `no_such_room`.
    """
    with transaction.atomic():
        _kind_of(room_id)
        if fields is not None:
            _put(room_id, user_id, fields)
            return
        membership = Membership.objects.filter(room_id=room_id, user_id=user_id).first()
        if membership is not None:
            was = {name: getattr(membership, name) for name in RECORDED}
            gone = Change(table_of(membership), membership.pk, was, None)
            membership.delete()
            record(Act.Kind.MEMBER, gone, person_id=user_id, room_id=room_id)
            announce_after_commit(PersonChanged(user_id))


def _put(room_id: int, user_id: int, fields: Mapping[str, Any]) -> Membership:
    """Set fields of a membership, which is made where there is none."""
    memberships = Membership.objects.select_for_update()
    membership, is_new = memberships.get_or_create(room_id=room_id, user_id=user_id, defaults=dict(fields))
    change: Change | None = made(membership, *RECORDED)
    if not is_new:
        before = {name: getattr(membership, name) for name in fields}
        for name, value in fields.items():
            setattr(membership, name, value)
        membership.save(update_fields=[*fields])
        change = change_of(membership, before)
    if not is_own(user_id):
        record(Act.Kind.MEMBER, change, person_id=user_id, room_id=room_id)
    announce_after_commit(PersonChanged(user_id))
    return membership


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

    Raises:
        OperationError: `no_such_room`.
    """
    with transaction.atomic():
        until = timezone.now() + (KICKED_FOR if _kind_of(room_id) == Room.Kind.PUBLIC else timedelta(0))
        with as_one(Act.Kind.KICK, by=by, person_id=user_id, room_id=room_id, reason=reason):
            ban = Sanction.Kind.BAN
            impose(user_id, ban, room_id=room_id, by=by, reason=reason, until=until, act=Act.Kind.KICK.value)
            leave_room(room_id, user_id)


def save_read_markers(markers: Mapping[tuple[int, int], tuple[int, int]]) -> None:
    """
    Store how far people have read: {(room, user): (seq, number of posts)}. A marker never moves back; those of
    rooms that were deleted are let go.
    """
    with transaction.atomic():
        rooms = Room.objects.filter(pk__in={room_id for room_id, _ in markers})
        there = set(rooms.values_list("pk", flat=True))
        memberships = [Membership(room_id=room, user_id=user) for room, user in markers if room in there]
        Membership.objects.bulk_create(memberships, ignore_conflicts=True)
        for (room_id, user_id), (seq, number) in markers.items():
            behind = Membership.objects.filter(room_id=room_id, user_id=user_id, read_seq__lt=seq)
            behind.update(read_seq=seq, read_posts=number)


def _kind_of(room_id: int) -> str:
    """
    Raises:
        OperationError: `no_such_room`.
    """
    kind = Room.objects.filter(pk=room_id).values_list("kind", flat=True).first()
    if kind is None:
        raise no_such_room(room_id)
    return kind
