"""Invitations to sign up: made by the admin, used once."""

from chat.models import Invitation, User
from chat.secrets import digest_of, new_secret


def invite(invitation: Invitation) -> str:
    """Store a new invitation; returns its code, which is not kept."""
    code = new_secret()
    invitation.digest = digest_of(code)
    invitation.save()
    return code


def is_open(code: str) -> bool:
    return Invitation.objects.open().filter(digest=digest_of(code)).exists()


def redeem(code: str, user: User) -> bool:
    """Use an invitation up for a new account; of two who do so at once, one gets True."""
    return Invitation.objects.open().filter(digest=digest_of(code)).update(used_by=user) == 1
