"""A real server's log, while a stranger sends what would forge or flood it."""

import itertools
import json
import re
import socket

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.deadlines import DEADLINE
from tests.server import Server

pytestmark = pytest.mark.long

FORGED = "bye\n2026-11-21 12:00:00,000 INFO hubtalk.log_in: log-in of root from 192.0.2.1\x1b[2J"
RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ")
LONGEST = 700
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    environment = {"GOTALK_LISTEN": "tcp://127.0.0.1:0", "LOG_LEVEL": "DEBUG"}
    with Server(tmp_path_factory.mktemp("log") / "data", environment=environment) as server:
        yield server


@pytest.fixture(autouse=True)
def log(server):
    """What was said since the start; at the end of each test it must be records, each a short line."""
    began = len(server.output)

    def said():
        # The log is written in order: what stands before this one is all there is.
        sign = f"sign{next(NUMBERS)}.example"
        ask(server, "/", sign)
        server.says(sign)
        return [line for line in server.output[began:] if "sign" not in line]

    yield said
    lines = said()
    assert [line for line in lines if not RECORD.match(line)] == []
    assert [line for line in lines if not line.isprintable() or len(line) > LONGEST] == []
    assert not any("INFO hubtalk.log_in" in line[24:60] for line in lines)


def ask(server, path, host):
    """A request over HTTP by any name; returns the answer."""
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    return answer


def over_tcp(server, data):
    """Send a conversation, and read until the server ends it."""
    host, port = server.gotalk_url.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as peer:
        peer.sendall(b"01" + data)
        while peer.recv(65536):
            pass


def notification(name, payload):
    return b"n%03x%s%08x%s" % (len(name), name, len(payload), payload)


@pytest.mark.parametrize("text", [FORGED, FORGED + "x" * (2**20 - 1000)], ids=["forged", "a megabyte"])
def test_text_of_a_close(server, text):
    """`$close` may say anything."""
    over_tcp(server, notification(b"$close", json.dumps({"code": 1000, "text": text}).encode()))


def test_frames_that_make_no_sense(server):
    """Over TCP, and text where binary is expected."""
    over_tcp(server, b"\x1b[2J\nnonsense")
    with connect(f"{server.websocket_url}/push") as line, pytest.raises(ConnectionClosedError):
        line.send(FORGED)
        line.recv(DEADLINE)


def test_typing_that_makes_no_sense(server):
    """A room that is none, a payload that is none, a name that is none."""
    for payload in (json.dumps({"room": FORGED * 100}).encode(), FORGED.encode(), b"\xff\n"):
        over_tcp(
            server,
            notification(b"typing", payload)
            + notification(b"a\nb\x1b[2J", payload)
            + notification(b"$close", b'{"code":1000,"text":""}'),
        )


@pytest.mark.parametrize(
    "host", ["evil\x1b[31m.example", "evil.example", "x" * 3000, "evil.example, 127.0.0.1"], ids=ascii
)
@pytest.mark.parametrize("path", ["/", "/api/rooms/animals/messages", "/accounts/login/"])
def test_hostile_host(server, log, host, path):
    """One short line."""
    assert ask(server, path, host).startswith(b"HTTP/1.1 400")
    assert len([line for line in log() if "HTTP_HOST" in line]) == 1
