"""Servers with the public Go package, asked by our clients: they get what a Go client gets there."""

import asyncio
import sys

import pytest

from rpc import Limits, connect
from tests.peers.stock import GoPeer, GoServer, alone
from tests.server import ROOT

pytestmark = pytest.mark.peers


async def echo(parts, write):
    """Writes each part as it comes; an empty one would be its end."""
    while (part := await parts.get()) is not None:
        await write(part)


async def tell(parts, write):
    """Writes at the end how many parts came, and what they were."""
    came = []
    while (part := await parts.get()) is not None:
        came.append(part)
    await write(repr(came).encode())


@alone
async def test_websocket_of_a_go_server():
    """It refuses whoever sends no Origin; ours does."""
    async with GoServer({"greet": lambda payload: b'"Hello ' + payload[1:]}) as server:
        async with await connect(server.websocket_url) as client:
            assert await client.request("greet", "Ann") == "Hello Ann"
        with pytest.raises(PermissionError, match="403"):
            await connect(server.websocket_url, headers={"Origin": ""})


@alone
async def test_go_server_that_shuts_down():
    """It sends no heartbeats, and those of our client keep it until the idle timeout, when the client leaves."""
    limits = Limits(heartbeat_interval=0.04, idle_timeout=0.5)
    async with GoServer() as server, await connect(server.url, limits=limits) as client:
        served = await server.accepted.get()
        await served.hear(lambda: served.heartbeats == 1)
        await served.shut_down(0.1)
        assert served.fault == 3
        assert (await client.wait_closed()).code == 4003


@alone
async def test_stream_to_a_go_server():
    """The command prints what a Go client gets, even if it waits for the result before it has anything to send."""
    async with GoServer(streams={"echo": echo}) as server:
        async with GoPeer(server.url) as peer:
            await server.accepted.get()
            stream = await peer.ask("echo", b'"a"', kind=b"s")
            for part in (b'"b"', b""):
                await peer.part(stream, part)
            assert [part async for part in stream.parts()] == [b'"a"', b'"b"']
        command = sys.executable, "manage.py", "gotalk", "request", "--stream", server.url, "echo", "-"
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, **pipes)
        served = await server.accepted.get()
        await served.hear(lambda: served.notifications)
        printed, _ = await process.communicate(b'"a"\n"b"\n')
        assert (process.returncode, printed) == (0, b'"a"\n"b"\n')


@alone
async def test_reading_a_stream_of_a_go_server_before_the_first_part():
    """It gets the parts that were sent, and no other."""
    async with (
        GoServer({"echo": lambda payload: payload}, {"tell": tell}) as server,
        await connect(server.url) as client,
        client.stream("tell", result_type=bytes) as stream,
    ):
        reading = asyncio.create_task(anext(stream))
        await client.request("echo")
        await stream.send(b"a")
        await stream.end()
        assert await reading == b"[b'a']"


@alone
async def test_stream_to_a_go_server_without_a_part():
    """The grammar has no request in parts without a first one: an empty one it is, and then the end."""
    async with (
        GoServer(streams={"tell": tell}) as server,
        await connect(server.url) as client,
        client.stream("tell", result_type=bytes) as stream,
    ):
        await stream.end()
        assert [part async for part in stream] == [b"[b'']"]
