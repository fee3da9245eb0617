"""
Which requests are refused before Django sees them, and what their clients are told: JSON in the API, a line of text
elsewhere.
"""

from http import HTTPStatus

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings

from chat.doors.http.answers import Problem, is_api
from chat.doors.http.answers import refusal as api_refusal

REFUSALS = {
    HTTPStatus.BAD_REQUEST: ("not a valid HTTP request", "bad_request"),
    HTTPStatus.REQUEST_TIMEOUT: ("the request did not arrive in time", "too_slow"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("a request has at most {limit} bytes", "too_large"),
    HTTPStatus.TOO_MANY_REQUESTS: ("too many connections of your address", "too_fast"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("the address or the headers are too long", "too_large"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("the server is busy", "busy"),
}
"""Text, and the code in the API."""
RETRY_SECONDS = b"1"


def max_body_bytes(path: str) -> int:
    """How long the body of a request for this path may be: the longest beginning in `BODY_LIMITS` decides."""
    own = _own(path)
    beginnings = [beginning for beginning in settings.BODY_LIMITS if own.startswith(beginning)]
    return settings.BODY_LIMITS[max(beginnings, key=len)] if beginnings else 0


async def busy(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """An application that tells every client to come back."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers, body = refusal(scope["path"], status)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def refusal(path: str, status: HTTPStatus) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an answer with a status of `REFUSALS` to a request for this path."""
    text, code = REFUSALS[status]
    text = text.format(limit=max_body_bytes(path))
    if is_api(_own(path)):
        response = api_refusal(Problem(status, text, code))
        return [(name.lower().encode(), value.encode()) for name, value in response.items()], response.content
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        headers.append((b"retry-after", RETRY_SECONDS))
    return headers, f"{text}\n".encode()


def _own(path: str) -> str:
    """The path below that under which a proxy serves the site."""
    return path.removeprefix(settings.ROOT_PATH)
