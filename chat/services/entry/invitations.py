"""Invitations to sign up: made by the admin, used once."""

from django.db import transaction

from chat.models import Act, Invitation, User
from chat.secrets import digest_of, new_secret
from chat.services.acts.record import Change, made, record, table_of


def invite(invitation: Invitation) -> str:
    """Store a new invitation; returns its code, which is not kept."""
    code = new_secret()
    invitation.digest = digest_of(code)
    with transaction.atomic():
        invitation.save()
        record(Act.Kind.INVITE, made(invitation, "note", "expires_at"))
    return code


def withdraw(invitation: Invitation) -> None:
    """Delete an invitation: its link is of no use any more."""
    with transaction.atomic():
        gone = Change(table_of(invitation), invitation.pk, {"note": invitation.note}, None)
        record(Act.Kind.WITHDRAW, gone)
        invitation.delete()


def is_open(code: str) -> bool:
    return Invitation.objects.open().filter(digest=digest_of(code)).exists()


def redeem(code: str, user: User) -> bool:
    """Use an invitation up for a new account; of two who do so at once, one gets True."""
    return Invitation.objects.open().filter(digest=digest_of(code)).update(used_by=user) == 1
