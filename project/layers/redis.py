"""
The Redis channel layer (channels_redis pub/sub), mended in two places.

A lost Redis host froze the whole process: since Python 3.11 an `ETIMEDOUT` of the socket is the builtin
`TimeoutError`, which redis-py takes for "no message yet", and the stock loop asks again at once without ever
yielding. And a reconnect was silent, though what was published meanwhile is gone.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels_redis.pubsub import (
    RedisPubSubChannelLayer,
    RedisPubSubLoopLayer,
    RedisSingleShardConnection,
    _wrap_close,
)

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0


class RedisLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """One Redis or a Sentinel set, never a Cluster. `on_gap` is called after each reconnect."""

    on_gap: Callable[[], None] | None = None

    def _get_layer(self) -> RedisPubSubLoopLayer:
        loop = asyncio.get_running_loop()
        if loop not in self._layers:
            self._layers[loop] = _LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return self._layers[loop]


class _LoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    _shards: list[RedisSingleShardConnection]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shards = [_Shard(shard.host, self) for shard in self._shards]


class _Shard(RedisSingleShardConnection):  # type: ignore[misc]
    _lost = False

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
                on_gap = self.channel_layer.channel_layer.on_gap
                if on_gap is not None:
                    on_gap()
            if message is None:
                # get_message may return without having waited.
                await asyncio.sleep(0)
            else:
                self._receive_message(message)

    def _note_loss(self, error: BaseException) -> None:
        if not self._lost:
            logger.warning("Redis is out of reach: %r", error)
        self._lost = True

    async def _next_message(self) -> Any:
        pubsub = self._pubsub
        if pubsub is None or not pubsub.subscribed:
            await asyncio.sleep(0.1)
            return None
        connection = pubsub.connection
        reader = getattr(connection, "_reader", None)
        if reader is not None and reader.exception() is not None:
            self._note_loss(reader.exception())
            await connection.disconnect(nowait=True)
        return await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL_SECONDS)
