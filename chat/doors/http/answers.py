"""Answers of the HTTP API: JSON, and what stands for each refusal."""

import math
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponse

from rpc import CloseCode, OperationError, Refused, RetryLater
from rpc.failures import internal_error

STATUS_OF_CODE = {
    "no_such_room": HTTPStatus.NOT_FOUND,
    "no_such_person": HTTPStatus.NOT_FOUND,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "not_allowed": HTTPStatus.FORBIDDEN,
    "archived": HTTPStatus.FORBIDDEN,
    "read_only": HTTPStatus.FORBIDDEN,
    "muted": HTTPStatus.FORBIDDEN,
}
"""Of refusals by the chat; the others are faults of what was sent."""
STATUS_OF_CLOSE: dict[int, tuple[HTTPStatus, str]] = {
    CloseCode.LOG_IN: (HTTPStatus.UNAUTHORIZED, "log_in"),
    CloseCode.NOT_ALLOWED: (HTTPStatus.FORBIDDEN, "not_allowed"),
    CloseCode.RESTARTING: (HTTPStatus.SERVICE_UNAVAILABLE, "restarting"),
}


class Problem(Exception):
    """The request is refused; `headers` go with the answer."""

    def __init__(
        self, status: HTTPStatus, text: str, code: str, *, field: str | None = None, **headers: str
    ) -> None:
        super().__init__(status, text, code)
        self.status, self.text, self.code, self.field = status, text, code, field
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.retry_after_ms: int | None = None


def problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case Refused(close_code=close_code):
            status, code = STATUS_OF_CLOSE[close_code]
            headers = {"WWW_Authenticate": 'Bearer error="invalid_token"'} if code == "log_in" else {}
            return Problem(status, error.text, code, **headers)
        case RetryLater():
            busy = error.code == "busy"
            status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.TOO_MANY_REQUESTS
            problem = Problem(status, error.text, error.code)
            problem.retry_after_ms = error.retry_after_ms
            return problem
        case OperationError():
            status = STATUS_OF_CODE.get(error.code, HTTPStatus.BAD_REQUEST)
            return Problem(status, error.text, error.code, field=error.field)
        case SuspiciousOperation():
            return Problem(HTTPStatus.BAD_REQUEST, "the request makes no sense", "bad_request")
        case TimeoutError():
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is busy", "busy")
        case _:
            told = internal_error("a request of the HTTP API", error)
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, told.text, told.code)


def is_api(path: str) -> bool:
    """Whether programs ask here, so that all they are told is JSON; the path is without the site's root path."""
    return path == "/api" or path.startswith("/api/")


def answer(status: HTTPStatus, value: Any) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def refusal(problem: Problem) -> HttpResponse:
    told = {
        "error": problem.text,
        "code": problem.code,
        "field": problem.field,
        "retry_after_ms": problem.retry_after_ms,
    }
    response = answer(problem.status, {name: value for name, value in told.items() if value is not None})
    for name, value in problem.headers.items():
        response[name] = value
    if problem.retry_after_ms is not None:
        response["Retry-After"] = str(math.ceil(problem.retry_after_ms / 1000))
    elif problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response
