"""Tokens for programs: made, used, revoked."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from chat.models import Act, Token
from chat.secrets import digest_of, new_secret
from chat.services.acts.record import change_of, is_own, record
from chat.services.announcing import announce_after_commit
from chat.services.events import TokenRevoked


def make_token(token: Token) -> str:
    """Store a new token; returns the secret, which is not kept and cannot be shown again."""
    secret = new_secret()
    token.digest = digest_of(secret)
    token.hint = secret[-4:]
    token.save()
    return secret


def note_use(token_ids: Collection[int]) -> None:
    """These tokens were used just now. Nobody needs to hear of it."""
    Token.objects.filter(pk__in=token_ids).update(last_used_at=timezone.now())


def revoke_all(user_id: int) -> None:
    """No token of a person counts any longer."""
    for token in Token.objects.filter(user_id=user_id, revoked_at__isnull=True):
        revoke(token)


def revoke(token: Token) -> None:
    """No longer accept a token, and close its sockets; revoking it twice is as once."""
    with transaction.atomic():
        before = {"revoked_at": token.revoked_at}
        token.revoked_at = timezone.now()
        standing = Token.objects.filter(pk=token.pk, revoked_at__isnull=True)
        if standing.update(revoked_at=token.revoked_at) and not is_own(token.user_id):
            record(Act.Kind.REVOKE, change_of(token, before), person_id=token.user_id)
        announce_after_commit(TokenRevoked(token.pk))
