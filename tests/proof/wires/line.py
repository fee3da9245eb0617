"""A TCP connection by its socket: writes are cut anywhere, reads keep any pace, and how it ends is noted."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from enum import Enum, auto

Address = tuple[str, int]

READ_BYTES = 128 * 1024
SLOW_BUFFER_BYTES = 16 * 1024
"""What the kernel keeps for a slow reader."""
DRIBBLED_BYTES = 300
"""The most that is written byte by byte."""
MAX_CUTS = 8


class Pace(Enum):
    """How a client reads."""

    EAGER = auto()
    SIPS = auto()
    """A little at a time, with pauses."""
    BURSTS = auto()
    """Nothing for a while, then all there is."""


class Line:
    """
    Args:
        chance: decides where writes are cut and how it is read.
        polite: writes in one piece, and reads at once.
    """

    def __init__(self, chance: random.Random, *, polite: bool) -> None:
        # Reading and writing go side by side: each has a chance of its own.
        self._cuts, self._pauses = random.Random(chance.random()), random.Random(chance.random())
        self._cutting = 0.0 if polite else chance.choice((0.0, 0.5, 1.0))
        """How often a write is cut."""
        self.pace = Pace.EAGER if polite else chance.choice((Pace.EAGER, Pace.EAGER, *Pace))
        self.came = 0
        """Bytes."""
        self.over = asyncio.Event()
        """The server has ended the connection."""
        self.reset = False
        """It did so with a reset, not with the end of its stream."""
        self._connection = socket.socket()
        self._writing = asyncio.Lock()
        self._has_said_all = False

    async def open(self, address: Address) -> None:
        self._connection.setblocking(False)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.pace is not Pace.EAGER:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_BUFFER_BYTES)
        await asyncio.get_running_loop().sock_connect(self._connection, address)

    # --- out -----------------------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """Write all of it, with nothing of others in between; nothing is written behind `half_close`."""
        async with self._writing:
            if self._has_said_all:
                return
            try:
                for piece in self._pieces(data):
                    await asyncio.get_running_loop().sock_sendall(self._connection, piece)
            except (ConnectionResetError, BrokenPipeError):
                self.reset = True

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if self._cuts.random() >= self._cutting or len(data) < 2:
            yield data
            return
        if len(data) <= DRIBBLED_BYTES and self._cuts.random() < 0.3:
            cuts = list(range(1, len(data)))
        else:
            cuts = sorted(self._cuts.randrange(1, len(data)) for _ in range(self._cuts.randint(1, MAX_CUTS)))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            yield data[start:end]

    def half_close(self) -> None:
        """Say that nothing more will be written. Nobody may be writing."""
        self._has_said_all = True
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset = True

    def reset_at_close(self) -> None:
        """Be gone without a word, whatever is on its way."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        """Nobody may be reading or writing."""
        self._connection.close()

    # --- in ------------------------------------------------------------------------------------------------

    async def read(self) -> AsyncIterator[bytes]:
        """What comes, until the server ends the connection."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.sock_recv(self._connection, await self._pause())
            except ConnectionResetError:
                self.reset = True
                break
            if not data:
                break
            self.came += len(data)
            yield data
        self.over.set()

    async def _pause(self) -> int:
        """Wait as the pace wants it; returns how many bytes to read then."""
        if self.pace is Pace.SIPS:
            if self._pauses.random() < 0.1:
                await asyncio.sleep(self._pauses.random() / 50)
            return int(10 ** self._pauses.uniform(0.5, 5))
        if self.pace is Pace.BURSTS and self._pauses.random() < 0.05:
            await asyncio.sleep(self._pauses.random() / 2)
        return READ_BYTES
