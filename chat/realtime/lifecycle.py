"""The one runtime of a serving process: started before the first connection, drained before the last ends."""

import asyncio

from chat.realtime.runtime import Runtime
from chat.services.events import SITE_TOPIC, Notice
from rpc import CloseCode, Refused

DRAIN_TIMEOUT = 5.0
"""Seconds for the writer to finish: Daphne's own deadline is 10."""
RESTART_MS = 2000
SPREAD_MS = 5000
"""What peers are told: when to come back, and over how long to spread it."""

_starting: asyncio.Task[Runtime] | None = None
_draining = False


async def start() -> Runtime:
    """
    The running runtime; made by whoever asks first, so that `daphne project.asgi` works as `serve` does.

    Raises:
        Refused: the process is about to end.
    """
    global _starting
    if _draining:
        raise Refused(CloseCode.RESTARTING, "restarting")
    if _starting is None:
        _starting = asyncio.get_running_loop().create_task(_start(), name="runtime start")
    try:
        return await asyncio.shield(_starting)
    except Exception:
        _starting = None
        raise


async def drain() -> None:
    """Tell every peer of the restart, let the writer finish and end; the sockets are still open afterwards."""
    global _starting, _draining
    _draining = True
    try:
        if _starting is not None:
            await _stop(await _starting)
    finally:
        _starting = None
        _draining = False


async def _start() -> Runtime:
    runtime = Runtime()
    await runtime.start()
    return runtime


async def _stop(runtime: Runtime) -> None:
    notice = Notice("restart", "The server restarts.", restart_in_ms=RESTART_MS, spread_ms=SPREAD_MS)
    runtime.hub.send_here(SITE_TOPIC, [notice])
    await runtime.stop(DRAIN_TIMEOUT)
    # The answers to the last posts are on their way through the loop.
    await asyncio.sleep(0.05)
