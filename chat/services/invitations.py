"""Invitations to sign up: made by the admin, used once."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.models import Invitation, User
from chat.secrets import digest_of, new_secret


def invite(invitation: Invitation) -> str:
    """Store a new invitation; returns its code, which is not kept."""
    code = new_secret()
    invitation.digest = digest_of(code)
    invitation.save()
    return code


def is_open(code: str) -> bool:
    return _open(code).exists()


def redeem(code: str, user: User) -> bool:
    """Use an invitation up for a new account; of two who do so at once, one gets True."""
    return _open(code).update(used_by=user) == 1


def _open(code: str) -> QuerySet[Invitation]:
    in_time = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Invitation.objects.filter(in_time, digest=digest_of(code), used_by__isnull=True)
