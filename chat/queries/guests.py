"""How guests are told: by what a session remembers, by a key where they have no account, and by their address."""

from datetime import datetime
from hashlib import sha256

from django.conf import settings

from chat.models import Connection, GuestAddress
from rpc.networks import network_of, read_address

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


def client_network(address: str) -> str | None:
    """
    As `network_of`; None if nobody can be told by it: this machine, which any proxy may be, or a trusted proxy
    that names no client.
    """
    found = read_address(address)
    if found is None or found.is_loopback or any(found in proxy for proxy in settings.TRUSTED_PROXIES):
        return None
    return network_of(address)


def networks_of_guest(user_id: int, since: datetime) -> list[str]:
    """Where a guest with this account is now, or was since then, the last first; nothing of other people."""
    known = GuestAddress.objects.filter(user_id=user_id, user__is_guest=True)
    here = Connection.objects.filter(user_id=user_id, user__is_guest=True).values_list("address", flat=True)
    now = [network for network in map(client_network, here) if network is not None]
    lately = known.filter(seen_at__gt=since).order_by("-seen_at").values_list("network", flat=True)
    return [*dict.fromkeys([*now, *lately])]
