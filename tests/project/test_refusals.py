"""Answers in place of Django's: in the form of those around them."""

import json
from http import HTTPStatus

import pytest

from project.refusals import refusal


@pytest.mark.parametrize(
    ("root", "path"), [("", "/api/push"), ("", "/api"), ("/chat", "/chat/api/rooms/a/messages")]
)
def test_api_is_answered_in_json(settings, root, path):
    """As the API itself answers, also below a proxy's path."""
    settings.ROOT_PATH = root
    headers, body = refusal(path, HTTPStatus.SERVICE_UNAVAILABLE)
    assert json.loads(body) == {"error": "the server is busy", "code": "busy"}
    assert dict(headers)[b"content-type"] == b"application/json"
    assert dict(headers)[b"retry-after"] == b"1"


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/apiary", "/x/api/"])
def test_page_is_answered_in_a_line_of_text(path):
    """A browser shows it as it is."""
    headers, body = refusal(path, HTTPStatus.SERVICE_UNAVAILABLE)
    assert headers == [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1")]
    assert body == b"the server is busy\n"
