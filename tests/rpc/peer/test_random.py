"""Two peers wired together under random use: no hang, no leak, no exception that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpc import Handlers, Peer, RetryLater, RpcError, pipe
from tests.rpc.clock import run
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long


def busy_handlers() -> Handlers:
    handlers = Handlers()

    @handlers.request("now", inline=True)
    def now(params: int) -> int:
        return params

    @handlers.request("later")
    async def later(params: int) -> int:
        await asyncio.sleep(params)
        return params

    @handlers.request("busy")
    async def busy(params: int) -> int:
        raise RetryLater(300, "busy")

    @handlers.request("fail")
    async def fail(params: int) -> int:
        raise ZeroDivisionError

    @handlers.request("back")
    async def back(peer: Peer, params: int) -> int:
        return await peer.request("later", params, int)

    @handlers.notification("tell")
    async def tell(params: int) -> None:
        await asyncio.sleep(params)

    @handlers.stream("totals")
    async def totals(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        total = 0
        async for part in parts:
            await asyncio.sleep(part)
            yield (total := total + part)

    @handlers.stream("endless")
    async def endless(parts: AsyncIterator[int]) -> AsyncIterator[bytes]:
        while True:
            yield bytes(50)

    return handlers


async def use(peer: Peer, what: str, size: int) -> None:
    with suppress(RpcError):
        if what == "tell":
            peer.notify("tell", size)
        elif what == "totals":
            async with peer.stream("totals", timeout=20) as stream:
                for number in range(size * 3):
                    await stream.send(number % 2)
                await stream.end()
                async for _ in stream:
                    pass
        elif what == "endless":
            async with peer.stream("endless", timeout=20) as stream:
                for _ in range(size * 10):
                    await anext(stream)
        else:
            await peer.request(what, size, timeout=size + 1)


async def use_for(timeout: int, peer: Peer, what: str, size: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await use(peer, what, size)


@settings(max_examples=short_or_whole(100, 400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(("now", "later", "busy", "fail", "back", "tell", "totals", "endless", "nothing")),
            st.integers(0, 9),
            st.integers(0, 12),
        ),
        max_size=40,
    ),
    st.booleans(),
    st.booleans(),
)
def test_peers(uses, framed, closed_amid):
    """Whatever is asked and given up, everyone gets an end, and no task is left when the connection is."""

    async def scenario():
        async with pipe(busy_handlers(), busy_handlers(), framed=framed) as peers:
            asking = []
            for first, what, size, timeout in uses:
                asking.append(asyncio.create_task(use_for(timeout, peers[first], what, size)))
            if closed_amid:
                await asyncio.sleep(2)
                peers[0].close(4000, "enough")
            await asyncio.gather(*asking, return_exceptions=True)
            # What was given up may still be on its way there.
            await asyncio.sleep(100)
            assert [peer.in_flight for peer in peers] == [0, 0] or closed_amid

    run(scenario())
