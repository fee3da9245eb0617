"""
How many connections this process takes, and of whom: what the settings say, below what the system lets it open.
"""

import logging
import resource
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings

from rpc.admission import Admission, Caps

logger = logging.getLogger(__name__)

SPARE_FILES = 200
"""Of those that a process may open: for databases, Redis, files, and connections that are being turned away."""
KEPT = 20
"""One of so many connections is kept for staff and this machine."""
SHARE = 2
"""One address may have one of so many connections at most."""
PACE_SECONDS = 10
"""In which an address may come back with all of its connections."""


def open_files() -> int:
    """How many files this process may have open, once that is as many as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says that there is no limit, and refuses to take that for one.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return soft


def caps(files: int) -> Caps:
    """
    Args:
        files: how many the process may have open.
    """
    connections = max(KEPT, min(settings.MAX_CONNECTIONS, files - SPARE_FILES))
    of_address = min(settings.MAX_CONNECTIONS_PER_ADDRESS, max(1, connections // SHARE))
    if not settings.RATE_LIMITS:
        # Benchmarks have one address.
        return Caps(
            connections=connections, connections_kept=0, connections_per_address=None, arrivals_per_second=None
        )
    return Caps(
        connections=connections,
        connections_kept=connections // KEPT,
        connections_per_address=of_address,
        arrivals_per_second=max(1, of_address // PACE_SECONDS),
        arrivals_burst=of_address,
    )


_admission = Admission()


def open_process(is_proxy: Callable[[str], bool]) -> Admission:
    """
    Raise the limit of open files, and count this process's connections from now on. At its start, once.

    Args:
        is_proxy: whether an address is that of a trusted proxy.
    """
    global _admission
    files = open_files()
    _admission = Admission(caps(files), is_proxy=is_proxy)
    if _admission.caps.connections < settings.MAX_CONNECTIONS:
        logger.warning(
            "%d connections at most, not the %d of MAX_CONNECTIONS: this process may open %d files (ulimit -n)",
            _admission.caps.connections,
            settings.MAX_CONNECTIONS,
            files,
        )
    return _admission


def welcome(address: str) -> None:
    """Staff come from there: let them in when others are turned away."""
    _admission.welcome(address)
