"""`connect`: over WebSocket, over and over, and to what is not there."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.server import serve as serve_websocket

from rpc import ConnectionClosed, Handlers, Limits, Peer, RequestFailed, RequestTimeout, connect, serve
from rpc.transports.websocket_client import WebSocketTransport

pytestmark = pytest.mark.sockets


@pytest.fixture
def handlers() -> Handlers:
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("close me")
    async def close_me(peer: Peer, code: int) -> None:
        peer.close(code, "as you wish")

    @handlers.request("greet back")
    async def greet_back(peer: Peer) -> str:
        return await peer.request("greet", None, str)

    return handlers


@asynccontextmanager
async def websocket_server(handlers: Handlers, **options):
    """Yields the address of a WebSocket server whose peers have these handlers."""

    async def run(websocket):
        transport = WebSocketTransport(websocket)
        await transport.run(Peer(handlers, transport), Limits())

    async with serve_websocket(run, "127.0.0.1", 0, compression=None, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/gotalk/"


async def test_websocket(handlers):
    """Requests both ways, large ones, and the server's reason to close."""
    mine = Handlers()

    @mine.request("greet", inline=True)
    def greet() -> str:
        return "hello"

    async with websocket_server(handlers) as url:
        async with await connect(url, handlers=mine) as client:
            assert await client.request("echo", "hi") == "hi"
            assert await client.request("echo", bytes(700_000), bytes) == bytes(700_000)
            assert await client.request("greet back") == "hello"
            assert "joined" in client.features
            with pytest.raises(ConnectionClosed) as caught:
                await client.request("close me", 4403)
            assert (caught.value.code, caught.value.text) == (4403, "as you wish")
        assert client.features == frozenset()


async def test_websocket_that_is_closed_by_us(handlers):
    """With 1000, and what is asked still is told."""
    async with websocket_server(handlers) as url:
        client = await connect(url)
        await client.request("echo")
        await client.close()
        assert (await client.wait_closed()).code == 1000


async def test_header_of_a_websocket(handlers):
    """Headers go along, such as a token."""
    seen = []

    async def look(connection, request):
        seen.append(request.headers["Authorization"])

    headers = {"Authorization": "Bearer x"}
    async with (
        websocket_server(handlers, process_request=look) as url,
        await connect(url, headers=headers) as client,
    ):
        await client.request("echo")
    assert seen == ["Bearer x"]


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (None, "http://127.0.0.1:{port}"),
        ({"Authorization": "Bearer x"}, "http://127.0.0.1:{port}"),
        ({"origin": "https://chat.example.org"}, "https://chat.example.org"),
        ({"Origin": ""}, None),
    ],
)
async def test_origin_of_a_websocket(handlers, headers, sent):
    """The server's own, as stock Go servers want it; the caller's replaces it, and an empty one is not sent."""
    seen = []

    async def look(connection, request):
        seen.append(request.headers.get_all("Origin"))

    async with (
        websocket_server(handlers, process_request=look) as url,
        await connect(url, headers=headers) as client,
    ):
        await client.request("echo")
        port = urlsplit(url).port
    assert seen == [[sent.format(port=port)] if sent else []]


async def test_nobody_is_there():
    """The caller gets the error, and nothing goes on."""
    async with await serve("tcp://127.0.0.1:0", Handlers()) as server:
        url = server.url
    for reconnect in (False, True):
        with pytest.raises(ConnectionRefusedError):
            await connect(url, reconnect=reconnect)
    with pytest.raises(OSError):
        await connect(url.replace("tcp", "ws"))


async def test_no_websocket_is_there():
    """A server of another protocol is no connection."""
    async with await serve("tcp://127.0.0.1:0", Handlers(), Limits(handshake_timeout=0.1)) as server:
        with pytest.raises(ConnectionError):
            await connect(server.url.replace("tcp", "ws"))


async def test_host_that_does_not_answer():
    """Connecting has a deadline."""

    async def keep_silent(reader, writer):
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(TimeoutError):
            await connect(f"ws://127.0.0.1:{port}/", timeout=0.2)


async def test_server_of_another_protocol():
    """It breaks the protocol: the request says so."""

    async def greet(reader, writer):
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as mail:
        port = mail.sockets[0].getsockname()[1]
        async with await connect(f"tcp://127.0.0.1:{port}") as client:
            with pytest.raises(ConnectionClosed) as caught:
                await client.request("echo")
            assert caught.value.code == 4001


async def test_reconnect(handlers, monkeypatch):
    """The connection is opened again; a request waits for it, what was underway fails."""
    monkeypatch.setattr("rpc.client.FIRST_CEILING", 0.01)
    connections = 0

    @handlers.opened
    async def opened(peer: Peer) -> None:
        nonlocal connections
        connections += 1

    server = await serve("tcp://127.0.0.1:0", handlers)
    async with await connect(server.url, reconnect=True) as client:
        await client.request("echo")
        with pytest.raises(ConnectionClosed):
            await client.request("close me", 4503)
        assert await client.request("echo", "again") == "again"
        await server.close()
        while client.peer is not None:
            await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed):
            await client.request("echo", timeout=0.1)
        server = await serve(server.url, handlers)
        assert await client.request("echo", "and again") == "and again"
        assert connections == 3
    await server.close()


async def test_reconnect_to_a_server_that_refuses(handlers):
    """It would refuse again: the client gives up and says why."""
    async with (
        await serve("tcp://127.0.0.1:0", handlers) as server,
        await connect(server.url, reconnect=True) as client,
    ):
        await client.request("echo")
        with pytest.raises(ConnectionClosed):
            await client.request("close me", 4401)
        assert (await client.wait_closed()).code == 4401
        with pytest.raises(ConnectionClosed):
            await client.request("echo")
        with pytest.raises(ConnectionClosed):
            client.stream("echo")


async def test_request_times_out_and_is_cancelled(handlers):
    """Who waits no longer cancels the handler."""
    cancelled = asyncio.Event()

    @handlers.request("never")
    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with await serve("tcp://127.0.0.1:0", handlers) as server, await connect(server.url) as client:
        await client.request("echo")
        with pytest.raises(RequestTimeout):
            await client.request("never", timeout=0.05)
        await cancelled.wait()


async def test_client_without_handlers(handlers):
    """It answers nothing that it does not know."""
    async with await serve("tcp://127.0.0.1:0", handlers) as server, await connect(server.url) as client:
        with pytest.raises(RequestFailed):
            await client.request("greet back")
