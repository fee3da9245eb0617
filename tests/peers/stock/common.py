"""What both stock peers raise, and how a test of them is run."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

DEADLINE = 20.0


class Failed(Exception):
    """A request was answered by `E`; `text` is its payload, which both peers show as it is."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class PeerBroken(AssertionError):
    """The server sent what this stock peer cannot take."""


async def conversation(url: str, *written: bytes) -> bytes:
    """All that a server says to a peer that writes these bytes, one by one, and then half-closes."""
    reader, writer = await asyncio.open_connection(*url.removeprefix("tcp://").split(":"))
    for each in written:
        writer.write(each)
        # Two turns of the loop: a server in the same one reads each by itself.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    writer.write_eof()
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said


def alone(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own, with a deadline; it leaves no task behind."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        async def scenario() -> None:
            async with asyncio.timeout(DEADLINE):
                await test(**fixtures)
                while asyncio.all_tasks() != {asyncio.current_task()}:
                    await asyncio.sleep(0)

        asyncio.run(scenario())

    return run
