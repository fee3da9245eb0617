"""`connect` with a token and `on_connect`: who reconnects is still itself before anything else is asked."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from rpc import (
    Client,
    ConnectionClosed,
    Handlers,
    Limits,
    OperationError,
    Peer,
    Refused,
    RequestFailed,
    RequestTimeout,
    RetryLater,
    connect,
    serve,
)
from tests.rpc.test_client import websocket_server
from tests.rpc.wire import HELLO

pytestmark = pytest.mark.sockets


class World:
    """A server that writes down what each connection asks it, and lets in who knows the token "abc"."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        """The operations of each connection, in their order."""
        self.login: Exception | None = None
        """What `login` raises."""
        self.let_in = asyncio.Event()
        """What `login` waits for."""
        self.let_in.set()
        self.handlers = Handlers()
        self.handlers.opened(self._opened)
        self.handlers.request("login")(self._login)
        self.handlers.request("close me")(self._close)
        self.handlers.request("")(self._note)

    async def _opened(self, peer: Peer) -> None:
        self.asked.append([])

    async def _login(self, token: str) -> None:
        self.asked[-1].append(f"login {token}")
        await self.let_in.wait()
        if self.login is not None:
            raise self.login

    async def _close(self, peer: Peer, code: int) -> None:
        peer.close(code, "as you wish")

    async def _note(self, operation: str, payload: bytes) -> bytes:
        self.asked[-1].append(operation)
        return payload


@pytest.fixture
def world(monkeypatch) -> World:
    monkeypatch.setattr("rpc.client.FIRST_CEILING", 0.01)
    return World()


@asynccontextmanager
async def serving(world: World):
    async with await serve("tcp://127.0.0.1:0", world.handlers) as server:
        yield server.url


async def lose(client: Client, code: int = 4503) -> None:
    """Let the server close the connection."""
    with pytest.raises(ConnectionClosed):
        await client.request("close me", code)


# --- the token ---------------------------------------------------------------------------------------------


async def test_token_over_a_byte_stream():
    """It is the first request, and the application's come only after its answer."""
    heard = bytearray()

    async def answer(reader, writer):
        login = b"01" + HELLO + b'r0001005login00000005"abc"'
        assert await reader.readexactly(len(login)) == login
        writer.write(b"01R000100000004null")
        heard.extend(await reader.readexactly(23))
        writer.write(b"R000200000002ok")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with await connect(f"tcp://127.0.0.1:{port}", token="abc") as client:
            assert await client.request("work", b"now", bytes) == b"ok"
    assert heard == b"r0002004work00000003now"


async def test_token_over_a_websocket(world):
    """It is in the header, on each connection, and nothing is asked for it."""
    seen = []

    async def look(connection, request):
        seen.append(request.headers["Authorization"])

    async with (
        websocket_server(world.handlers, process_request=look) as url,
        await connect(url, token="abc", reconnect=True) as client,
    ):
        await lose(client)
        await client.request("work")
    assert (seen, world.asked) == (["Bearer abc"] * 2, [[], ["work"]])


@pytest.mark.parametrize("token", ["", "a b", "abc\n", "é"])
async def test_text_that_cannot_be_a_token(token):
    """It would break the header, or was read with the end of its line."""
    with pytest.raises(ValueError, match="visible ASCII"):
        await connect("tcp://127.0.0.1:9", token=token)


async def test_token_beside_a_header_of_its_kind():
    """Nobody could say which counts."""
    with pytest.raises(ValueError, match="Authorization"):
        await connect("ws://127.0.0.1:9/", token="abc", headers={"authorization": "Bearer x"})


@pytest.mark.parametrize("reconnect", [False, True])
async def test_refused_token(world, reconnect):
    """There is no client; the error has the server's words."""
    world.login = OperationError("this token is unknown", "log_in")
    async with serving(world) as url:
        with pytest.raises(ConnectionClosed) as caught:
            await connect(url, token="abc", reconnect=reconnect)
        assert (caught.value.code, caught.value.text) == (4401, "this token is unknown")
        assert world.asked == [["login abc"]]


async def test_token_that_is_refused_later(world):
    """A client that reconnects gives up for good, and who asks it is told why."""
    async with serving(world) as url, await connect(url, token="abc", reconnect=True) as client:
        world.login = OperationError("this token was revoked", "log_in")
        await lose(client)
        asked = asyncio.create_task(client.request("work"))
        assert str(await client.wait_closed()) == "connection closed (4401) this token was revoked"
        for waiting in (asked, client.request("work")):
            with pytest.raises(ConnectionClosed, match="this token was revoked"):
                await waiting
        assert world.asked == [["login abc"], ["login abc"]]


async def test_server_without_a_login(world):
    """A token is of no use there, and the client does not pretend to be somebody."""
    async with await serve("tcp://127.0.0.1:0", Handlers()) as server:
        with pytest.raises(ConnectionClosed, match='unknown operation "login"'):
            await connect(server.url, token="abc", reconnect=True)


@pytest.mark.parametrize("failure", [ZeroDivisionError(), RetryLater(60_000, "not now")])
async def test_login_that_fails_on_the_servers_side(world, failure):
    """It says nothing about the token: a client that reconnects tries again."""
    limits = Limits(request_timeout=5)
    async with (
        serving(world) as url,
        await connect(url, token="abc", reconnect=True, limits=limits) as client,
    ):
        world.login = failure
        await lose(client)
        while len(world.asked) < 3:
            await asyncio.sleep(0)
        world.login = None
        assert await client.request("work") is None
        assert world.asked[-1] == ["login abc", "work"]


