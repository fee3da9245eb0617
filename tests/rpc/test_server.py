"""`serve` and `connect` over real sockets."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator

import pytest

from rpc import (
    Admission,
    Caps,
    ConnectionClosed,
    Handlers,
    Limits,
    Notification,
    OperationError,
    Peer,
    Prepared,
    Refused,
    RequestFailed,
    RetryLater,
    connect,
    serve,
)
from rpc.protocol.extensions import FEATURES

pytestmark = pytest.mark.sockets


@pytest.fixture
def handlers() -> Handlers:
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("whence")
    async def whence(peer: Peer) -> list[object]:
        return [peer.scope["type"], peer.scope["scheme"], peer.scope["client"] is not None]

    @handlers.request("call back")
    async def call_back(peer: Peer, name: str) -> str:
        return "you said " + await peer.request(name, None, str)

    @handlers.request("never")
    async def never() -> None:
        await asyncio.Event().wait()

    @handlers.stream("upper")
    async def upper(parts: AsyncIterator[str]) -> AsyncIterator[str]:
        async for part in parts:
            yield part.upper()

    return handlers


@pytest.fixture(params=["tcp", "tls", "unix"])
def listening(request, tmp_path, server_context, client_context):
    """Where to listen, with what context, and the client's."""
    if request.param == "unix":
        return f"unix://{tmp_path}/gotalk.sock", None, None
    if request.param == "tls":
        return "tls://127.0.0.1:0", server_context, client_context
    return "tcp://127.0.0.1:0", None, None


async def bytes_of(url: str, *said: bytes, half_close: bool = False) -> bytes:
    """All that a server answers to a client that speaks literal bytes."""
    reader, writer = await asyncio.open_connection(*url.removeprefix("tcp://").split(":"))
    writer.write(b"".join(said))
    if half_close:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


# --- both directions ---------------------------------------------------------------------------------------


async def test_both_ways(handlers, listening):
    """Requests, streams, errors and large payloads both ways over each transport."""
    url, server_ssl, client_ssl = listening
    theirs = Handlers()

    @theirs.request("name", inline=True)
    def name() -> str:
        return "Bob"

    async with (
        await serve(url, handlers, ssl=server_ssl) as server,
        await connect(server.url, handlers=theirs, ssl=client_ssl) as client,
    ):
        assert await client.request("echo", {"text": "群发 🎉"}) == {"text": "群发 🎉"}
        assert await client.request("echo", bytes(1_000_000), bytes) == bytes(1_000_000)
        assert await client.request("whence") == ["gotalk", url.split(":")[0], not url.startswith("unix")]
        assert await client.request("call back", "name") == "you said Bob"
        with pytest.raises(RequestFailed) as caught:
            await client.request("call back", "nothing")
        assert caught.value.code == "internal"
        async with client.stream("upper", result_type=str) as stream:
            await stream.send("a")
            await stream.send("b")
            await stream.end()
            assert [part async for part in stream] == ["A", "B"]
        assert client.features == set(FEATURES)


async def test_connections_are_forgotten(handlers, listening):
    """When they end, whoever ends them."""
    url, server_ssl, client_ssl = listening
    async with await serve(url, handlers, ssl=server_ssl) as server:
        for _ in range(3):
            async with await connect(server.url, ssl=client_ssl) as client:
                await client.request("echo")
                assert len(server) == 1
            while len(server):
                await asyncio.sleep(0)


async def test_reason_of_a_close(handlers, listening):
    """Over a byte stream too a client learns why it was closed."""
    url, server_ssl, client_ssl = listening

    @handlers.request("kick me")
    async def kick_me(peer: Peer) -> None:
        peer.close(4403, "kicked")

    async with (
        await serve(url, handlers, ssl=server_ssl) as server,
        await connect(server.url, ssl=client_ssl) as client,
    ):
        await client.request("echo")
        with pytest.raises(ConnectionClosed) as caught:
            await client.request("kick me")
        assert (caught.value.code, caught.value.text) == (4403, "kicked")
        assert (await client.wait_closed()).code == 4403
        with pytest.raises(ConnectionClosed):
            await client.request("echo")
        with pytest.raises(ConnectionClosed):
            client.notify("typing")


