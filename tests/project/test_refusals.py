"""Answers in place of Django's: in the form of those around them."""

import json
from http import HTTPStatus

import pytest

from project.refusals import busy, refusal
from tests.project.asgi import run


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
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
