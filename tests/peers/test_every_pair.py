"""Six peers on five transports and in three languages call each other through one server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from rpc import Client, connect
from tests.browser.chromium import ARGUMENTS, PROGRAM
from tests.peers.peer import EXPECTED, Peer

NODE_PROGRAM = Path(__file__).parent / "node.mjs"
DEADLINE = 120.0

pytestmark = [pytest.mark.browser, pytest.mark.node]


@asynccontextmanager
async def node_peer(address: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(NODE_PROGRAM),
        "arrive",
        address,
        "node",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    assert await process.stdout.readline() == b"arrived\n"
    yield
    process.stdin.close()
    assert await process.wait() == 0


@asynccontextmanager
async def chromium_peer(page_address: str, address: str) -> AsyncIterator[None]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        page = await browser.new_page()
        await page.goto(page_address)
        arrive = "async (address) => { await (await import('/peer.js')).arrive(gotalk, address, 'chromium') }"
        await page.evaluate(arrive, address)
        yield
        await browser.close()


async def arrive(everyone: AsyncExitStack, site: dict[str, str]) -> Client:
    """Let every peer connect; returns one more connection, to ask through."""
    trusting = ssl.create_default_context(cafile=site["certificate"])
    for scheme in ("tcp", "tls", "unix", "ws"):
        context = trusting if scheme == "tls" else None
        await everyone.enter_async_context(await Peer.arrive(site[scheme], f"python over {scheme}", context))
    await everyone.enter_async_context(node_peer(site["ws"]))
    await everyone.enter_async_context(chromium_peer(site["http"], site["ws"]))
    return await everyone.enter_async_context(await connect(site["tcp"]))


def test_everyone_calls_everyone(site):
    """Requests, notifications, streams, errors and cancels, from each peer to each, itself included."""

    async def scenario():
        async with asyncio.timeout(DEADLINE), AsyncExitStack() as everyone:
            asking = await arrive(everyone, site)
            names = await asking.request("who")
            assert len(names) == 6
            for me in names:
                for to in names:
                    drive = {"to": me, "operation": "drive", "params": {"me": me, "to": to}}
                    assert (me, to, await asking.request("relay", drive)) == (me, to, EXPECTED)

    asyncio.run(scenario())
