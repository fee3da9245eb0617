"""A client may name subprotocols: it gets the first that the door knows, or none (RFC 6455, section 4.2.2)."""

import re

import pytest

from tests.documents import read
from tests.raw_websocket import answer_to, handshake

DOORS = {"/gotalk/": "gotalk", "/ws": "hubtalk.text", "/push": "hubtalk.push", "/echo": "hubtalk.echo"}
ALL = "mqtt, hubtalk.echo, hubtalk.push, hubtalk.text, gotalk, hubtalk"


def chosen(lines):
    return [line for line in lines if line.lower().startswith(b"sec-websocket-protocol")]


@pytest.mark.parametrize("path", DOORS)
def test_first_that_the_door_knows(site, path):
    """It alone, wherever it stands in the list."""
    for named in (DOORS[path], ALL):
        status, lines = answer_to(site.port, handshake(path, f"Sec-WebSocket-Protocol: {named}"))
        assert status == b"HTTP/1.1 101 Switching Protocols"
        assert chosen(lines) == [f"Sec-WebSocket-Protocol: {DOORS[path]}".encode()]


@pytest.mark.parametrize("path", [*DOORS, "/no-such-door"])
@pytest.mark.parametrize("named", ["mqtt", "GOTALK, Hubtalk.Echo", "hubtalk.%65cho, go%74alk", ""])
def test_none_that_the_door_knows(site, path, named):
    """It is open all the same, and no header says what the client did not name letter by letter."""
    status, lines = answer_to(site.port, handshake(path, f"Sec-WebSocket-Protocol: {named}"))
    assert status == b"HTTP/1.1 101 Switching Protocols"
    assert chosen(lines) == []


def test_named_in_two_headers(site):
    """The second goes on where the first ends."""
    headers = ("Sec-WebSocket-Protocol: mqtt", "Sec-WebSocket-Protocol: hubtalk.echo")
    _, lines = answer_to(site.port, handshake("/echo", *headers))
    assert chosen(lines) == [b"Sec-WebSocket-Protocol: hubtalk.echo"]


def test_what_can_be_no_name(site):
    """The client's mistake, and no trace of it in the log."""
    status, _ = answer_to(site.port, handshake("/echo", "Sec-WebSocket-Protocol: café"))
    assert status.startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in "\n".join(site.output)


def test_document():
    """docs/doors.md has the name of each."""
    rows = re.findall(r"^\| `(/\S*)` \| `([\w.]+)` \|", read("docs/doors.md"), re.MULTILINE)
    assert dict(rows) == DOORS
