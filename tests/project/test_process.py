"""What the serving processes share."""

import asyncio
import gc

import pytest

from project.process import forget_cancelled


@pytest.mark.parametrize(("error", "is_logged"), [(asyncio.CancelledError(), False), (ValueError(), True)])
def test_future_that_nobody_asks_for(caplog, error, is_logged):
    """Its end is logged, unless it was cancelled, as of a client that went away."""

    async def scenario():
        loop = asyncio.get_running_loop()
        forget_cancelled(loop)
        loop.create_future().set_exception(error)
        gc.collect()

    asyncio.run(scenario())
    assert bool(caplog.records) == is_logged
