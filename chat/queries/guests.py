"""What a session remembers of a guest, and the key by which the hub knows one without an account."""

from hashlib import sha256

GUEST_NAME = "guest_name"
"""Session key: the name they were given or chose."""
GUEST_USER = "guest_user"
"""Session key: the key of their account, from their first post on."""


def guest_key(session_key: str) -> str:
    """A digest: the key is shown to others, the session's own key opens the session."""
    return "g" + sha256(session_key.encode()).hexdigest()[:24]


def session_digest(session_key: str) -> str:
    """What other processes are told of a session that ended."""
    return sha256(b"session:" + session_key.encode()).hexdigest()
