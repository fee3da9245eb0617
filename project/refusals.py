"""What is told to a client whose request Django does not get to see: JSON in the API, a line of text elsewhere."""

from http import HTTPStatus

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings

from chat.doors.http.answers import Problem, is_api
from chat.doors.http.answers import refusal as api_refusal

REFUSALS = {
    HTTPStatus.SERVICE_UNAVAILABLE: ("the server is busy", "busy"),
}
"""Text, and the code in the API."""
RETRY_SECONDS = b"1"


async def busy(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """An application that tells every client to come back."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers, body = refusal(scope["path"], status)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def refusal(path: str, status: HTTPStatus) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an answer with a status of `REFUSALS` to a request for this path."""
    text, code = REFUSALS[status]
    if is_api(path.removeprefix(settings.ROOT_PATH)):
        response = api_refusal(Problem(status, text, code))
        return [(name.lower().encode(), value.encode()) for name, value in response.items()], response.content
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", RETRY_SECONDS))
    return headers, f"{text}\n".encode()
