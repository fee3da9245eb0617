"""Connections come and go, and nothing of them is left. A gigabyte streams, and memory stays flat."""

import asyncio
import gc
import os
import resource
from collections.abc import AsyncIterator

import pytest

from rpc import Admission, Caps, ConnectionClosed, Handlers, Limits, Peer, RequestTimeout, connect, serve
from rpc.peer.streams import Stream
from rpc.protocol.session import Session
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

CONNECTIONS = short_or_whole(1000, 10_000)
SIDE_BY_SIDE = 50
NO_CAPS = Caps(connections_per_address=None, arrivals_per_second=None)
GIGABYTE = 1 << 30
PART = bytes(1 << 18)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def left(*kinds: type) -> list[object]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


@pytest.fixture
def handlers() -> Handlers:
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("never")
    async def never() -> None:
        await asyncio.Event().wait()

    @handlers.stream("endless")
    async def endless(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        while True:
            yield b"more"

    @handlers.stream("length")
    async def length(parts: AsyncIterator[bytes]) -> int:
        total = 0
        async for part in parts:
            total += len(part)
        return total

    @handlers.stream("back")
    async def back(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part

    return handlers


async def visit(url: str, number: int) -> None:
    """Connect, do something, leave in one of several ways."""
    if number % 10 == 9:
        host, port = url.removeprefix("tcp://").split(":")
        _, writer = await asyncio.open_connection(host, port)
        writer.write((b"01r0001004", b"02", b"", b"01s0001007endless00000000")[number // 10 % 4])
        writer.transport.abort()
        return
    async with await connect(url) as client:
        await client.request("echo", number)
        match number % 5:
            case 1:
                with pytest.raises(RequestTimeout):
                    await client.request("never", timeout=0.001)
            case 2:
                async with client.stream("endless", b"", bytes) as stream:
                    await anext(stream)
            case 3:
                asking = asyncio.create_task(client.request("never"))
                await client.request("echo")
                await client.close()
                with pytest.raises(ConnectionClosed):
                    await asking


def test_connections(handlers):
    """Whatever they did, and however they left."""

    async def scenario():
        gate = asyncio.Semaphore(SIDE_BY_SIDE)

        async def guarded(number: int) -> None:
            async with gate:
                await visit(server.url, number)

        async with await serve("tcp://127.0.0.1:0", handlers, admission=Admission(NO_CAPS)) as server:
            await visit(server.url, 0)
            before = open_files()
            async with asyncio.TaskGroup() as visits:
                for number in range(CONNECTIONS):
                    visits.create_task(guarded(number))
            async with asyncio.timeout(30):
                while len(server) or open_files() > before:
                    await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert left(Peer, Session, Stream) == []


def test_gigabyte(handlers):
    """Up, and down again, through a server and a client in one process."""

    async def scenario():
        limits = Limits(bytes_per_second=None)
        async with (
            await serve("tcp://127.0.0.1:0", handlers, limits) as server,
            await connect(server.url, limits=limits) as client,
        ):
            await client.request("echo")
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            async with client.stream("back", result_type=bytes) as stream, asyncio.TaskGroup() as group:

                async def send() -> None:
                    for _ in range(GIGABYTE // len(PART)):
                        await stream.send(PART)
                    await stream.end()

                group.create_task(send())
                received = 0
                async for part in stream:
                    received += len(part)
            assert received == GIGABYTE
            grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert grown_kib < 32 * 1024

    asyncio.run(scenario())
