"""What people are told when a page cannot be made at this moment, or is asked for too often."""

import logging
import math
import sqlite3
from http import HTTPStatus

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import get_language_from_request, override

from rpc import RetryLater

logger = logging.getLogger(__name__)

DATABASE_RETRY_MS = 1000
LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")


class AnswerBusy(MiddlewareMixin):
    """
    Answers a page that raised `RetryLater` with 503 or 429, and when it may be asked for again; what the database
    does not take at this moment, with 503.
    """

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = _passing(exception)
        return None if error is None else busy_page(request, error)


class Sessions(SessionMiddleware):
    """Django's, whose own write may meet a database that is busy, after the page was made."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        try:
            return super().process_response(request, response)
        except (OperationalError, InterfaceError, SessionInterrupted) as exception:
            # What Django says of each session that could not be written, also if it is still there.
            failed = _database_error_of(exception) if isinstance(exception, SessionInterrupted) else exception
            error = None if failed is None else _passing(failed)
            if error is None:
                raise
            return busy_page(request, error)


def _passing(exception: Exception) -> RetryLater | None:
    """What to tell people of this, if it passes: SQLite calls what is wrong with a query by the same name."""
    if isinstance(exception, OperationalError | InterfaceError):
        cause = exception.__cause__
        if isinstance(cause, sqlite3.Error) and not cause.sqlite_errorname.startswith(LOCKED):
            return None
        logger.warning("the database did not take a page: %s", exception)
        return RetryLater(DATABASE_RETRY_MS, "the server is busy", code="busy")
    return exception if isinstance(exception, RetryLater) else None


def _database_error_of(exception: BaseException) -> OperationalError | None:
    context = exception.__context__
    while context is not None and not isinstance(context, OperationalError):
        context = context.__context__
    return context


def busy_page(request: HttpRequest, error: RetryLater) -> HttpResponse:
    """The page for a refusal that passes: 503 if the server is busy, 429 if somebody asked too often."""
    busy = error.code == "busy"
    status = HTTPStatus.SERVICE_UNAVAILABLE if busy else HTTPStatus.TOO_MANY_REQUESTS
    with override(get_language_from_request(request)):
        response = render(request, f"{status:d}.html", status=status)
    response["Retry-After"] = str(math.ceil(error.retry_after_ms / 1000))
    return response