async def test_notifications_of_a_remote_that_leaves(handlers, listening):
    """What it told before it left is heard to the end, in order."""
    url, server_ssl, client_ssl = listening
    heard = []
    done = asyncio.Event()

    @handlers.notification("told")
    async def told(number: int) -> None:
        # As many turns as the client needs to leave.
        for _ in range(10):
            await asyncio.sleep(0)
        heard.append(number)
        if number == 4:
            done.set()

    async with await serve(url, handlers, ssl=server_ssl) as server:
        async with await connect(server.url, ssl=client_ssl) as client:
            for number in range(5):
                client.notify("told", number)
            await client.request("echo")
        await done.wait()
    assert heard == [0, 1, 2, 3, 4]


async def test_hooks(handlers):
    """Each connection is opened and closed once; one may be refused."""
    seen = []

    @handlers.opened
    async def opened(peer: Peer) -> None:
        seen.append("opened")
        if seen.count("opened") == 2:
            raise Refused(4401, "log in")

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append("closed")

    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        async with await connect(server.url) as client:
            await client.request("echo")
        while len(server):
            await asyncio.sleep(0)
        async with await connect(server.url) as client:
            assert str(await client.wait_closed()) == "connection closed (4401) log in"
    assert seen == ["opened", "closed", "opened", "closed"]


# --- stock peers -------------------------------------------------------------------------------------------


async def test_half_closed(handlers):
    """An end that has said all may still read: what runs is answered, then the server closes too."""

    @handlers.request("wait")
    async def wait() -> str:
        # As many turns as the server needs to hear of the end.
        for _ in range(10):
            await asyncio.sleep(0)
        return "waited"

    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        said = b"01r0001004wait00000000r0002004echo00000002hi"
        heard = await bytes_of(server.url, said, half_close=True)
        assert heard.endswith(b'R000200000002hiR000100000008"waited"')


async def test_half_closed_behind_notifications(handlers):
    """An end that has said all it wants is heard out."""
    heard = []

    @handlers.notification("tell")
    async def tell(params: int) -> None:
        await asyncio.sleep(0)
        heard.append(params)

    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        await bytes_of(server.url, b"01n004tell000000011n004tell000000012", half_close=True)
    assert heard == [1, 2]


async def test_protocol_error_is_followed_by_the_end(handlers):
    """A Go peer reads 13 bytes at least: it sees the 9 of `f` only when the stream ends behind them."""
    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        assert (await bytes_of(server.url, b"01zzz")).endswith(b"f00000002")
        assert (await bytes_of(server.url, b"02")).endswith(b"f00000001")


async def test_nothing_is_sent_behind_a_protocol_error(handlers):
    """What goes to many peers is left out as soon as the end of one connection is written."""
    sent = []

    @handlers.request("news")
    async def news(peer: Peer) -> int:
        def send() -> None:
            peer.send(Prepared([Notification("news", b"")]))
            sent.append(peer)

        # Before the answer leaves, at the end of this turn of the loop.
        asyncio.get_running_loop().call_soon(send)
        return 1

    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        heard = await bytes_of(server.url, b"01r0001004news00000000z")
    assert heard.endswith(b"R0001000000011f00000002")
    assert len(sent) == 1


async def test_silence(handlers):
    """No version in time, or nothing for too long, ends the connection."""
    limits = Limits(handshake_timeout=0.2, idle_timeout=0.3)
    async with await serve("tcp://127.0.0.1:0", handlers, limits) as server:
        assert (await bytes_of(server.url)).endswith(b"f00000003")
        assert (await bytes_of(server.url, b"01")).endswith(b"f00000003")


