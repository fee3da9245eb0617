"""A tap passes bytes on unchanged, and reports them."""

import asyncio

import pytest

from rpc import Handlers, connect, serve
from rpc.addresses import Address
from rpc.cli.relay import Relay

pytestmark = pytest.mark.sockets


@pytest.fixture
def seen():
    """What the tap told: (connection, sender, type)."""
    return []


@pytest.fixture
def tapped(seen):
    """Starts a tap in front of a URL."""

    async def start(listen_url, url, **options):
        return await Relay.listen(
            Address.parse(listen_url),
            Address.parse(url),
            lambda number, sender, what: seen.append((number, sender, what.type)),
            **options,
        )

    return start


@pytest.fixture
def handlers():
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    return handlers


@pytest.mark.parametrize("scheme", ["tcp", "tls", "unix"])
async def test_client_and_server_do_not_notice(
    scheme, handlers, tapped, seen, tmp_path, server_context, client_context
):
    """Requests and large payloads pass, over each transport, and each connection has its number."""
    url = f"unix://{tmp_path}/server.sock" if scheme == "unix" else f"{scheme}://127.0.0.1:0"
    secret = scheme == "tls"
    async with (
        await serve(url, handlers, ssl=server_context if secret else None) as server,
        await tapped(f"unix://{tmp_path}/tap.sock", server.url, ssl=client_context if secret else None) as between,
    ):
        for number in (1, 2):
            async with await connect(between.url) as client:
                assert await client.request("echo", bytes(700_000), bytes) == bytes(700_000)
            assert [each for each in seen if each[2] in ("request", "result")][-2:] == [
                (number, "client", "request"),
                (number, "server", "result"),
            ]
    assert not (tmp_path / "tap.sock").exists()


async def test_malformed_bytes_pass(tapped, seen):
    """The server gets exactly what the client sent, and its answer comes back to the half-closed client."""
    got = asyncio.get_running_loop().create_future()

    async def answer(reader, writer):
        got.set_result(await reader.read())
        writer.write(b"220 no gotalk\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with await tapped("tcp://127.0.0.1:0", f"tcp://127.0.0.1:{port}") as between:
            reader, writer = await asyncio.open_connection("127.0.0.1", between.url.rpartition(":")[2])
            writer.write(b"01\xff\x00?")
            writer.write_eof()
            assert await reader.read() == b"220 no gotalk\r\n"
            writer.close()
            await writer.wait_closed()
    assert await got == b"01\xff\x00?"
    assert seen == [
        (1, "client", "version"),
        (1, "client", "malformed"),
        (1, "client", "end"),
        (1, "server", "malformed"),
        (1, "server", "end"),
    ]


async def test_server_that_is_not_there(tapped, seen):
    """The client is closed, the tap says why and goes on."""
    async with await serve("tcp://127.0.0.1:0", Handlers()) as server:
        url = server.url
    async with await tapped("tcp://127.0.0.1:0", url) as between:
        reader, writer = await asyncio.open_connection("127.0.0.1", between.url.rpartition(":")[2])
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert seen == [(1, "server", "unreachable")]


async def test_tap_that_ends_ends_its_connections(handlers, tapped):
    """Nobody is left talking to nobody."""
    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        async with await tapped("tcp://127.0.0.1:0", server.url) as between:
            client = await connect(between.url)
            await client.request("echo", 1)
        await client.wait_closed()
        await client.close()


@pytest.mark.parametrize(
    ("listen_url", "url"),
    [("tls://127.0.0.1:0", "tcp://127.0.0.1:1"), ("tcp://127.0.0.1:0", "ws://127.0.0.1:1/gotalk/")],
)
async def test_what_cannot_be_tapped(tapped, listen_url, url):
    """It is said before anything listens."""
    with pytest.raises(ValueError, match="tap"):
        await tapped(listen_url, url)
