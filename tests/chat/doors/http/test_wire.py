"""The HTTP API as it stands on the wire: bodies in chunks, lengths that lie, heads without a body."""

import json
import socket
from http.client import HTTPResponse

import pytest

from chat.doors.http.api import MAX_BODY_BYTES
from tests.deadlines import DEADLINE

ADDRESS = "/api/rooms/animals/messages"
POST = "Content-Type: application/json", "Transfer-Encoding: chunked"
MAKE_TOKEN = """
from chat.models import Token, User
from chat.services.tokens import make_token
user = User.objects.create_user("robot", name="Robot")
print(make_token(Token(user=user, name="robot", scopes=["read", "post"])))
"""


@pytest.fixture(scope="module")
def ask(site):
    """Sends a request's bytes as they are; returns the answer's status, headers and body."""
    token = site.manage("shell", "-v", "0", "-c", MAKE_TOKEN).splitlines()[-1]

    def ask(method, path, *headers, body=b"", half_close=False):
        head = f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}", *headers, "", ""
        with socket.create_connection(("127.0.0.1", site.port), timeout=DEADLINE) as connection:
            connection.sendall("\r\n".join(head).encode() + body)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(65536)
            with HTTPResponse(connection, method=method) as response:
                response.begin()
                return response.status, response.headers, response.read()

    return ask


@pytest.fixture
def bodies(ask):
    """Texts of the newest messages, the last one first."""
    return lambda: [each["body"] for each in reversed(json.loads(ask("GET", ADDRESS)[2])["messages"])]


def refusal(answer):
    status, headers, body = answer
    assert headers["Content-Type"] == "application/json"
    return status, json.loads(body)["code"]


def chunks(*parts):
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts, b""))


def test_head_is_that_of_get_without_the_body(ask):
    """Nothing stands behind the empty line, or the next answer could not be found."""
    got, headed = ask("GET", ADDRESS), ask("HEAD", ADDRESS)
    assert headed[0] == got[0] == 200
    assert headed[1]["Content-Length"] == got[1]["Content-Length"] == str(len(got[2]))
    assert headed[2] == b""


@pytest.mark.parametrize("condition", ["If-None-Match: *", 'If-None-Match: "x"', "If-Match: x", "Range: bytes=0-1"])
def test_conditions_are_ignored(ask, condition):
    """The API has no tags and keeps nothing: each answer is whole."""
    status, headers, body = ask("GET", ADDRESS, condition)
    assert (status, headers["ETag"], headers["Cache-Control"]) == (200, None, "no-store")
    assert json.loads(body)["messages"]


def test_body_in_chunks(ask, bodies):
    """Cut anywhere, with an extension of a chunk and a trailer (RFC 9112, section 7.1)."""
    whole = b"4;x=y\r\n" + b'{"bo\r\n' + b"10\r\n" + b'dy": "in chunks"\r\n' + b"1\r\n}\r\n0\r\nX: y\r\n\r\n"
    assert ask("POST", ADDRESS, *POST, body=whole)[0] == 201
    assert bodies()[0] == "in chunks"


@pytest.mark.parametrize("whole", [b"", b"{", b"[" * 10_000, b'"\\ud800"', b"\xff", b"NaN"])
def test_body_in_chunks_that_makes_no_sense(ask, whole):
    """As one with a length."""
    assert refusal(ask("POST", ADDRESS, *POST, body=chunks(*[whole] if whole else []))) == (400, "bad_params")


def test_body_in_chunks_is_bounded(ask, bodies):
    """By what comes, since no length is told."""
    longest = b'{"body": "longest"}'.ljust(MAX_BODY_BYTES)
    assert ask("POST", ADDRESS, *POST, body=chunks(longest[:10], longest[10:]))[0] == 201
    assert bodies()[0] == "longest"
    assert refusal(ask("POST", ADDRESS, *POST, body=chunks(longest, b" "))) == (413, "too_large")


def test_length_that_is_too_small(ask, bodies):
    """The body is what was announced; the rest is no message of the chat, nor the beginning of a request."""
    before = bodies()[0]
    lie = "Content-Type: application/json", "Content-Length: 12"
    assert refusal(ask("POST", ADDRESS, *lie, body=b'{"body":"cut"}')) == (400, "bad_params")
    assert bodies()[0] == before


def test_length_that_is_too_large(ask, bodies):
    """What was not sent whole is not posted."""
    before = bodies()[0]
    lie = "Content-Type: application/json", "Content-Length: 50"
    assert ask("POST", ADDRESS, *lie, body=b'{"body":"half"}', half_close=True) == b""
    assert bodies()[0] == before


@pytest.mark.parametrize(
    "lengths",
    [
        ("Content-Length: 2", "Content-Length: 2"),
        ("Content-Length: 2, 2",),
        ("Content-Length: +2",),
        ("Content-Length: -2",),
        ("Content-Length: 24", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 24"),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: gzip",),
    ],
    ids=", ".join,
)
def test_lengths_that_contradict_each_other(ask, bodies, lengths):
    """The web server ends the connection: a proxy in front might have read another body (RFC 9112, section 6.3)."""
    before = bodies()[0]
    body = chunks(b'{"body": "smuggled"}')
    status, _, _ = ask("POST", ADDRESS, "Content-Type: application/json", *lengths, body=body)
    assert status == 400
    assert bodies()[0] == before


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain"],
)
@pytest.mark.parametrize("body", [b"body=hi", b"--x\r\n", b"\xff" * 1000], ids=["form", "part", "bytes"])
def test_body_of_another_kind(ask, kind, body):
    """It is said what is wanted, whether or not it can be read as what it says it is."""
    answer = ask("POST", ADDRESS, f"Content-Type: {kind}", f"Content-Length: {len(body)}", body=body)
    assert refusal(answer) == (415, "bad_type")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "TRACE", "PROPFIND"])
def test_other_method(ask, method):
    """What is allowed is listed, HEAD too."""
    answer = ask(method, ADDRESS)
    assert refusal(answer) == (405, "bad_method")
    assert answer[1]["Allow"] == "POST, GET, HEAD"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/x/", ADDRESS + "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_address_that_is_none(ask, method, path):
    """No redirect, with or without a slash at the end: a program that followed it would lose its body."""
    assert refusal(ask(method, path, "Content-Length: 0")) == (404, "no_such_address")


def test_root_path_of_a_client(ask):
    """It is not the client's to choose, whatever its bytes."""
    for path in ("/x", "/\xff", "/%ff%00"):
        assert ask("GET", ADDRESS, f"Daphne-Root-Path: {path}")[0] == 200
