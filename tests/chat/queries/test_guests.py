"""Whose an address is."""

from ipaddress import ip_network

import pytest

from chat.queries.guests import client_network


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("198.51.100.7", None),
        ("", None),
    ],
)
def test_nobody_is_told_by_the_address_of_a_proxy(settings, address, network):
    """Everybody would be: one who comes from this machine, or from a trusted proxy that names no client."""
    settings.TRUSTED_PROXIES = [ip_network("198.51.100.0/24"), ip_network("2001:db8:9::/48")]
    assert client_network(address) == network
