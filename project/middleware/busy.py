"""What people are told when a page cannot be made at this moment, or is asked for too often."""

import math
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language_from_request, override

from rpc import RetryLater


class AnswerBusy(MiddlewareMixin):
    """Answers a page that raised `RetryLater` with 503 or 429, and when it may be asked for again."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return busy_page(request, exception) if isinstance(exception, RetryLater) else None


def busy_page(request: HttpRequest, error: RetryLater) -> HttpResponse:
    """The page for a refusal that passes: 503 if the server is busy, 429 if somebody asked too often."""
    busy = error.code == "busy"
    status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.TOO_MANY_REQUESTS
    with override(get_language_from_request(request)):
        response = render(request, f"{status:d}.html", status=status)
    response["Retry-After"] = str(math.ceil(error.retry_after_ms / 1000))
    return response
