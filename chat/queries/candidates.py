"""One person before another: what decides whether the one may turn to him, invite him, or put him out."""

import msgspec
from django.db.models import Q
from django.utils import timezone

from chat.models import Contact, Membership, Sanction, User
from chat.queries.contacts import person_named
from rpc import OperationError


class Known(msgspec.Struct):
    id: int
    has_declined: bool
    is_owner: bool
    belongs: bool
    has_left: bool
    is_banned: bool


def known_by(user_id: int | None, name: str | None, *, room_id: int | None, by: int | None) -> Known:
    """
    A person by key or by name, as the one with key `by` (None: a visitor) has to do with him; where it is about
    a room, whether he owns it, belongs to it, left it or may not enter.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`, a visitor who has no row yet.
    """
    user = person_named(name) if name is not None else User.objects.filter(pk=user_id or 0).first()
    if user is None or not user.is_active:
        raise OperationError("no such person", code="no_such_person")
    tie = Membership.objects.filter(user=user, room_id=room_id or 0).first()
    declined = Contact.objects.filter(asker_id=by, asked=user, state=Contact.State.DECLINED)
    in_force = Q(until__isnull=True) | Q(until__gt=timezone.now())
    bans = Sanction.objects.filter(in_force, user=user, kind=Sanction.Kind.BAN, lifted_at__isnull=True)
    return Known(
        id=user.pk,
        has_declined=declined.exists(),
        is_owner=user.is_staff or (tie is not None and not tie.left and tie.role == Membership.Role.OWNER),
        belongs=tie is not None and not tie.left,
        has_left=tie is not None and tie.left,
        is_banned=bans.filter(Q(room__isnull=True) | Q(room_id=room_id or 0)).exists(),
    )
