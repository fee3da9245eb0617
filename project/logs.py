"""What the log has of requests that Django refuses."""

import logging
import math
import time

REFUSALS = "django.security"
"""Django's logger of requests for a host that is not ours, with too many fields, and the like."""


class ClientFaults(logging.Filter):
    """
    Makes lines of information of what clients do wrong: Django logs each as an error, with the traceback of how it
    found out, so that anybody could fill the log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(REFUSALS):
            return True
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info = record.exc_text = None
        return logging.getLogger().isEnabledFor(logging.INFO)


class Seldom(logging.Filter):
    """
    Leaves out a line about the status that a request was answered with, if the last one is less than a second ago:
    while the site is busy, everybody who asks would fill the log. A traceback stays.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[object, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", None)
        if record.name != "django.request" or record.exc_info or status is None:
            return True
        now = time.monotonic()
        is_first = now - self._last.get(status, -math.inf) >= 1
        if is_first:
            self._last[status] = now
        return is_first
