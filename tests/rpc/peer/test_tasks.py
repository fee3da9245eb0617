"""The tasks of a connection end with it."""

import asyncio

from rpc.peer.tasks import Tasks


async def test_tasks_end_with_the_block():
    """They are cancelled and awaited before it is left."""
    ended = []

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            ended.append(True)

    async with Tasks(ended.append) as tasks:
        tasks.spawn(wait())
        tasks.spawn(wait())
        await asyncio.sleep(0)
    assert ended == [True, True]


async def test_tasks_are_awaited_though_the_block_is_cancelled():
    """The cancellation goes on when they have ended."""
    ended = []

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(2)
            ended.append("task")

    async def block():
        try:
            async with Tasks(ended.append) as tasks:
                tasks.spawn(wait())
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            ended.append("block")
            raise

    leaving = asyncio.create_task(block())
    await asyncio.sleep(1)
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert ended == ["task", "block"]


async def test_task_that_fails_is_told():
    """One that is cancelled has not failed."""
    failed = []

    async def fail():
        raise RuntimeError("secret")

    async with Tasks(failed.append) as tasks:
        tasks.spawn(fail())
        tasks.spawn(asyncio.Event().wait())
        await asyncio.sleep(1)
    assert [str(error) for error in failed] == ["secret"]
