"""
The Redis channel layer (channels_redis pub/sub), mended in two places, and the rates that all processes share.

A lost Redis host froze the whole process: since Python 3.11 an `ETIMEDOUT` of the socket is the builtin
`TimeoutError`, which redis-py takes for "no message yet", and the stock loop asks again at once without ever
yielding. And a reconnect was silent, though what was published meanwhile is gone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import create_pool
from redis.asyncio import Redis

from project.daphne import internals

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0


class RedisLayer(RedisPubSubChannelLayer):
    """One Redis or a Sentinel set, never a Cluster. `on_gap` is called after each reconnect."""

    on_gap: Callable[[], None] | None = None

    async def take_rate(self, key: str, added: float, ahead: float) -> float:
        """See `chat.realtime.rates.SharedRates`; raises what redis-py does."""
        loop_layer = self._get_layer()
        redis = internals.shards_of(loop_layer)[0].rates
        return float(await redis.eval(_TAKE, 1, f"{loop_layer.prefix}__rate__{key}", added, ahead))

    def _get_layer(self) -> RedisPubSubLoopLayer:
        loop_layer = super()._get_layer()
        shards = internals.shards_of(loop_layer)
        if not isinstance(shards[0], _Shard):
            shards[:] = [_Shard(shard.host, loop_layer, self) for shard in shards]
        return loop_layer


_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local before = tonumber(redis.call('GET', KEYS[1]) or now)
local ahead = math.min(math.max(before - now, 0), tonumber(ARGV[2])) + ARGV[1]
if ahead > tonumber(ARGV[2]) then return string.format('%.6f', ahead - ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%.6f', now + ahead), 'PX', math.ceil(ahead * 1000))
return '0'
"""
"""Under the key stands until when what was done counts; it goes when that time has come."""


class _Shard(RedisSingleShardConnection):
    """What the layer has of one Redis server."""

    def __init__(self, host: Any, loop_layer: RedisPubSubLoopLayer, layer: RedisLayer) -> None:
        super().__init__(host, loop_layer)
        self._layer = layer
        self._lost = False
        # Connections of their own: publishing must not wait for them, nor they for that.
        self.rates = Redis.from_pool(create_pool(host))

    async def flush(self) -> None:
        await super().flush()
        await self.rates.aclose()

    async def _do_receiving(self) -> None:
        while True:
            try:
                message = await self._next_message()
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._note_loss(error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if self._lost:
                self._lost = False
                logger.warning("Redis is back")
                if self._layer.on_gap is not None:
                    self._layer.on_gap()
            if message is None:
                # get_message may return without having waited.
                await asyncio.sleep(0)
            else:
                internals.deliver(self, message)

    def _note_loss(self, error: BaseException) -> None:
        if not self._lost:
            logger.warning("Redis is out of reach: %r", error)
        self._lost = True

    async def _next_message(self) -> Any:
        pubsub = internals.subscription_of(self)
        if pubsub is None or not pubsub.subscribed:
            await asyncio.sleep(0.1)
            return None
        error = internals.read_error(pubsub)
        if error is not None:
            self._note_loss(error)
            await internals.drop_connection(pubsub)
        return await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL_SECONDS)
