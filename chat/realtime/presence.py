"""
Who is here: one row a connection, written in batches by each process, kept alive by a heartbeat.

A process that died is forgotten after `chat.queries.presence.EXPIRY`; what its people's screens showed is then
put right by whichever process notices first.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from chat.models import Connection
from chat.names import name_key, name_look
from chat.queries.guests import client_network
from chat.queries.presence import people_online
from chat.queries.structs import PersonCard
from chat.realtime.clients import Client
from chat.realtime.db import read
from chat.realtime.hub import Hub
from chat.realtime.writer import Writer, WriterBusy
from chat.services.events import PresenceChanged
from chat.services.processes import Change, begin_process, end_process, heartbeat, replace_connections

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.25
"""How long comings and goings are gathered into one write and one announcement."""
HEARTBEAT_SECONDS = 10.0


class Presence:
    """
    Everyone who is here on any process, and this process's own connections.

    `Connections` notes them on the loop; two tasks hand them to the writer. It promises that a connection is in
    the database about a quarter of a second after it opened, and out of it as soon after it closed.
    """

    def __init__(self, hub: Hub, writer: Writer) -> None:
        self.online: dict[str, PersonCard] = {}
        """Everyone who is here, on any process, by person key."""
        self._hub = hub
        self._writer = writer
        self.process = uuid4().hex
        """The key of this process."""
        self._mine: dict[str, Connection] = {}
        self._changed_keys: set[str] = set()
        self._guests: set[tuple[int, str]] = set()
        """Accounts of guests who came or left, and from where: a sanction of them may have to know."""
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._writer.run(begin_process, self.process)
        self.online = await read(people_online)
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
            await self._writer.run(end_process, self.process)

    def note(self, event: PresenceChanged) -> None:
        for key in event.left:
            self.online.pop(key, None)
        for card in event.joined:
            self.online[card.key] = card

    def opened(self, client: Client) -> None:
        """A connection opened, or its person changed name or key."""
        who = client.person.identity
        self._mine[client.key] = Connection(
            process_id=self.process,
            key=client.key,
            person_key=who.key,
            user_id=who.user_id,
            name=who.name,
            name_key=name_key(who.name),
            name_look=name_look(who.name),
            door=client.link.door,
            address=client.address,
        )
        self._note_change(client)

    def closed(self, client: Client) -> None:
        self._mine.pop(client.key, None)
        self._note_change(client)

    def _note_change(self, client: Client) -> None:
        who, network = client.person.identity, client_network(client.address)
        if who.is_guest and who.user_id is not None and network is not None:
            self._guests.add((who.user_id, network))
        self._changed_keys.add(client.key)
        self._changed.set()

    async def _save_changes(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._changed.clear()
            keys, self._changed_keys = self._changed_keys, set()
            guests, self._guests = self._guests, set()
            open_now = [self._mine[key] for key in keys if key in self._mine]
            if not await self._announce_from(partial(replace_connections, keys, open_now, guests)):
                self._changed_keys |= keys
                self._guests |= guests
                self._changed.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await self._announce_from(partial(heartbeat, self.process, list(self._mine.values())))

    async def _announce_from(self, change: Callable[[], Change]) -> bool:
        """Whether it was made, or never can be; else the writer is busy."""
        try:
            joined, left = await self._writer.run(change)
        except WriterBusy:
            return False
        except Exception:
            logger.exception("presence could not be saved")
            return True
        if joined or left:
            self._hub.publish(PresenceChanged(joined, left))
        return True
