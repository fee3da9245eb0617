"""Where a gotalk end is."""

import pytest

from rpc.addresses import DEFAULT_PORT, Address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://127.0.0.1:8001", Address("tcp", "127.0.0.1", 8001, "", "tcp://127.0.0.1:8001")),
        ("tls://[::1]", Address("tls", "::1", DEFAULT_PORT, "", "tls://[::1]")),
        ("unix:///run/a%20b.sock", Address("unix", "", 0, "/run/a b.sock", "unix:///run/a%20b.sock")),
        ("wss://x/gotalk/", Address("wss", "x", 0, "/gotalk/", "wss://x/gotalk/")),
        ("ws://x:80/", Address("ws", "x", 80, "/", "ws://x:80/")),
    ],
)
def test_address(url, address):
    """Scheme, host, port and path; IPv6 in brackets."""
    assert Address.parse(url) == address


def test_address_with_the_real_port():
    """As it is to be told to others."""
    assert Address.parse("tcp://[::1]:0").with_port(5) == "tcp://[::1]:5"
    assert Address.parse("tls://localhost:0").with_port(5) == "tls://localhost:5"


def test_websocket():
    """Where there are HTTP headers."""
    urls = ["tcp://x", "tls://x", "unix:///x", "ws://x", "wss://x"]
    assert [url for url in urls if Address.parse(url).is_websocket] == ["ws://x", "wss://x"]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("ws://chat.example.org/gotalk/", "http://chat.example.org"),
        ("ws://Chat.Example.org:80/", "http://chat.example.org"),
        ("ws://chat.example.org:443/", "http://chat.example.org:443"),
        ("wss://chat.example.org:443/", "https://chat.example.org"),
        ("wss://chat.example.org:8443/x?y=z", "https://chat.example.org:8443"),
        ("ws://[::1]:8000/", "http://[::1]:8000"),
        ("ws://bücher.example/", "http://xn--bcher-kva.example"),
    ],
)
def test_origin(url, origin):
    """Scheme, host and port of the server's pages; a port that the scheme implies is left out."""
    assert Address.parse(url).origin == origin


@pytest.mark.parametrize("url", ["", "x", "http://x", "tcp://", "tcp://x:port", "tcp://x/y", "unix://a/b", "ws://"])
def test_no_address(url):
    """It is said what one looks like."""
    with pytest.raises(ValueError, match="is not an address"):
        Address.parse(url)
