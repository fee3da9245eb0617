"""What people are told when a page cannot be made at this moment."""

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from rpc import RetryLater


class AnswerBusy(MiddlewareMixin):
    """Answers a page that raised `RetryLater` with 503 and the time after which it may be asked for again."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RetryLater):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = str(math.ceil(exception.retry_after_ms / 1000))
        return response
