"""Reading from the database in async code: a few threads of our own, each with a connection that stays open."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")

READ_THREADS = 4
"""Enough that one slow search leaves room for short reads; each holds one connection."""
READ_TIMEOUT = 10.0
"""Seconds until a reader gives up."""

_threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="reader")


async def read(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """
    Run a function that only reads.

    Not through asgiref's `sync_to_async`: its one global thread would queue every read behind the slowest.

    Raises:
        TimeoutError: after `READ_TIMEOUT` seconds.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(READ_TIMEOUT):
        return await loop.run_in_executor(_threads, partial(_with_live_connection, function, *args, **kwargs))


def _with_live_connection(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError):
        # A database that restarted leaves a dead connection behind; a read is safe to repeat.
        connection.close()
        return function(*args, **kwargs)
