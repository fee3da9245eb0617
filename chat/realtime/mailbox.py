"""
From a command to the serving processes of the same data folder, where no Redis joins them.

Each such process has a socket file of its own in the folder, which only the folder's owner may write to. A
datagram is a packed list of events.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from django.conf import settings

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 2.0
"""Seconds for a serving process to take a datagram."""
_FILES = "hub-*.sock"


def deliver(data: bytes) -> bool:
    """Hand events to every process that serves this data folder; returns whether there is one."""
    taken = False
    for path in Path(settings.HUBTALK_DATA).glob(_FILES):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(SEND_TIMEOUT)
            try:
                sender.connect(str(path))
                sender.send(data)
                taken = True
            except ConnectionRefusedError:
                # Its process was killed.
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("%s took no events: %s", path, error)
    return taken


class Mailbox(asyncio.DatagramProtocol):
    """
    The receiving end: one socket file in the data folder.

    The hub opens and closes it; both, and `take` with each datagram, run on the loop. It promises that the file
    is gone after `close`, and that a datagram that makes no sense is only logged.
    """

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._path = Path(settings.HUBTALK_DATA) / _FILES.replace("*", uuid4().hex[:8])
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Where it is not possible, as in a folder with a very long name, commands do without."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            receiver.setblocking(False)
            receiver.bind(str(self._path))
            self._path.chmod(0o600)
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=receiver)
        except OSError as error:
            receiver.close()
            logger.warning("commands cannot reach this process at %s: %s", self._path, error)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            with suppress(OSError):
                os.unlink(self._path)

    def datagram_received(self, data: bytes, addr: object) -> None:
        try:
            self._take(data)
        except Exception:
            logger.exception("a command's events could not be read")
