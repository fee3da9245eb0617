"""What a program shows instead of a cookie: found, and what it may do."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chat.models import Token
from chat.queries.identity import Identity, identity_of
from chat.secrets import digest_of
from rpc import OperationError

READ, POST, PUSH, RPC = "read", "post", "push", "rpc"
SCOPES = (READ, POST, PUSH, RPC)
"""See rooms and messages; write in them; push to people; call operations beyond those."""


class FoundToken(msgspec.Struct, frozen=True):
    """
    A token that counts now. Times in seconds of the epoch: `expires_at` is None without an end, `last_used_at`
    before the first use.
    """

    id: int
    user_id: int
    scopes: frozenset[str]
    expires_at: float | None
    last_used_at: float | None

    def require(self, scope: str) -> None:
        """
        Raises:
            OperationError: `not_allowed`.
        """
        if scope not in self.scopes:
            raise OperationError(f"this token lacks the scope {scope}", code="not_allowed")


def bearer_of(scope: Mapping[str, Any]) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750, section 2.1) in an ASGI scope."""
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            kind, _, secret = value.decode("latin-1").partition(" ")
            return secret.strip() if kind.lower() == "bearer" else None
    return None


def find_token(secret: str) -> tuple[FoundToken, Identity] | None:
    """The token with this secret and its person, if it is in force."""
    token = Token.objects.in_force().select_related("user").filter(digest=digest_of(secret)).first()
    if token is None:
        return None
    found = FoundToken(
        token.pk,
        token.user_id,
        frozenset(token.scopes),
        expires_at=_seconds(token.expires_at),
        last_used_at=_seconds(token.last_used_at),
    )
    return found, identity_of(token.user)


def tokens_in_force(token_ids: Collection[int]) -> set[int]:
    """Those of these tokens that count now."""
    return set(Token.objects.in_force().filter(pk__in=token_ids).values_list("pk", flat=True))


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment is not None else None
