"""The Channels consumer, driven by ASGI events as a server would."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import connections

from rpc import Handlers, Limits, Notification, Peer, Prepared, default_handlers
from rpc.contrib.django.conf import HANDLER_THREADS
from rpc.contrib.django.consumers import GotalkConsumer
from tests.deadlines import DEADLINE

ACCEPT = {"type": "websocket.accept"}


class Asgi:
    """A server's side of one WebSocket, with a deadline on every wait."""

    def __init__(self) -> None:
        self._to_application: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_application: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.receive, self.send = self._to_application.get, self._from_application.put

    def say(self, *chunks: bytes | str) -> None:
        for chunk in chunks:
            key = "text" if isinstance(chunk, str) else "bytes"
            self._to_application.put_nowait({"type": "websocket.receive", key: chunk})

    def leave(self, code: int = 1001) -> None:
        self._to_application.put_nowait({"type": "websocket.disconnect", "code": code})

    async def event(self) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE):
            return await self._from_application.get()

    async def hear(self, number: int) -> list[bytes | str]:
        events = [await self.event() for _ in range(number)]
        return [event["bytes"] if "bytes" in event else event["text"] for event in events]


@asynccontextmanager
async def browser(
    handlers: Handlers | None,
    scope: dict[str, Any] | None = None,
    accepted: dict[str, str] = ACCEPT,
    **options: Any,
) -> AsyncIterator[Asgi]:
    """A WebSocket that the application has accepted; it leaves at the end, and the application ends."""
    asgi = Asgi()
    asgi._to_application.put_nowait({"type": "websocket.connect"})
    application = GotalkConsumer.as_asgi(handlers=handlers, **options)
    running = asyncio.create_task(application({"type": "websocket", **(scope or {})}, asgi.receive, asgi.send))
    assert await asgi.event() == accepted
    yield asgi
    asgi.leave()
    async with asyncio.timeout(DEADLINE):
        await running
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def handlers():
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    return handlers


def test_stock_browser(handlers):
    """Accepted at once; the version alone, then each answer as header and payload."""

    async def scenario():
        async with browser(handlers) as asgi:
            assert await asgi.hear(1) == [b"01"]
            asgi.say(b"01", b"r0001004echo00000006", "😀")
            assert await asgi.hear(2) == [b"R000100000004", "😀".encode()]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("named", "accepted"),
    [
        (["mqtt", "gotalk"], {"type": "websocket.accept", "subprotocol": "gotalk"}),
        (["mqtt", "GoTalk"], ACCEPT),
        ([], ACCEPT),
    ],
)
def test_subprotocol(handlers, named, accepted):
    """The first that is known of those that the client names, or none."""

    async def scenario():
        async with browser(handlers, {"subprotocols": named}, accepted=accepted):
            pass

    asyncio.run(scenario())


def test_stock_browser_in_text(handlers):
    """A stock browser in text mode is answered in text."""

    async def scenario():
        async with browser(handlers) as asgi:
            await asgi.hear(1)
            asgi.say("01", "r0001004echo00000002", "hi")
            assert await asgi.hear(2) == ["R000100000002", "hi"]

    asyncio.run(scenario())


def test_frames_of_the_server(handlers):
    """A server that gives access to its frames gets them whole; only accept and close are events."""

    class Sink:
        buffered = unread = 0
        writable = True
        written = b""

        def write(self, frame):
            self.written += frame

        def watch(self, drained, filled):
            """It takes everything at once."""

        def abort(self):
            raise AssertionError

    sink = Sink()

    @handlers.opened
    async def opened(peer: Peer) -> None:
        peer.send(Prepared([Notification("hi", b"")]))
        peer.close(4401, "log in")

    async def scenario():
        async with browser(handlers, {"extensions": {"hubtalk.frames": sink}}) as asgi:
            assert await asgi.event() == {"type": "websocket.close", "code": 4401, "reason": "log in"}
            assert sink.written == b"\x82\x0201\x82\x0en002hi00000000"

    asyncio.run(scenario())


def test_disconnect_ends_everything(handlers):
    """A disconnect cancels what runs and awaits the `closed` hooks, also while a request is slow."""
    seen = []

    @handlers.request("wait")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append(peer.scope["path"])

    async def scenario():
        async with browser(handlers, {"path": "/gotalk/"}) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", b"r0001004wait00000000", b"r0002004echo00000000")
            assert await asgi.hear(1) == [b"R000200000000"]

    asyncio.run(scenario())
    assert seen == ["cancelled", "/gotalk/"]


