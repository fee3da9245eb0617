"""Whose an address is."""

import pytest

from rpc.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%2", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("a host", "a host"),
    ],
)
def test_whose_an_address_is(address, network):
    """Over IPv6 a customer has a network of 64 bits, and all of its addresses are theirs."""
    assert network_of(address) == network