async def test_remote_that_does_not_read(handlers):
    """It is dropped when it has taken nothing for a while, and nobody else waits."""
    limits = Limits(stall_timeout=0.1, bytes_per_second=None, messages_per_second=None)
    async with await serve("tcp://127.0.0.1:0", handlers, limits) as server:
        host, port = server.url.removeprefix("tcp://").split(":")
        with socket.socket() as stalled:
            stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stalled.connect((host, int(port)))
            stalled.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(stalled, b"01")
            with pytest.raises(ConnectionError):
                while True:
                    await asyncio.get_running_loop().sock_sendall(stalled, b"r0001004echo00010000" + bytes(65536))
        async with await connect(server.url) as client:
            assert await client.request("echo", 1) == 1


async def test_client_with_the_default_limits_that_asks_all_the_time(handlers):
    """Answers that it asked for count against no rate of its own, however fast they come."""
    rates_off = Limits(messages_per_second=None, bytes_per_second=None)
    async with await serve("tcp://127.0.0.1:0", handlers, rates_off) as server, await connect(server.url) as client:
        for number in range(20_000):
            assert await client.request("echo", number) == number


# --- caps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caps", [{"connections": 2, "connections_kept": 0}, {"connections_per_address": 2}])
async def test_one_connection_too_many(handlers, caps):
    """It hears an abnormal end; one that leaves makes room."""
    admission = Admission(Caps(**caps))
    async with await serve("tcp://127.0.0.1:0", handlers, admission=admission) as server:
        first, second = await connect(server.url), await connect(server.url)
        await first.request("echo")
        await second.request("echo")
        assert await bytes_of(server.url) == b"01f00000000"
        await first.close()
        while admission.connections > 1:
            await asyncio.sleep(0)
        async with await connect(server.url) as third:
            assert await third.request("echo", 3) == 3
        await second.close()


async def test_servers_that_count_together(handlers, tmp_path):
    """Who fills one port finds the other one full as well."""
    admission = Admission(Caps(connections=1, connections_kept=0))
    async with (
        await serve("tcp://127.0.0.1:0", handlers, admission=admission) as server,
        await serve(f"unix://{tmp_path}/gotalk.sock", handlers, admission=admission) as beside,
        await connect(beside.url),
    ):
        assert await bytes_of(server.url) == b"01f00000000"


async def test_address_that_connects_too_often(handlers):
    """Its connections are refused even though none of them lasts."""
    admission = Admission(Caps(arrivals_burst=2, arrivals_per_second=1), clock=lambda: 0.0)
    async with await serve("tcp://127.0.0.1:0", handlers, admission=admission) as server:
        for _ in range(2):
            async with await connect(server.url) as client:
                await client.request("echo")
        assert await bytes_of(server.url) == b"01f00000000"


async def test_unfinished_payloads_of_many_connections(handlers):
    """The largest makes room, and the others are finished and answered."""
    admission = Admission(Caps(unfinished_bytes_per_address=1000))
    async with await serve("tcp://127.0.0.1:0", handlers, admission=admission) as server:
        host, port = server.url.removeprefix("tcp://").split(":")
        small, large = await asyncio.open_connection(host, port), await asyncio.open_connection(host, port)
        for (_, writer), size in ((small, 300), (large, 600)):
            writer.write(b"01r0001004echo00000400" + bytes(size))
        while admission.unfinished < 900:
            await asyncio.sleep(0)
        small[1].write(bytes(101))
        assert await large[0].read() == b"01"
        small[1].write(bytes(0x400 - 401))
        small[1].write_eof()
        assert await small[0].read() == b"01R000100000400" + bytes(0x400)
        assert admission.unfinished == 0
        small[1].close()
        large[1].close()


# --- the end -----------------------------------------------------------------------------------------------


