"""Streams to try by hand."""

import asyncio
from collections.abc import AsyncIterator

from rpc import default_handlers as handlers


@handlers.stream("double")
async def double(parts: AsyncIterator[int]) -> AsyncIterator[int]:
    """Each number twice as large."""
    async for part in parts:
        yield 2 * part


@handlers.stream("count")
async def count(parts: AsyncIterator[int]) -> AsyncIterator[int]:
    """From 0 on, without an end."""
    number = 0
    while True:
        yield number
        number += 1
        await asyncio.sleep(0.01)
