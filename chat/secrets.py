"""Secrets that are shown once and kept as a digest: tokens, invitations, the set-up link."""

import secrets
from hashlib import sha256


def new_secret() -> str:
    """256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """SHA-256 in hex; enough for a secret of 256 random bits, which no dictionary holds."""
    return sha256(secret.encode()).hexdigest()
