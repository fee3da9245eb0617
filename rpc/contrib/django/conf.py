"""What every door of a Django site gives its peers: limits from the settings, threads that may use the database."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import msgspec
from django.conf import settings
from django.db import close_old_connections

from rpc.limits import Limits

HANDLER_THREADS = 6
"""For handlers that are not async, of all peers together; each holds one connection to the database."""

_threads = ThreadPoolExecutor(HANDLER_THREADS, thread_name_prefix="handler")


def site_limits() -> Limits:
    """The defaults, without rates where the setting RATE_LIMITS is off."""
    limits = Limits()
    if not getattr(settings, "RATE_LIMITS", True):
        limits = msgspec.structs.replace(limits, messages_per_second=None, bytes_per_second=None)
    return limits


async def run_in_database_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a worker thread, as Django does around a request: no dead connection is used."""
    context = copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, context.run, _with_fresh_connections, function, *arguments)


def _with_fresh_connections(function: Callable[..., Any], *arguments: Any) -> Any:
    close_old_connections()
    try:
        return function(*arguments)
    finally:
        close_old_connections()