async def test_drain(handlers, listening):
    """What runs is answered, what is new is deferred, nobody new is let in."""
    url, server_ssl, client_ssl = listening
    let_go = asyncio.Event()

    @handlers.request("wait")
    async def wait() -> str:
        await let_go.wait()
        return "waited"

    server = await serve(url, handlers, ssl=server_ssl)
    async with await connect(server.url, ssl=client_ssl) as client:
        running = asyncio.create_task(client.request("wait"))
        await client.request("echo")
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        with pytest.raises(RetryLater) as caught:
            await client.request("echo", retries=0)
        assert caught.value.code == "restarting"
        with pytest.raises(OSError):
            await connect(server.url, ssl=client_ssl)
        let_go.set()
        assert await running == "waited"
        await closing
        await server.close()
        assert (await client.wait_closed()).code == 4503


async def test_drain_has_a_deadline(handlers):
    """A request that never ends does not keep the server."""
    server = await serve("tcp://127.0.0.1:0", handlers)
    async with await connect(server.url) as client:
        never = asyncio.create_task(client.request("never"))
        await client.request("echo")
        await server.close(timeout=0.1)
        with pytest.raises(ConnectionClosed):
            await never


# --- addresses ---------------------------------------------------------------------------------------------


async def test_stale_unix_socket(handlers, tmp_path):
    """What a server that died left behind is removed; a living server, or a file, is not."""
    path = tmp_path / "gotalk.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    async with await serve(f"unix://{path}", handlers) as server:
        async with await connect(server.url) as client:
            assert await client.request("echo", 1) == 1
        with pytest.raises(OSError) as caught:
            await serve(f"unix://{path}", handlers)
        assert caught.value.errno == errno.EADDRINUSE
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(OSError) as caught:
        await serve(f"unix://{path}", handlers)
    assert caught.value.errno == errno.EEXIST
    assert path.read_text() == "mine"


async def test_unix_socket_of_a_successor(handlers, tmp_path):
    """A server removes only its own."""
    path = tmp_path / "gotalk.sock"
    first = await serve(f"unix://{path}", handlers)
    os.unlink(path)
    second = await serve(f"unix://{path}", handlers)
    await first.close()
    assert path.exists()
    os.unlink(path)
    await second.close()


async def test_port_that_is_taken(handlers):
    """It is said, and nothing is left behind."""
    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        with pytest.raises(OSError) as caught:
            await serve(server.url, handlers)
        assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8001", "http://x", "tcp://", "tcp://x:port", "tcp://x:99999", "tcp://x/y", "unix://a/b"]
)
async def test_address_that_is_none(handlers, url):
    """It is said what one looks like."""
    with pytest.raises(ValueError, match="is not an address"):
        await serve(url, handlers)
    with pytest.raises(ValueError, match="is not an address"):
        await connect(url)


async def test_scheme_and_context_do_not_match(handlers, server_context):
    """tls needs a certificate, tcp does not encrypt, and WebSockets are the HTTP server's."""
    with pytest.raises(ValueError, match="certificate"):
        await serve("tls://127.0.0.1:0", handlers)
    with pytest.raises(ValueError, match="certificate"):
        await serve("tcp://127.0.0.1:0", handlers, ssl=server_context)
    with pytest.raises(ValueError, match="HTTP server"):
        await serve("ws://127.0.0.1:0", handlers)


async def test_certificate_that_is_not_trusted(handlers, server_context):
    """A client checks it."""
    async with await serve("tls://127.0.0.1:0", handlers, ssl=server_context) as server:
        with pytest.raises(ssl.SSLError):
            await connect(server.url)


async def test_handler_error_code(handlers):
    """Errors keep their code and field over a byte stream."""

    @handlers.request("post")
    async def post() -> None:
        raise OperationError("no such room", "no_such_room", "room")

    async with await serve("tcp://127.0.0.1:0", handlers) as server, await connect(server.url) as client:
        with pytest.raises(RequestFailed) as caught:
            await client.request("post")
        assert (caught.value.text, caught.value.code, caught.value.field) == (
            "no such room",
            "no_such_room",
            "room",
        )
