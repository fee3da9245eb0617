"""
The one runtime of a serving process: starts its parts in order, gives them the events, stops them in reverse.

Started before the first connection, drained before the last one ends.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import ParamSpec, TypeVar

from channels.layers import get_channel_layer

from chat.realtime.connections import Connections
from chat.realtime.directory import Directory
from chat.realtime.hub import Hub
from chat.realtime.presence import Presence
from chat.realtime.rates import Rates
from chat.realtime.read_markers import ReadMarkers
from chat.realtime.refresh import Refresh
from chat.realtime.strangers.sweeper import Sweeper
from chat.realtime.token_use import TokenUse
from chat.realtime.watchers import Watchers
from chat.realtime.writer import Writer
from chat.services.events import (
    SITE_TOPIC,
    AddressesSanctioned,
    AnyEvent,
    Changed,
    ContactChanged,
    Gap,
    GuestChanged,
    Notice,
    PersonChanged,
    Posted,
    PresenceChanged,
    ReportsChanged,
    RoomChanged,
    SettingsChanged,
    SignedOut,
    TokenRevoked,
)
from chat.services.posts import Stored
from rpc import CloseCode, Refused

P = ParamSpec("P")
R = TypeVar("R")

DRAIN_TIMEOUT = 5.0
"""Seconds for the writer to finish: Daphne's own deadline is 10."""
RESTART_MS = 2000
SPREAD_MS = 5000
"""What peers are told: when to come back, and over how long to spread it."""


class Runtime:
    """
    The parts of a serving process: directory, hub, writer, presence, read markers, uses of tokens,
    watchers, connections, refresh, sweeper.

    Made by `start` and ended by `drain`, both on the loop; doors and actions reach the parts through it. It
    promises that every part that was started is stopped, the writer last but one, so that what was accepted is
    stored.
    """

    def __init__(self) -> None:
        layer = get_channel_layer()
        self.directory = Directory()
        self.hub = Hub(layer)
        self.rates = Rates(layer if hasattr(type(layer), "take_rate") else None)
        self.writer = Writer(self._announce_posts)
        self.presence = Presence(self.hub, self.writer)
        self.read_markers = ReadMarkers(self.writer)
        self.watchers = Watchers(self.directory, self.presence)
        self.token_use = TokenUse(self.writer)
        self.connections = Connections(
            self.directory, self.hub, self.presence, self.watchers, self.token_use, self._hear
        )
        self.refresh = Refresh(self.directory, self.connections, self.watchers, self.writer.run)
        self.sweeper = Sweeper(self.writer, self.presence)
        self._parts = AsyncExitStack()

    async def start(self) -> None:
        self.hub.listen(self._hear)
        self.writer.start()
        self._parts.push_async_callback(self.hub.stop)
        self._parts.push_async_callback(self.writer.stop, DRAIN_TIMEOUT)
        await self.hub.start()
        for part in (self.read_markers, self.token_use, self.presence, self.refresh, self.sweeper):
            await part.start()
            self._parts.push_async_callback(part.stop)

    async def stop(self) -> None:
        """Let the writer finish, for at most `DRAIN_TIMEOUT`, and end every task."""
        await self._parts.aclose()

    async def write(self, service: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """
        Run a service of `chat.services` on the writer's thread; returns when it is committed.

        Raises:
            WriterBusy: try again later; nothing was done.
        """
        return await self.writer.run(service, *args, **kwargs)

    def _announce_posts(self, stored: list[Stored]) -> None:
        by_room: dict[int, list[Stored]] = {}
        for each in stored:
            by_room.setdefault(each.message.room_id, []).append(each)
        for room_id, posts in by_room.items():
            self.hub.publish(Posted(room_id, posts[0].room, [each.message for each in posts]))

    def _hear(self, event: AnyEvent) -> None:
        match event:
            case Posted():
                self.directory.note_posts(event)
            case Changed():
                self.directory.note_version(event.room_id, event.version)
            case PresenceChanged():
                self.presence.note(event)
                self.watchers.tell(event)
            case (
                RoomChanged()
                | PersonChanged()
                | GuestChanged()
                | SettingsChanged()
                | AddressesSanctioned()
                | SignedOut()
                | TokenRevoked()
                | ContactChanged()
                | ReportsChanged()
                | Gap()
            ):
                self.refresh.note(event)


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
    try:
        await runtime.start()
    except BaseException:
        await runtime.stop()
        raise
    return runtime


async def _stop(runtime: Runtime) -> None:
    notice = Notice("restart", "The server restarts.", restart_in_ms=RESTART_MS, spread_ms=SPREAD_MS)
    runtime.hub.send_here(SITE_TOPIC, [notice])
    await runtime.stop()
    # The answers to the last posts are on their way through the loop.
    await asyncio.sleep(0.05)
