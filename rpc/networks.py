"""Whose an address is."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

NETWORK_BITS = 64
"""Of an IPv6 address: what a provider gives to one customer (RFC 6177)."""


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as it stands in a scope; None for what is none, such as that of a unix socket."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # A socket for both kinds shows IPv4 in this form.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def network_of(address: str) -> str:
    """One host over IPv4, over IPv6 the customer's network; what is no address, as of a unix socket, as it is."""
    found = read_address(address)
    if found is None:
        return address
    if isinstance(found, IPv6Address):
        return str(ip_network((found, NETWORK_BITS), strict=False))
    return str(found)
