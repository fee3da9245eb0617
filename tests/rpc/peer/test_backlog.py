"""A remote that does not read: one rule for the peers of gotalk and the sockets of every other door."""

import asyncio

from rpc import Limits
from rpc.peer.backlog import Backlog


class Transport:
    """Holds as many bytes as the test says; tells how often it was asked."""

    def __init__(self):
        self.waiting = 0
        self.in_kernel = 0
        self.asked = 0

    def buffered(self):
        self.asked += 1
        return self.waiting

    def unread(self):
        return self.waiting + self.in_kernel


class Writer:
    """What owns a backlog."""

    def __init__(self, **limits):
        self.transport = Transport()
        self.drops = 0
        self.backlog = Backlog(self.transport, Limits(**limits), self.drop)

    def drop(self):
        self.drops += 1

    def write(self, size, *, taken=0):
        """Returns whether that was still allowed."""
        if self.backlog.full():
            return False
        self.backlog.written += size
        self.transport.waiting += size - taken
        return True


async def test_too_much_waits():
    """One write may be as large as it is; the next are left out until the remote has taken it, however long."""
    writer = Writer(max_outbox_bytes=1000)
    assert writer.write(5000)
    assert not writer.write(1)
    assert not writer.write(1)
    writer.transport.waiting = 1000
    assert writer.write(1)
    assert writer.drops == 0
    writer.backlog.stop()


async def test_as_much_waits_as_may():
    """The limit itself is allowed."""
    writer = Writer(max_outbox_bytes=1000)
    assert writer.write(1000)
    assert writer.write(1)
    writer.backlog.stop()


async def test_transport_is_not_asked_at_each_write():
    """That would cost more than the write: a quarter of the limit may pass unseen."""
    writer = Writer(max_outbox_bytes=1000)
    for _ in range(100):
        writer.write(10, taken=10)
    assert writer.transport.asked <= 4


async def test_nothing_is_taken():
    """However little waits, ten seconds are the end of it."""
    writer = Writer()
    writer.write(1)
    writer.backlog.watch()
    await asyncio.sleep(9)
    assert writer.drops == 0
    await asyncio.sleep(2)
    assert writer.drops == 1


async def test_a_little_is_taken_now_and_then():
    """It is slow, and stays."""
    writer = Writer()
    writer.write(5000)
    writer.backlog.watch()
    for _ in range(10):
        await asyncio.sleep(8)
        writer.transport.waiting -= 1
    assert writer.drops == 0
    await asyncio.sleep(12)
    assert writer.drops == 1


async def test_a_little_is_taken_from_the_kernel():
    """It took more from this program only when much of that is gone."""
    writer = Writer()
    writer.transport.in_kernel = 1000
    writer.write(5000)
    writer.backlog.watch()
    for _ in range(10):
        await asyncio.sleep(8)
        writer.transport.in_kernel -= 1
    assert writer.drops == 0
    await asyncio.sleep(12)
    assert writer.drops == 1


async def test_more_is_written_while_nothing_is_taken():
    """New bytes do not hide that the old ones wait."""
    writer = Writer()
    writer.write(1)
    writer.backlog.watch()
    for _ in range(12):
        await asyncio.sleep(1)
        writer.write(1)
    assert writer.drops == 1


async def test_all_is_taken_in_the_end():
    """Nobody looks any more, and the next time counts from its own beginning."""
    writer = Writer()
    writer.write(1)
    writer.backlog.watch()
    await asyncio.sleep(9)
    writer.transport.waiting = 0
    await asyncio.sleep(60)
    writer.write(1)
    writer.backlog.watch()
    await asyncio.sleep(9)
    assert writer.drops == 0
    writer.backlog.stop()


async def test_closing_connection_is_not_watched():
    """Its close has a deadline of its own, and no timer is left."""
    writer = Writer()
    writer.write(1)
    writer.backlog.watch()
    writer.backlog.stop()
    writer.backlog.watch()
    await asyncio.sleep(60)
    assert writer.drops == 0
