"""Answers in place of Django's: in the form of those around them."""

import json
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from chat.doors.http.api import MAX_BODY_BYTES
from chat.services.push import MAX_PAYLOAD_BYTES
from project.refusals import busy, max_body_bytes, refusal
from tests.deadlines import DEADLINE
from tests.project.asgi import run


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (HTTPStatus.BAD_REQUEST, "bad_request", "not a valid HTTP request"),
        (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "too_large", "the address or the headers are too long"),
        (HTTPStatus.REQUEST_TIMEOUT, "too_slow", "the request did not arrive in time"),
        (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "a request has at most 65536 bytes"),
        (HTTPStatus.SERVICE_UNAVAILABLE, "busy", "the server is busy"),
    ],
)
def test_answer_has_the_form_of_those_around_it(settings, status, code, text):
    """JSON in the API, also below a proxy's path; a line that a browser shows elsewhere."""
    for settings.ROOT_PATH in ("", "/chat"):
        for path in ("/api", "/api/push"):
            headers, body = refusal(settings.ROOT_PATH + path, status)
            assert json.loads(body) == {"error": text, "code": code}
            assert dict(headers)[b"content-type"] == b"application/json"
        for path in ("/", "/accounts/login/", "/apiary", "/x/api/"):
            headers, body = refusal(settings.ROOT_PATH + path, status)
            assert dict(headers)[b"content-type"] == b"text/plain; charset=utf-8"
            assert body == f"{text}\n".encode()


@pytest.mark.parametrize("path", ["/", "/api/push"])
def test_busy_server_says_when_to_come_back(path):
    """In a header, whatever the form."""
    start, body = run(busy, type="http", path=path)
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"1")
    assert b"the server is busy" in body["body"]


# --- how long a request may be -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/api/push", MAX_BODY_BYTES),
        ("/api/rooms/animals/messages", MAX_BODY_BYTES),
        ("/accounts/login/", 64 * 1024),
        ("/admin/chat/room/", 256 * 1024),
        ("/static/chat/page.js", 0),
        ("/healthz", 0),
        ("/metrics", 0),
        ("/gotalk/", 0),
        ("/of/another/app/", 64 * 1024),
    ],
)
def test_path_decides_how_long_a_body_may_be(settings, path, most):
    """Also below a proxy's path."""
    assert max_body_bytes(path) == most
    settings.ROOT_PATH = "/chat"
    assert max_body_bytes("/chat" + path) == most


def test_app_takes_longer_bodies(settings):
    """By a beginning of its own in the settings."""
    settings.BODY_LIMITS = {**settings.BODY_LIMITS, "/of/another/": 10**7}
    assert max_body_bytes("/of/another/app/") == 10**7
    assert max_body_bytes("/of/one/app/") == 64 * 1024


def test_push_of_the_longest_payload_fits_into_its_form():
    """A page of the admin: whatever the payload is, three bytes of the form stand for a byte of it."""
    assert max_body_bytes("/admin/chat/user/") > 3 * MAX_PAYLOAD_BYTES


def asked(server, path, size, **headers):
    """The status of a POST of this size, its headers and what it says."""
    request = Request(server.url + path, data=bytes(size), headers=headers)
    with pytest.raises(HTTPError) as raised:
        urlopen(request, timeout=DEADLINE)
    with raised.value as answer:
        return answer.status, answer.headers, answer.read().decode()


def test_server_refuses_what_is_too_long(server):
    """Each path in its own form; what is not too long reaches Django, which wants a CSRF token here."""
    status, headers, body = asked(server, "/api/push", MAX_BODY_BYTES + 1)
    assert (status, headers["Connection"], headers["Content-Type"]) == (413, "close", "application/json")
    assert json.loads(body) == {"error": f"a request has at most {MAX_BODY_BYTES} bytes", "code": "too_large"}
    assert asked(server, "/api/push", MAX_BODY_BYTES)[0] == 401
    status, headers, body = asked(server, "/healthz", 1)
    assert (status, headers["Connection"], body) == (413, "close", "a request has at most 0 bytes\n")
    assert asked(server, "/accounts/login/", 64 * 1024)[0] == 403
    assert asked(server, "/accounts/login/", 64 * 1024 + 1)[0] == 413
    assert asked(server, "/admin/login/", 256 * 1024)[0] == 403