@pytest.mark.parametrize("code", [1002, 1007, 1009])
def test_client_at_fault_is_answered(handlers, code):
    """It has not closed, and a server may still send: what runs is answered before the end."""
    goes_on = asyncio.Event()

    @handlers.request("wait")
    async def wait() -> None:
        await goes_on.wait()

    async def scenario():
        async with browser(handlers) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", b"r0001004wait00000000", b"r0002004echo00000000")
            asgi.leave(code)
            assert await asgi.hear(1) == [b"R000200000000"]
            goes_on.set()
            assert await asgi.hear(2) == [b"R000100000004", b"null"]

    asyncio.run(scenario())


def test_server_cancels_the_application(handlers):
    """A server that stops cancels the application, whose hooks run all the same."""
    seen = []

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append("closed")

    async def scenario():
        asgi = Asgi()
        asgi._to_application.put_nowait({"type": "websocket.connect"})
        application = GotalkConsumer.as_asgi(handlers=handlers)
        running = asyncio.create_task(application({"type": "websocket"}, asgi.receive, asgi.send))
        assert await asgi.event() == {"type": "websocket.accept"}
        await asgi.hear(1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scenario())
    assert seen == ["closed"]


def flood(number: int) -> list[bytes]:
    return [b"r%04d004echo00000000" % id for id in range(number)]


@pytest.mark.parametrize("rate_limits", [True, False])
def test_rate_limits_setting(handlers, settings, rate_limits):
    """RATE_LIMITS off lets a benchmark through; on, the burst is all one gets at once."""
    settings.RATE_LIMITS = rate_limits

    async def scenario():
        async with browser(handlers) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", *flood(1500))
            heard = await asgi.hear(1500)
            assert {chunk[:1] for chunk in heard[:1000]} == {b"R"}
            assert any(chunk[:1] == b"E" for chunk in heard) is rate_limits

    asyncio.run(scenario())


def test_own_limits(handlers):
    """A consumer may have limits of its own."""

    async def scenario():
        async with browser(handlers, limits=Limits(max_payload_bytes=10)) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", b"r0001004echo0000000b", b"0123456789a")
            assert await asgi.hear(2) == [b"E000100000025", b"payload too large: 11 bytes, limit 10"]

    asyncio.run(scenario())


def test_handler_in_a_thread_has_fresh_connections(handlers, monkeypatch):
    """Around a plain function, database connections that died or are too old are closed, as around a request."""
    calls = []
    monkeypatch.setattr("rpc.contrib.django.conf.close_old_connections", lambda: calls.append("close"))

    @handlers.request("query")
    def query() -> int:
        calls.append("query")
        return len(connections.all(initialized_only=True))

    async def scenario():
        async with browser(handlers) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", b"r0001005query00000000")
            assert (await asgi.hear(2))[0] == b"R000100000001"

    asyncio.run(scenario())
    assert calls == ["close", "query", "close"]


def test_handlers_in_threads_share_a_few(handlers):
    """Whatever peers ask for at once, six run; the others wait for their turn."""
    running, go_on = queue.SimpleQueue(), threading.Event()

    @handlers.request("wait")
    def wait() -> None:
        running.put(threading.current_thread())
        assert go_on.wait(5)

    async def scenario():
        async with browser(handlers) as asgi:
            await asgi.hear(1)
            asgi.say(b"01", *(b"r%04d004wait00000000" % number for number in range(20)))
            first = [await asyncio.to_thread(running.get, timeout=5) for _ in range(HANDLER_THREADS)]
            go_on.set()
            assert len(await asgi.hear(20)) == 20
        assert running.qsize() == 20 - HANDLER_THREADS
        assert {running.get_nowait() for _ in range(running.qsize())} <= set(first)
        assert {thread.name.split("_")[0] for thread in first} == {"handler"}

    asyncio.run(scenario())


def test_operations_of_installed_apps():
    """The `operations` module of every app has registered itself: the consumer's handlers by default."""
    assert GotalkConsumer().handlers is default_handlers
    assert default_handlers.find_request("echo") is not None
