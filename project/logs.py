"""What the log has of requests that Django refuses."""

import logging

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
