"""One person before another: what decides whether the one may address, invite or remove the other."""

import msgspec
from django.db.models import Q

from chat.models import Contact, Membership, Sanction, User
from chat.queries.people import person_named
from chat.queries.rights import exceeds
from rpc import OperationError


class Candidate(msgspec.Struct):
    id: int
    has_declined: bool
    is_owner: bool
    exceeds: bool
    """Has a right in the admin that the one lacks."""
    belongs: bool
    has_left: bool
    is_banned: bool


def find_candidate(
    user_id: int | None, name: str | None, *, room_id: int | None, by: int | None, active_only: bool = True
) -> Candidate:
    """
    A person by key or by name, as the one with key `by` (None: a guest without an account) has to do with them;
    where it is about a room, whether they own it, belong to it, left it or may not enter.

    Raises:
        BadName: nobody can be called so.
        OperationError: `no_such_person`; `not_allowed`, a guest without an account.
    """
    user = person_named(name) if name is not None else User.objects.filter(pk=user_id or 0).first()
    if user is None or (active_only and not user.is_active):
        raise OperationError("no such person", code="no_such_person")
    membership = Membership.objects.filter(user=user, room_id=room_id or 0).first()
    declined = Contact.objects.filter(asker_id=by, asked=user, state=Contact.State.DECLINED)
    bans = Sanction.objects.in_force().filter(user=user, kind=Sanction.Kind.BAN)
    belongs = membership is not None and not membership.left
    return Candidate(
        id=user.pk,
        has_declined=declined.exists(),
        is_owner=membership is not None and belongs and membership.role == Membership.Role.OWNER,
        exceeds=exceeds(user, User.objects.filter(pk=by or 0).first()),
        belongs=belongs,
        has_left=membership is not None and membership.left,
        is_banned=bans.filter(Q(room__isnull=True) | Q(room_id=room_id or 0)).exists(),
    )
