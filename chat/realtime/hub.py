"""
This process's subscribers by topic, and its one channel on the channel layer.

The layer carries an event between processes; the hub fans it out inside one: each wire's bytes are built
once and written to every subscriber of that wire. The layer may drop, the database does not: a client that
sees a gap in versions asks `sync`.
"""

import asyncio
import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from chat.realtime.mailbox import Mailbox, deliver
from chat.services.events import SITE_TOPIC, AnyEvent, Gap, pack, topic_of, unpack

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 5.0
"""Seconds for the layer to take something; events that it does not take reach this process only."""
REJOIN_SECONDS = 1.0
"""Between two tries to join what could not be joined."""

Encode = Callable[[list[AnyEvent]], Any]
"""A wire: turns events into what its `Send` takes, or None when the wire does not show them."""
Send = Callable[[Any], None]
"""Writes what `Encode` made to one socket. Never waits, never raises for a closed socket."""
Listener = Callable[[AnyEvent], None]

_running: "Hub | None" = None


class Layer(Protocol):
    """
    What the hub needs of a channel layer: one channel a process, and groups.

    The hub calls it on the loop. A layer that reaches this process only has the attribute `local`, which is true;
    then the processes' mailboxes carry what commands announce.
    """

    on_gap: Callable[[], None]
    """Set by the hub: a layer that can notice that it lost messages calls it afterwards."""

    async def new_channel(self) -> str: ...

    async def receive(self, channel: str) -> dict[str, Any]: ...

    async def group_add(self, group: str, channel: str) -> None: ...

    async def group_discard(self, group: str, channel: str) -> None: ...

    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


def _is_local(layer: Layer) -> bool:
    # Asked of the class: an instance may answer for any name, as the proxies of channels_redis do.
    return getattr(type(layer), "local", False)


def announce(event: AnyEvent) -> bool:
    """
    Publish an event from any thread, with or without a hub in this process (a management command has none:
    its event reaches the serving processes through Redis, or those of the same data folder directly).

    Returns:
        False when no process can have heard it.
    """
    hub = _running
    if hub is not None:
        hub.publish(event)
        return True
    layer = get_channel_layer()
    if layer is None or _is_local(layer):
        return deliver(pack([event]))
    async_to_sync(layer.group_send)(topic_of(event), _packed([event]))
    return True


