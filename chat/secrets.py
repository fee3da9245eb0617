"""Secrets that are shown once and kept as a digest: tokens, invitations, recovery codes, the set-up link."""

import secrets
from hashlib import sha256

TYPED = "abcdefghijklmnopqrstuvwxyz234567"
"""The alphabet of base32 (RFC 4648, section 6)."""


def new_secret() -> str:
    """256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


def new_typed_secret() -> str:
    """80 random bits, in groups of four letters and digits that are not mistaken for each other."""
    letters = "".join(secrets.choice(TYPED) for _ in range(16))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def digest_of(secret: str) -> str:
    """SHA-256 in hex; enough for a secret of 80 random bits or more, which no dictionary holds."""
    return sha256(secret.encode()).hexdigest()
