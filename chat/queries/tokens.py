"""What a program shows instead of a cookie: found, and what it may do."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.db.models import Q
from django.utils import timezone

from chat.models import Token
from chat.queries.identity import Identity, of_user
from chat.secrets import digest_of
from rpc import OperationError

READ, POST, PUSH, RPC = "read", "post", "push", "rpc"
SCOPES = (READ, POST, PUSH, RPC)
"""See rooms and messages; write in them; push to people; call operations beyond those."""

USED_AGAIN = timedelta(minutes=1)
"""The last use is written at most this often."""


class FoundToken(msgspec.Struct, frozen=True):
    """A token that counts now; `expires_at` in seconds of the epoch, None without an end."""

    id: int
    user_id: int
    scopes: frozenset[str]
    expires_at: float | None

    def require(self, scope: str) -> None:
        """
        Raises:
            OperationError: `not_allowed`.
        """
        if scope not in self.scopes:
            raise OperationError(f"this token may not {scope}", code="not_allowed")


def bearer_of(scope: Mapping[str, Any]) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750, section 2.1) in an ASGI scope."""
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            kind, _, secret = value.decode("latin-1").partition(" ")
            return secret.strip() if kind.lower() == "bearer" else None
    return None


def find_token(secret: str) -> tuple[FoundToken, Identity] | None:
    """The token with this secret and its person, if it was not revoked, has not expired and he is active."""
    now = timezone.now()
    in_force = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    counting = Token.objects.filter(in_force, revoked_at__isnull=True, user__is_active=True)
    token = counting.select_related("user").filter(digest=digest_of(secret)).first()
    if token is None:
        return None
    if token.last_used_at is None or token.last_used_at < now - USED_AGAIN:
        # Not through the writer: nobody hears of it, and it is one row that only this touches.
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    expires_at = token.expires_at.timestamp() if token.expires_at is not None else None
    return FoundToken(token.pk, token.user_id, frozenset(token.scopes), expires_at), of_user(token.user)
