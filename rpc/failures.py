"""What a peer may learn of a failure of ours: an id, by which the log has the rest."""

import logging
import secrets

from rpc.errors import OperationError

logger = logging.getLogger(__name__)


def log_failure(what: str, error: BaseException) -> str:
    """Log an exception that nobody expected; returns the id by which it is found."""
    log_id = secrets.token_hex(4)
    logger.error("%s failed (%s)", what, log_id, exc_info=error)
    return log_id


def internal_error(what: str, error: BaseException) -> OperationError:
    """Log an exception that nobody expected; returns what the peer is told instead, with the code `internal`."""
    return OperationError(f"internal error ({log_failure(what, error)})", "internal")
