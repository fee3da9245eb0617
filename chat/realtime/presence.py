"""
Who is here: one row a connection, written in batches by each process, kept alive by a heartbeat.

A process that died is forgotten after `EXPIRY`; what its people's screens showed is then put right by
whichever process notices first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from uuid import uuid4

from django.utils import timezone

from chat.models import Connection, Process, User
from chat.names import name_key
from chat.realtime.clients import Client
from chat.realtime.db import read
from chat.realtime.hub import Hub
from chat.realtime.writer import Writer, WriterBusy
from chat.services.events import PersonCard, PresenceChanged

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.25
"""How long comings and goings are gathered into one write and one announcement."""
HEARTBEAT_SECONDS = 10.0
EXPIRY = timedelta(seconds=30)
"""A process not seen for this long is dead: three heartbeats."""


class Presence:
    def __init__(self, hub: Hub, writer: Writer) -> None:
        self.online: dict[str, PersonCard] = {}
        """Everyone who is here, on any process, by person key."""
        self._hub = hub
        self._writer = writer
        self._process = uuid4().hex
        self._mine: dict[str, Connection] = {}
        self._changed_keys: set[str] = set()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._writer.run(begin_process, self._process)
        self.online = {card.key: card for card in await read(cards_online)}
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._save_changes(), name="presence writer"),
            loop.create_task(self._beat(), name="presence heartbeat"),
        ]

    async def stop(self) -> None:
        """Forget this process's connections; called before the writer stops."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(WriterBusy):
            await self._writer.run(end_process, self._process)

    def note(self, event: PresenceChanged) -> None:
        for key in event.left:
            self.online.pop(key, None)
        for card in event.joined:
            self.online[card.key] = card

    def opened(self, client: Client) -> None:
        """A connection opened, or its person changed name or key."""
        who = client.person.identity
        self._mine[client.key] = Connection(
            process_id=self._process,
            key=client.key,
            person_key=who.key,
            user_id=who.user_id,
            name=who.name,
            name_key=name_key(who.name),
            door=client.link.door,
            address=client.address,
        )
        self._note_change(client)

    def closed(self, client: Client) -> None:
        self._mine.pop(client.key, None)
        self._note_change(client)

    def _note_change(self, client: Client) -> None:
        self._changed_keys.add(client.key)
        self._changed.set()

    async def _save_changes(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            keys, self._changed_keys = self._changed_keys, set()
            open_now = [self._mine[key] for key in keys if key in self._mine]
            await self._announce_from(partial(replace_connections, keys, open_now))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self._announce_from(partial(heartbeat, self._process, list(self._mine.values())))

    async def _announce_from(self, change: "Callable[[], Change]") -> None:
        try:
            joined, left = await self._writer.run(change)
        except Exception:
            logger.exception("presence could not be saved")
            return
        if joined or left:
            self._hub.publish(PresenceChanged(joined, left))


Change = tuple[list[PersonCard], list[str]]


def begin_process(key: str) -> None:
    Process.objects.create(key=key)


def end_process(key: str) -> None:
    Process.objects.filter(pk=key).delete()


def heartbeat(key: str, connections: list[Connection]) -> Change:
    """
    Say that this process lives, forget those that do not; returns who left with them.

    A process that was itself forgotten (its machine slept) comes back with its `connections`.
    """
    dead = Process.objects.filter(seen_at__lt=timezone.now() - EXPIRY).exclude(pk=key)
    gone = set(Connection.objects.filter(process__in=dead).values_list("person_key", flat=True))
    before = _cards(gone)
    dead.delete()
    left = before.keys() - _cards(gone).keys()
    if not Process.objects.filter(pk=key).update(seen_at=timezone.now()):
        begin_process(key)
        return replace_connections({each.key for each in connections}, connections)[0], sorted(left)
    return [], sorted(left)


def replace_connections(keys: set[str], connections: list[Connection]) -> Change:
    """Write the rows of the connections with these keys anew; those without a connection are closed."""
    old = Connection.objects.filter(key__in=keys)
    concerned = {each.person_key for each in connections} | set(old.values_list("person_key", flat=True))
    before = _cards(concerned)
    old.delete()
    for connection in connections:
        connection.pk = None
    known = set(User.objects.filter(pk__in={each.user_id for each in connections}).values_list("pk", flat=True))
    Connection.objects.bulk_create(each for each in connections if each.user_id is None or each.user_id in known)
    after = _cards(concerned)
    joined = [card for key, card in after.items() if before.get(key) != card]
    return joined, sorted(before.keys() - after.keys())


def cards_online() -> list[PersonCard]:
    return list(_cards().values())


def _cards(person_keys: Iterable[str] | None = None) -> dict[str, PersonCard]:
    rows = Connection.objects.filter(process__seen_at__gte=timezone.now() - EXPIRY).order_by("pk")
    if person_keys is not None:
        rows = rows.filter(person_key__in=person_keys)
    return {
        key: PersonCard(key, user_id, name, is_guest is not False, is_bot is True)
        for key, user_id, name, is_guest, is_bot in rows.values_list(
            "person_key", "user_id", "name", "user__is_guest", "user__is_bot"
        )
    }