@pytest.mark.parametrize("status", [401, 403])
async def test_handshake_that_is_refused_later(world, status):
    """Over WebSocket a server may also refuse in HTTP's way: that is final too."""
    refuses = False

    async def look(connection, request):
        return connection.respond(status, "") if refuses else None

    async with (
        websocket_server(world.handlers, process_request=look) as url,
        await connect(url, token="abc", reconnect=True) as client,
    ):
        refuses = True
        await lose(client)
        closed = await client.wait_closed()
        assert closed.code == 4403
        assert f"HTTP {status}" in closed.text


# --- on_connect --------------------------------------------------------------------------------------------


async def test_what_is_asked_while_there_is_no_connection(world):
    """It waits for the login and for `on_connect`, on each connection, and then is asked once."""
    proceed = asyncio.Event()

    async def on_connect(peer: Peer) -> None:
        await peer.request("subscribe")
        if len(world.asked) > 1:
            await proceed.wait()
        await peer.request("catch up")

    async with (
        serving(world) as url,
        await connect(url, token="abc", reconnect=True, on_connect=on_connect) as client,
    ):
        await client.request("work")
        await lose(client)
        asked = asyncio.create_task(client.request("more work"))
        while len(world.asked) < 2 or "subscribe" not in world.asked[1]:
            await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed):
            client.notify("news")
        with pytest.raises(ConnectionClosed):
            client.stream("work")
        proceed.set()
        await asked
    assert world.asked == [
        ["login abc", "subscribe", "catch up", "work"],
        ["login abc", "subscribe", "catch up", "more work"],
    ]


async def test_handlers_while_on_connect_runs(world):
    """The server may ask and tell: messages are read."""
    mine = Handlers()

    @mine.request("name", inline=True)
    def name() -> str:
        return "a bot"

    @world.handlers.request("who are you")
    async def who_are_you(peer: Peer) -> str:
        return await peer.request("name", None, str)

    answers = []

    async def on_connect(peer: Peer) -> None:
        answers.append(await peer.request("who are you"))

    async with serving(world) as url, await connect(url, handlers=mine, on_connect=on_connect):
        assert answers == ["a bot"]


@pytest.mark.parametrize("reconnect", [False, True])
async def test_on_connect_fails_at_first(world, reconnect):
    """There is no client, and the caller gets the error; the server sees the connection end."""
    ended = asyncio.Event()

    @world.handlers.closed
    async def closed(peer: Peer) -> None:
        ended.set()

    async def on_connect(peer: Peer) -> None:
        raise LookupError("no such room")

    async with serving(world) as url:
        with pytest.raises(LookupError):
            await connect(url, reconnect=reconnect, on_connect=on_connect)
        await ended.wait()


@pytest.mark.parametrize("error", [LookupError("no such room"), RequestFailed("sync", "no"), TimeoutError()])
async def test_on_connect_fails_later(world, error, caplog):
    """The client tries again; an error that is a mistake of the program is in the log."""

    async def on_connect(peer: Peer) -> None:
        if len(world.asked) == 2:
            raise error

    async with serving(world) as url, await connect(url, reconnect=True, on_connect=on_connect) as client:
        await lose(client)
        await client.request("work")
        assert world.asked == [[], [], ["work"]]
    assert ("no such room" in caplog.text) == isinstance(error, LookupError)


async def test_on_connect_refuses(world):
    """A program that logs in by itself gives up like one whose token is refused."""

    async def on_connect(peer: Peer) -> None:
        raise Refused(4401, "wrong password")

    async with serving(world) as url:
        with pytest.raises(ConnectionClosed, match="wrong password"):
            await connect(url, reconnect=True, on_connect=on_connect)


async def test_on_connect_that_does_not_end(world):
    """It has as long as a request."""

    async def on_connect(peer: Peer) -> None:
        await asyncio.Event().wait()

    async with serving(world) as url:
        with pytest.raises(TimeoutError):
            await connect(url, limits=Limits(request_timeout=0.05), on_connect=on_connect)


async def test_login_that_is_not_answered(world):
    """It has as long as a request."""
    world.let_in.clear()
    async with serving(world) as url:
        with pytest.raises(RequestTimeout):
            await connect(url, token="abc", limits=Limits(request_timeout=0.05))


async def test_connection_that_ends_amid_on_connect(world):
    """Whatever it waits for, the caller is told why."""

    @world.handlers.notification("begun")
    async def close(peer: Peer) -> None:
        peer.close(4503, "restarting")

    async def on_connect(peer: Peer) -> None:
        peer.notify("begun")
        await asyncio.Event().wait()

    async with serving(world) as url:
        with pytest.raises(ConnectionClosed, match="restarting"):
            await connect(url, on_connect=on_connect)


async def test_client_that_is_closed_amid_on_connect(world):
    """It ends, and so does what it was doing."""
    cancelled = asyncio.Event()

    async def on_connect(peer: Peer) -> None:
        if len(world.asked) > 1:
            try:
                await peer.request("begin")
                await asyncio.Event().wait()
            finally:
                cancelled.set()

    async with serving(world) as url:
        async with await connect(url, reconnect=True, on_connect=on_connect) as client:
            await lose(client)
            while len(world.asked) < 2 or not world.asked[1]:
                await asyncio.sleep(0)
        assert cancelled.is_set()
