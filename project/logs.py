"""What the log has of requests that Django refuses."""

import logging
import time
from dataclasses import dataclass

from rpc.limits import TokenBucket

REFUSALS = "django.security"
"""Django's logger of requests for a host that is not ours, with too many fields, and the like."""
KEPT = ("hubtalk.log_in",)
"""Loggers of which each line counts."""
AT_ONCE = 60
"""As many as there may be in a minute."""


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
    Leaves out lines of a cause of which there are many, so that nobody fills the log: of each place in the code
    `AT_ONCE` are told, then one a second, with the number of those between. Tracebacks and log-ins stay.
    """

    def __init__(self) -> None:
        super().__init__()
        self._causes: dict[object, _Cause] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info or record.name in KEPT:
            return True
        # What has no arguments was put together elsewhere, of what a client said.
        key = (record.name, record.levelno, record.msg if record.args else "")
        now = time.monotonic()
        cause = self._causes.setdefault(key, _Cause(TokenBucket(1, AT_ONCE, now)))
        cause.bucket.refill(now)
        if cause.bucket.tokens < 1:
            cause.left_out += 1
            return False
        cause.bucket.tokens -= 1
        if cause.left_out:
            record.msg, record.args = f"{record.getMessage()} (and {cause.left_out} more like this)", None
            cause.left_out = 0
        return True


@dataclass
class _Cause:
    bucket: TokenBucket
    left_out: int = 0
