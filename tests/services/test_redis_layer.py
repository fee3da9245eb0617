"""The Redis layer, where it mends channels_redis and redis-py."""

import asyncio
import errno
import os

import pytest

from project.daphne import internals
from project.layers.redis import RedisLayer
from tests.deadlines import DEADLINE

pytestmark = pytest.mark.services

GROUP = "room.7"


async def hears(layer, channel, words):
    async with asyncio.timeout(DEADLINE):
        assert (await layer.receive(channel))["data"] == words


@pytest.mark.parametrize(
    "error", [TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)), ConnectionResetError()], ids=repr
)
def test_lost_host_does_not_freeze_the_loop(redis, error):
    """
    The kernel's ETIMEDOUT looks like "no message yet" to redis-py: the loop must go on, the layer must connect
    anew, say that there was a gap, and hear again.
    """

    async def scenario():
        layer = RedisLayer(hosts=[f"redis://127.0.0.1:{redis.port}/0"], prefix="test")
        gap = asyncio.Event()
        layer.on_gap = gap.set
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        await layer.group_send(GROUP, {"type": "hub.events", "data": b"before"})
        await hears(layer, channel, b"before")
        (shard,) = internals.shards_of(layer._get_layer())
        pubsub = internals.subscription_of(shard)
        assert internals.read_error(pubsub) is None
        pubsub.connection._reader.set_exception(error)
        assert internals.read_error(pubsub) is error
        async with asyncio.timeout(DEADLINE):
            await gap.wait()
        assert internals.read_error(pubsub) is None
        await layer.group_send(GROUP, {"type": "hub.events", "data": b"after"})
        await hears(layer, channel, b"after")
        await layer.flush()

    asyncio.run(scenario())


def test_rates_are_counted_for_all_processes_together(redis):
    """What one has counted, another one counts on; what is refused is not counted."""

    async def scenario():
        one, other = (RedisLayer(hosts=[f"redis://127.0.0.1:{redis.port}/0"], prefix="test") for _ in range(2))
        assert [await layer.take_rate("post u1", 100.0, 300.0) for layer in (one, other, one)] == [0, 0, 0]
        for layer in (one, other, one):
            assert 90 < await layer.take_rate("post u1", 100.0, 300.0) <= 100
        assert await other.take_rate("post u2", 100.0, 300.0) == 0
        for layer in (one, other):
            await layer.flush()

    asyncio.run(scenario())