class Hub:
    """
    This process's subscribers by topic, and the events that wait to leave.

    The doors subscribe on the loop; whoever changed something publishes, from any thread. It promises that every
    subscriber of a topic gets its events in order, each at most once: listeners first, then one encoding for all
    subscribers of a wire.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._subscribers: dict[str, dict[Encode, set[Send]]] = {}
        self._listeners: list[Listener] = []
        self._joined: set[str] = set()
        self._join_lock = asyncio.Lock()
        self._missing = asyncio.Event()
        """The layer is away: some topic could not be joined or left."""
        self._untold = asyncio.Event()
        """The layer did not take something: the other processes did not hear of it."""
        self._outgoing: list[AnyEvent] = []
        self._outgoing_ready = asyncio.Event()
        self._incoming: dict[str, list[AnyEvent]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._mailbox = Mailbox(self._take_packed)

    async def start(self) -> None:
        global _running
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._channel = await self._layer.new_channel()
        await self._join(SITE_TOPIC)
        self._tasks = [
            self._loop.create_task(self._read(), name="hub reader"),
            self._loop.create_task(self._write(), name="hub publisher"),
            self._loop.create_task(self._join_later(), name="hub joiner"),
            self._loop.create_task(self._tell_later(), name="hub reminder"),
        ]
        self._layer.on_gap = lambda: self._take([Gap()])
        if _is_local(self._layer):
            await self._mailbox.open()
        _running = self

    async def stop(self) -> None:
        """Publish what waits, then end every task."""
        global _running
        if _running is self:
            _running = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAYER_TIMEOUT):
                while self._outgoing:
                    await self._publish_waiting()
        self._mailbox.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for topic in list(self._joined):
            await self._discard(topic)

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event that reaches this process, before any socket gets it."""
        self._listeners.append(listener)

    async def subscribe(self, topic: str, encode: Encode, send: Send) -> None:
        self._subscribers.setdefault(topic, {}).setdefault(encode, set()).add(send)
        if topic not in self._joined:
            await self._join(topic)

    async def unsubscribe(self, topic: str, encode: Encode, send: Send) -> None:
        wires = self._subscribers.get(topic, {})
        senders = wires.get(encode, set())
        senders.discard(send)
        if senders:
            return
        wires.pop(encode, None)
        if not wires:
            self._subscribers.pop(topic, None)
            await self._leave(topic)

    def hears(self, topic: str) -> bool:
        """Whether this process gets the events of `topic`."""
        return topic in self._joined

    def publish(self, event: AnyEvent) -> None:
        """Announce to all processes, this one included. From any thread; the order of one thread is kept."""
        if threading.get_ident() == self._thread:
            self._enqueue(event)
        else:
            self._loop.call_soon_threadsafe(self._enqueue, event)

    def send_here(self, topic: str, events: list[AnyEvent]) -> None:
        """Write events to this process's subscribers only."""
        for encode, senders in self._subscribers.get(topic, {}).items():
            payload = encode(events)
            if payload is None:
                continue
            for send in tuple(senders):
                try:
                    send(payload)
                except Exception:
                    logger.exception("a subscriber of %s failed", topic)

    async def _join(self, topic: str) -> None:
        async with self._join_lock:
            if topic in self._joined or self._missing.is_set():
                # While the layer is away nobody waits for it again: what is missing is joined later.
                return
            try:
                async with asyncio.timeout(LAYER_TIMEOUT):
                    await self._layer.group_add(topic, self._channel)
            except Exception as error:
                # What this process publishes reaches its own sockets all the same.
                logger.warning("%s cannot be joined yet: %r", topic, error)
                self._missing.set()
            else:
                self._joined.add(topic)

    async def _join_later(self) -> None:
        """Join what could not be joined while the layer was away, and tell that events may have been lost."""
        while True:
            await self._missing.wait()
            await asyncio.sleep(REJOIN_SECONDS)
            self._missing.clear()
            for topic in {SITE_TOPIC, *self._subscribers} - self._joined:
                await self._join(topic)
            if not self._missing.is_set():
                self._take([Gap()])

    async def _tell_later(self) -> None:
        """Tell all processes that they may have missed something, as soon as the layer takes it."""
        while True:
            await self._untold.wait()
            await asyncio.sleep(REJOIN_SECONDS)
            self._untold.clear()
            self.publish(Gap())

    async def _leave(self, topic: str) -> None:
        async with self._join_lock:
            if topic in self._joined and topic not in self._subscribers and topic != SITE_TOPIC:
                await self._discard(topic)

    async def _discard(self, topic: str) -> None:
        self._joined.discard(topic)
        if self._missing.is_set():
            return
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                await self._layer.group_discard(topic, self._channel)
        except Exception as error:
            logger.warning("%s cannot be left: %r", topic, error)
            self._missing.set()

    def _enqueue(self, event: AnyEvent) -> None:
        self._outgoing.append(event)
        self._outgoing_ready.set()

    async def _write(self) -> None:
        while True:
            await self._outgoing_ready.wait()
            await self._publish_waiting()

    async def _publish_waiting(self) -> None:
        events, self._outgoing = self._outgoing, []
        self._outgoing_ready.clear()
        by_topic: dict[str, list[AnyEvent]] = defaultdict(list)
        for event in events:
            by_topic[topic_of(event)].append(event)
        for topic, batch in by_topic.items():
            try:
                async with asyncio.timeout(LAYER_TIMEOUT):
                    await self._layer.group_send(topic, _packed(batch))
            except Exception as error:
                # The other processes read again once they are told, and their clients sync by version.
                logger.warning("the channel layer did not take %d events: %r", len(batch), error)
                self._untold.set()
                self._take([event for event in batch if not isinstance(event, Gap)])

    async def _read(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
                self._take(unpack(message["data"]))
            except Exception:
                logger.exception("the channel layer's message could not be read")
                await asyncio.sleep(0.1)

    def _take_packed(self, data: bytes) -> None:
        self._take(unpack(data))

    def _take(self, events: list[AnyEvent]) -> None:
        for event in events:
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception:
                    logger.exception("a listener failed at %s", type(event).__name__)
            if not self._incoming:
                # What else arrives in this turn of the loop leaves in the same write.
                self._loop.call_soon(self._flush)
            self._incoming.setdefault(topic_of(event), []).append(event)

    def _flush(self) -> None:
        incoming, self._incoming = self._incoming, {}
        for topic, events in incoming.items():
            self.send_here(topic, events)


def _packed(events: list[AnyEvent]) -> dict[str, Any]:
    return {"type": "hub.events", "data": pack(events)}
