"""
What nobody needs any more is deleted: what is over, and what visitors left who never did anything.

Each kind is found by a read and removed by a small write, which looks again: what is needed by then stays.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chat.models import (
    UNDO_DAYS,
    Act,
    Connection,
    Contact,
    GuestAddress,
    Invitation,
    Membership,
    Message,
    Reaction,
    Report,
    Revision,
    Room,
    Sanction,
    SanctionedAddress,
    SiteSettings,
    Token,
    User,
)
from chat.queries.identity import session_model
from chat.services.entry.log_ins import old_attempts

AT_ONCE = 100
"""Rows of one kind in one transaction: no post waits long behind it."""
KEPT = timedelta(days=UNDO_DAYS)
"""For as long as acts can be taken back, all that they were about is there."""


def find(kind: str) -> list[Any]:
    """The keys of what can go, at most `AT_ONCE`."""
    return list(KINDS[kind]().values_list("pk", flat=True)[:AT_ONCE])


def remove(kind: str, keys: list[Any]) -> None:
    """Delete those of them that can still go."""
    with transaction.atomic():
        KINDS[kind]().filter(pk__in=keys).delete()


def _expired_sessions() -> QuerySet[Any]:
    model = session_model()
    found: QuerySet[Any] = model.objects.filter(expire_date__lt=timezone.now()) if model else User.objects.none()
    return found


def _unused_guests() -> QuerySet[Any]:
    """
    Accounts of guests of whom nothing is left that others see or the log needs: what has an author keeps them.
    """
    guests = User.objects.filter(is_guest=True, is_staff=False, date_joined__lt=timezone.now() - KEPT)
    for traces in _TRACES:
        guests = guests.filter(~Exists(traces))
    return guests


_IN_PASSING = Q(room__kind=Room.Kind.PUBLIC, role=Membership.Role.MEMBER)
"""Whoever looks into a public room is a member of it, and nobody misses them."""
_TRACES = (
    Message.objects.filter(author=OuterRef("pk")),
    *(each.objects.filter(user=OuterRef("pk")) for each in (Connection, Reaction, Token)),
    Act.objects.filter(Q(by=OuterRef("pk")) | Q(person=OuterRef("pk"))),
    Contact.objects.filter(Q(asker=OuterRef("pk")) | Q(asked=OuterRef("pk"))),
    Membership.objects.filter(user=OuterRef("pk")).exclude(_IN_PASSING),
    Report.objects.filter(Q(reporter=OuterRef("pk")) | Q(answered_by=OuterRef("pk"))),
    Revision.objects.filter(changed_by=OuterRef("pk")),
    Room.objects.filter(created_by=OuterRef("pk")),
    Sanction.objects.filter(Q(user=OuterRef("pk")) | Q(created_by=OuterRef("pk"))),
)


def _invitations_that_expired() -> QuerySet[Any]:
    return Invitation.objects.filter(used_by__isnull=True, expires_at__lt=timezone.now() - KEPT)


def _addresses_of_long_ago() -> QuerySet[Any]:
    lately = timedelta(hours=SiteSettings.current().guest_address_hours)
    return GuestAddress.objects.filter(seen_at__lt=timezone.now() - lately)


def _addresses_no_longer_held() -> QuerySet[Any]:
    return SanctionedAddress.objects.filter(until__lt=timezone.now() - KEPT)


KINDS: dict[str, Callable[[], QuerySet[Any]]] = {
    "sessions that expired": _expired_sessions,
    "guests who never said anything": _unused_guests,
    "invitations that expired": _invitations_that_expired,
    "log-ins that were tried": old_attempts,
    "addresses of guests": _addresses_of_long_ago,
    "addresses under a sanction": _addresses_no_longer_held,
}
