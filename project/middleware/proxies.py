"""The client's own address behind proxies: the setting `TRUSTED_PROXIES` lists those that are trusted."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class RealClient:
    """
    Puts the client's own address into the scope of HTTP requests and WebSockets alike.

    Each proxy adds the address it was called from at the end of X-Forwarded-For. So the list is read from its
    end, for as long as a trusted proxy wrote it; anyone can have sent what stands before that.
    """

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        client = scope.get("client")
        if client is not None and settings.TRUSTED_PROXIES:
            given = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            address = real_address(client[0], b",".join(given).decode("latin-1"), settings.TRUSTED_PROXIES)
            if address != client[0]:
                # The port of the proxy's connection says nothing about the client.
                scope["client"] = [address, 0]
        await self._application(scope, receive, send)


def is_trusted(address: str) -> bool:
    """Whether an address is that of a trusted proxy."""
    found = _read(address)
    return found is not None and any(found in network for network in settings.TRUSTED_PROXIES)


def real_address(peer: str, forwarded_for: str, trusted: Iterable[Network]) -> str:
    """
    The address of the client that called the outermost trusted proxy.

    Args:
        peer: the address that the connection comes from.
        forwarded_for: the whole X-Forwarded-For; it may be empty, and hold anything.
        trusted: the proxies.
    """
    networks = tuple(trusted)
    found = peer
    for named in reversed(forwarded_for.split(",")):
        address = _read(found)
        if address is None or not any(address in network for network in networks):
            break
        address = _read(named)
        if address is None:
            break
        found = str(address)
    return found


def _read(text: str) -> Address | None:
    try:
        address = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    # A socket for both kinds shows IPv4 in this form.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _without_port(text: str) -> str:
    """Some proxies write the client's port too: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
