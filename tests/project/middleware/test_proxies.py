"""Whose word counts on who calls."""

import asyncio
from ipaddress import ip_network

import pytest

from project.middleware.proxies import RealClient, real_address

TRUSTED = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "real"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        # Two proxies of ours in a row.
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        # What the client itself sent stands before what the proxy added.
        ("127.0.0.1", "198.51.100.9, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "10.0.0.1, 203.0.113.7", "203.0.113.7"),
        # A call from within.
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "203.0.113.7", "203.0.113.7"),
        ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("127.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
    ],
)
def test_trusted_proxy_says_who_calls(peer, forwarded_for, real):
    """From the end of the list, over each proxy that is trusted, and no further."""
    assert real_address(peer, forwarded_for, TRUSTED) == real


@pytest.mark.parametrize(
    "forwarded_for", ["127.0.0.1", "203.0.113.7", "203.0.113.7, 127.0.0.1", "unknown", "", "<script>"]
)
def test_others_may_say_what_they_like(forwarded_for):
    """A header from elsewhere changes nothing."""
    assert real_address("192.0.2.1", forwarded_for, TRUSTED) == "192.0.2.1"


@pytest.mark.parametrize(
    "forwarded_for", ["unknown", "203.0.113.7, x", "203.0.113.7,", ",", "1.2.3.4.5", "[", "\xff"]
)
def test_word_that_is_no_address(forwarded_for):
    """Then the last address that is known is the best there is."""
    assert real_address("127.0.0.1", forwarded_for, TRUSTED) == "127.0.0.1"


def scope_seen(peer, *forwarded_for, kind="http"):
    seen = []

    async def application(scope, receive, send):
        seen.append(scope)

    headers = [(b"x-forwarded-for", value) for value in forwarded_for]
    asyncio.run(RealClient(application)({"type": kind, "client": peer, "headers": headers}, None, None))
    return seen[0]["client"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_scope_names_the_real_client(settings, kind):
    """Of requests and WebSockets alike; several headers are one list."""
    settings.TRUSTED_PROXIES = TRUSTED
    assert scope_seen(["127.0.0.1", 5000], b"198.51.100.9", b"203.0.113.7", kind=kind) == ["203.0.113.7", 0]
    assert scope_seen(["192.0.2.1", 5000], b"203.0.113.7", kind=kind) == ["192.0.2.1", 5000]


def test_nobody_is_trusted_unasked(settings):
    """The default: not even who calls from the same machine."""
    assert settings.TRUSTED_PROXIES == []
    assert scope_seen(["127.0.0.1", 5000], b"203.0.113.7") == ["127.0.0.1", 5000]


def test_client_without_an_address(settings):
    """Such as over a unix socket."""
    settings.TRUSTED_PROXIES = TRUSTED
    assert scope_seen(None, b"203.0.113.7") is None
