"""The undocumented names of other packages still are what `project.daphne.internals` says that they are."""

import ast
import asyncio
import contextlib
import gc
import inspect
import re
import socket
import time
import weakref
from enum import Enum

import pytest
from twisted.internet import reactor
from websockets.asyncio.client import connect

from project.daphne import closing, http, internals, protocols, server
from project.daphne.server import HubtalkServer
from project.layers import redis as redis_layer
from tests.documents import read
from tests.raw_websocket import BINARY, CONTINUATION, PING, frame
from tests.server import ROOT

DEADLINE = 10.0
OPENING = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@pytest.fixture
def run():
    """Runs a coroutine on the reactor's loop, which serves what listens there."""
    loop = internals.event_loop(reactor)
    return lambda scenario: loop.run_until_complete(asyncio.wait_for(scenario, DEADLINE))


class Site:
    """An application that accepts when `accepting` is set, and then waits; its server, and where it listens."""

    def __init__(self):
        self.accepting = asyncio.Event()
        self.accepting.set()
        self.events = []
        self.ends = True
        """Whether the application ends with its connection."""
        nothing = dict.fromkeys(("start", "drain", "listening"))
        limits = {"max_message_bytes": 2**20, "max_body_bytes": lambda path: 1000}
        self.server = HubtalkServer(self._application, host="127.0.0.1", port=0, **limits, **nothing)
        self.listener = reactor.listenTCP(0, self.server.http_factory, interface="127.0.0.1")
        self.port = self.listener.getHost().port

    async def _application(self, scope, receive, send):
        if scope["type"] == "http":
            await self.accepting.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        else:
            await receive()
            await self.accepting.wait()
            await send({"type": "websocket.accept"})
        while not (event := await receive())["type"].endswith("disconnect") or not self.ends:
            self.events.append(event)

    async def connection(self, holds):
        """What the server keeps of its one connection, as soon as that is as wanted."""
        while True:
            for protocol, details in self.server.connections.items():
                if holds(protocol):
                    return protocol, details
            await asyncio.sleep(0)

    async def end(self):
        await self.listener.stopListening().asFuture(asyncio.get_running_loop())
        for protocol, details in self.server.connections.items():
            application = internals.application_of(details)
            if application is not None:
                if internals.lost_at(details) is None:
                    protocol.transport.abortConnection()
                application.cancel()
                await asyncio.wait([application])
        while not all(map(internals.lost_at, self.server.connections.values())):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def site():
    running = Site()
    try:
        yield running
    finally:
        await running.end()


@contextlib.asynccontextmanager
async def dialled(running, opening=OPENING):
    """A client without a library; `opening` is what it says first."""
    with socket.create_connection(("127.0.0.1", running.port)) as raw:
        raw.sendall(opening)
        raw.settimeout(0.05)
        yield raw


def is_open(protocol):
    """Whether its handshake is through, in every sense."""
    is_websocket = isinstance(protocol, protocols.HubtalkWebSocket)
    return is_websocket and internals.is_open(protocol) and not protocol.frames.buffered


def received(raw):
    """What has come in, without a turn of the server's loop."""
    parts = []
    try:
        while part := raw.recv(2**20):
            parts.append(part)
    except TimeoutError:
        pass
    return b"".join(parts)


def has_ended(raw):
    """Whether the stream has, behind what has come in."""
    try:
        while raw.recv(2**20):
            """All of that."""
    except TimeoutError:
        return False
    return True


def test_reactor_runs_on_the_loop(run):
    """What is given to the one happens in the other."""

    async def scenario():
        called = asyncio.Event()
        reactor.callLater(0, called.set)
        await called.wait()

    run(scenario())


# --- what is overridden ------------------------------------------------------------------------------------

OURS = [
    cls
    for module in (server, http, protocols, redis_layer)
    for cls in vars(module).values()
    if inspect.isclass(cls) and cls.__module__ == module.__name__ and not issubclass(cls, Enum)
]


def overrides():
    """Class of theirs and name → ours, for everything that a class of ours replaces."""
    for cls in OURS:
        for name, ours in vars(cls).items():
            theirs = next((base for base in cls.__mro__[1:] if name in vars(base)), object)
            if theirs is not object and not name.startswith("__"):
                yield theirs, name, ours


def test_overrides_are_listed():
    """What an override replaces is a name like any other: the list is where to look at a new version."""
    found = {}
    for theirs, name, _ in overrides():
        found.setdefault(f"{theirs.__module__}.{theirs.__qualname__}", set()).add(name)
    assert found == internals.OVERRIDDEN


def test_overrides_are_called_as_what_they_replace():
    """The same parameters, by the same names."""
    for theirs, name, ours in overrides():
        replaced = vars(theirs)[name]
        if inspect.isfunction(replaced):
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(replaced).parameters), name


# --- Twisted -----------------------------------------------------------------------------------------------


def test_frame_goes_to_the_kernel_at_once(run):
    """Nothing waits: the client has it before the loop turns again."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, _ = await running.connection(is_open)
            received(raw)
            protocol.frames.write(b"\x81\x02hi")
            assert protocol.frames.buffered == 0
            assert received(raw) == b"\x81\x02hi"

    run(scenario())


def test_frame_waits_behind_what_waits(run):
    """Autobahn writes too, such as pings: into Twisted's buffer, which is emptied in a later turn."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, _ = await running.connection(is_open)
            received(raw)
            protocol.transport.write(b"\x89\x00")
            assert protocol.frames.buffered == 2
            protocol.frames.write(b"\x81\x02hi")
            assert protocol.frames.buffered == 6
            while protocol.frames.buffered:
                await asyncio.sleep(0)
            assert received(raw) == b"\x89\x00\x81\x02hi"

    run(scenario())


def test_buffered_is_what_the_kernel_has_not_taken(run):
    """To the byte, also when Twisted has written a part of its buffer; and in order."""
    frames = [bytes([number]) * 600_000 for number in range(3)]

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, _ = await running.connection(is_open)
            received(raw)
            for frame in frames:
                protocol.frames.write(frame)
            seen = b""
            shares = set()
            while protocol.frames.buffered:
                seen += received(raw)
                assert len(seen) == sum(map(len, frames)) - protocol.frames.buffered
                shares.add(len(seen))
                await asyncio.sleep(0)
            assert len(shares) > 2
            assert seen + received(raw) == b"".join(frames)

    run(scenario())


def test_unread_is_what_the_client_has_not_taken(run):
    """It falls while the kernel takes nothing more, which it does only when much of what it has is gone."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, _ = await running.connection(is_open)
            received(raw)
            protocol.frames.write(bytes(4_000_000))
            buffered, unread = protocol.frames.buffered, protocol.frames.unread
            assert unread > buffered > 0
            while protocol.frames.unread == unread:
                raw.recv(1000)
            assert protocol.frames.buffered == buffered

    run(scenario())


def test_connection_of_a_request_breaks(run):
    """The client sees the end of the connection, amid the answer."""

    async def scenario():
        async with site() as running, dialled(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as raw:
            running.accepting.clear()
            request, details = await running.connection(lambda request: True)
            assert not internals.answer_has_begun(request)
            running.accepting.set()
            while not internals.answer_has_begun(request):
                await asyncio.sleep(0)
            internals.break_connection(request)
            while internals.lost_at(details) is None:
                await asyncio.sleep(0)
            with contextlib.suppress(ConnectionResetError):
                while raw.recv(1000):
                    """A TimeoutError would say that it is still there."""

    run(scenario())


async def channel_of(running, holds):
    """The HTTP channel of the server's one connection, as soon as it is as wanted."""
    request, _ = await running.connection(lambda request: holds(request.channel))
    return request.channel


def test_request_line_is_known_before_its_request(run):
    """While the head comes in; before that there is none."""

    async def scenario():
        async with site() as running, dialled(running, b"PUT /a?b HTTP/1.1\r\nHost") as raw:
            channel = await channel_of(running, bool)
            assert internals.request_line(channel) == (b"PUT", b"/a?b")
            raw.sendall(b": x\r\n\r\n")
            while not internals.answer_has_begun(channel.requests[0]):
                await asyncio.sleep(0)
            assert internals.request_line(channel) == (b"", b"/")

    run(scenario())


def test_read_ahead_is_what_follows_a_request_that_is_answered(run):
    """To the byte; and not the body of that request."""

    async def scenario():
        request = b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        async with site() as running, dialled(running, request + b"GET /next") as raw:
            channel = await channel_of(running, internals.read_ahead)
            assert internals.read_ahead(channel) == 9
            raw.sendall(b" HTTP/1.1")
            while internals.read_ahead(channel) == 9:
                await asyncio.sleep(0)
            assert internals.read_ahead(channel) == 18

    run(scenario())


def test_unsent_is_what_the_kernel_has_not_taken(run):
    """Of an answer, its head included."""

    async def scenario():
        async with site() as running, dialled(running, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as raw:
            channel = await channel_of(running, lambda channel: internals.unsent(channel.transport))
            waiting = internals.unsent(channel.transport)
            while internals.unsent(channel.transport):
                await asyncio.sleep(0)
            assert len(received(raw)) == waiting

    run(scenario())


# --- Daphne and Autobahn -----------------------------------------------------------------------------------


def test_states_of_a_websocket(run):
    """Connecting until it is accepted, open, and closed when both have said so."""

    async def scenario():
        async with site() as running:
            running.accepting.clear()
            opening = asyncio.create_task(connect(f"ws://127.0.0.1:{running.port}").__aenter__())
            protocol, _ = await running.connection(lambda each: isinstance(each, protocols.HubtalkWebSocket))
            assert internals.is_connecting(protocol)
            assert not internals.handshake_is_answered(protocol)
            running.accepting.set()
            client = await opening
            assert internals.is_open(protocol)
            assert internals.handshake_is_answered(protocol)
            # Of the codes that `sendClose` refuses, and longer than a close frame may be.
            internals.send_close_frame(protocol, 1012, "é" * 100)
            assert not internals.is_open(protocol)
            await client.wait_closed()
            assert (client.close_code, client.close_reason) == (1012, "é" * 61)
            while not internals.is_closed(protocol):
                await asyncio.sleep(0)

    run(scenario())


def test_deadline_of_a_close_ends_with_the_connection(run):
    """Otherwise it would keep what the connection had until it is over."""

    async def scenario():
        async with site() as running:
            running.server.ws_factory.closeHandshakeTimeout = 100 * DEADLINE
            async with connect(f"ws://127.0.0.1:{running.port}") as client:
                protocol, details = await running.connection(is_open)
                protocol.say_close(4408, "")
                await client.wait_closed()
            while internals.lost_at(details) is None:
                await asyncio.sleep(0)
            over = weakref.ref(protocol)
            running.server.connections.clear()
            del protocol, details
            while over() is not None:
                gc.collect()
                await asyncio.sleep(0)

    run(scenario())


def test_subprotocols_are_those_of_the_header(run):
    """Letter by letter, as Autobahn compares what is accepted; Daphne's own list has percents decoded."""

    async def scenario():
        opening = OPENING[:-2] + b"Sec-WebSocket-Protocol: a%62c, chat\r\n\r\n"
        async with site() as running, dialled(running, opening):
            protocol, _ = await running.connection(is_open)
            assert internals.named_subprotocols(protocol) == ["a%62c", "chat"]

    run(scenario())


def test_connection_has_its_application_and_then_its_end(run):
    """Both stand in Daphne's own list."""

    async def scenario():
        async with site() as running:
            async with connect(f"ws://127.0.0.1:{running.port}"):
                _, details = await running.connection(is_open)
                application = internals.application_of(details)
                assert not application.done()
                assert internals.lost_at(details) is None
            while internals.lost_at(details) is None:
                await asyncio.sleep(0)
            assert abs(internals.lost_at(details) - time.time()) < DEADLINE
            internals.forget_application(details)
            assert internals.application_of(details) is None
            internals.set_application(details, application)
            assert internals.application_of(details) is application

    run(scenario())


def test_what_is_not_processed_waits(run):
    """`processData` holds messages back that were read already, and reading on gives them out in order."""

    async def scenario():
        async with site() as running, connect(f"ws://127.0.0.1:{running.port}") as client:
            protocol, _ = await running.connection(is_open)
            protocol.frames.inbox.full = True
            for number in range(3):
                await client.send(f"{number}")
            while len(protocol.data) < 3 * 7:
                await asyncio.sleep(0)
            assert running.events == []
            protocol.frames.inbox.full = False
            internals.read_buffered(protocol)
            while len(running.events) < 3:
                await asyncio.sleep(0)
            assert [event["text"] for event in running.events] == ["0", "1", "2"]

    run(scenario())


CLOSE = b"\x88\x85\0\0\0\0\x0f\xa0bye"
RESERVED_OPCODE = b"\x83\x80\0\0\0\0"
HELLO = b"\x81\x82\0\0\0\0hi"


@pytest.mark.parametrize(("last", "code"), [(CLOSE, 4000), (RESERVED_OPCODE, 1002)], ids=["close", "error"])
def test_end_comes_to_us_and_nothing_after_it(run, last, code):
    """Autobahn neither answers it nor drops the connection, and what the client says then is not kept."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, details = await running.connection(is_open)
            received(raw)
            application = internals.application_of(details)
            raw.sendall(HELLO + last + HELLO)
            while not application.done():
                assert received(raw) == b""
                await asyncio.sleep(0)
            assert [event["text"] for event in running.events] == ["hi"]
            assert protocol.data == b""
            raw.sendall(HELLO)
            closed = b""
            while not closed:
                await asyncio.sleep(0)
                closed = received(raw)
            assert closed[:1] + closed[2:4] == b"\x88" + code.to_bytes(2)
            assert len(running.events) == 1

    run(scenario())


def test_client_hears_the_end_of_the_stream_behind_our_close(run):
    """Though more comes in, which would reset a socket that was closed."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, details = await running.connection(is_open)
            received(raw)
            raw.sendall(CLOSE)
            while not internals.application_of(details).done():
                await asyncio.sleep(0)
            while internals.is_open(protocol):
                await asyncio.sleep(0)
            raw.sendall(HELLO * 1000)
            for _ in range(10):
                await asyncio.sleep(0)
            assert received(raw) == b"\x88\x05\x0f\xa0bye"
            assert has_ended(raw)
            raw.sendall(HELLO)
            assert internals.lost_at(details) is None
            raw.close()
            while internals.lost_at(details) is None:
                await asyncio.sleep(0)

    run(scenario())


def test_end_of_the_stream_waits_for_the_rest_of_a_frame_at_fault(run, monkeypatch):
    """Or for some seconds: a client that reads only when it has written is not cut off."""
    monkeypatch.setattr(closing, "REST_GRACE", DEADLINE)

    async def scenario():
        async with site() as running:
            running.server.ws_factory.setProtocolOptions(maxMessagePayloadSize=1000)
            async with dialled(running) as raw:
                protocol, _ = await running.connection(is_open)
                # 1,001 bytes, of which one comes with the header.
                raw.sendall(b"\x82\xfe\x03\xe9\0\0\0\0x")
                while internals.is_open(protocol):
                    await asyncio.sleep(0)
                raw.sendall(b"x" * 999)
                for _ in range(10):
                    await asyncio.sleep(0)
                assert not has_ended(raw)
                raw.sendall(b"x")
                while not has_ended(raw):
                    await asyncio.sleep(0)

    run(scenario())


def test_client_that_stays_after_our_close_is_dropped(run):
    """It has some seconds to end its side; here fewer."""

    async def scenario():
        async with site() as running:
            running.server.ws_factory.setProtocolOptions(closeHandshakeTimeout=0.01)
            async with dialled(running) as raw:
                protocol, details = await running.connection(is_open)
                raw.sendall(CLOSE)
                while internals.lost_at(details) is None:
                    await asyncio.sleep(0)
                assert internals.is_closed(protocol)

    run(scenario())


def test_application_that_goes_on_keeps_nobody(run, monkeypatch):
    """After some seconds the close is sent all the same; here fewer."""
    monkeypatch.setattr(closing, "ANSWERS_GRACE", 0.01)

    async def scenario():
        async with site() as running:
            running.ends = False
            async with dialled(running) as raw:
                protocol, details = await running.connection(is_open)
                raw.sendall(CLOSE)
                while internals.is_open(protocol):
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert received(raw).endswith(b"\x88\x05\x0f\xa0bye")
                assert not internals.application_of(details).done()

    run(scenario())


def test_document_says_how_long_that_is():
    """docs/doors.md has the seconds."""
    assert f"for at most {closing.ANSWERS_GRACE:g} seconds" in " ".join(read("docs/doors.md").split())


def test_what_has_arrived_of_a_message(run):
    """Its bytes and pieces, of whole frames and of the one that is not; a ping amid it counts for none."""

    async def scenario():
        async with site() as running, dialled(running) as raw:
            protocol, _ = await running.connection(is_open)
            assert internals.is_taken_over(protocol.transport, protocols.HubtalkWebSocket)
            assert internals.unfinished_of_message(protocol) == 0
            for said, size, pieces in (
                (frame(BINARY, b"12", fin=False), 2, 1),
                (frame(PING, b"?") + frame(CONTINUATION, bytes(20), size=30), 22, 2),
            ):
                raw.sendall(said)
                while internals.unfinished_of_message(protocol) != size + pieces * internals.PIECE_BYTES:
                    await asyncio.sleep(0)
            assert internals.brings_little(protocol, 31)
            assert not internals.brings_little(protocol, 30)
            assert internals.buffered(protocol) == 0
            internals.forget_message(protocol)
            raw.sendall(bytes(5))
            while internals.unfinished_of_message(protocol) != 27:
                await asyncio.sleep(0)
            assert protocol.message_data == protocol.frame_data == []

    run(scenario())


def test_missing_pong_counts_only_while_we_read(run):
    """Then it drops the connection; else the next ping starts anew."""

    async def scenario():
        async with site() as running, dialled(running):
            protocol, _ = await running.connection(is_open)
            protocol.last_ping = 0
            protocol.check_timeouts()
            deadline = protocol.autoPingTimeoutCall
            assert deadline is not None
            deadline.cancel()
            protocol.frames.pause_reading()
            protocol.onAutoPingTimeout()
            assert protocol.autoPingTimeoutCall is None
            assert internals.is_open(protocol)
            protocol.frames.resume_reading()
            protocol.onAutoPingTimeout()
            assert internals.is_closed(protocol)

    run(scenario())


# --- channels_redis ----------------------------------------------------------------------------------------


def test_layer_has_a_shard_of_ours_for_each_redis():
    """It receives in our way, and hands what it received to the channels that it is for."""

    async def scenario():
        layer = redis_layer.RedisLayer(hosts=["redis://127.0.0.1:1", "redis://127.0.0.1:2"])
        loop_layer = layer._get_layer()
        shards = internals.shards_of(loop_layer)
        assert [type(shard) for shard in shards] == 2 * [redis_layer._Shard]
        assert layer._get_layer() is loop_layer
        assert internals.shards_of(loop_layer) == shards
        assert internals.subscription_of(shards[0]) is None
        queues = loop_layer.channels
        queues.update(one=asyncio.Queue(), other=asyncio.Queue())
        loop_layer.groups["room"] = {"one", "other"}
        for name, data in (("one", b"for one"), ("room", b"for all")):
            internals.deliver(shards[0], {"channel": name.encode(), "data": data})
        assert [queues["one"].get_nowait() for _ in range(2)] == [b"for one", b"for all"]
        assert queues["other"].get_nowait() == b"for all"

    asyncio.run(scenario())


# --- and nowhere else --------------------------------------------------------------------------------------


def private_names(path):
    """The names with an underscore that a file uses of anything but its own object."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls", "super()", "os"):
                yield f"{path.relative_to(ROOT)}: {owner}.{node.attr}"


def test_no_other_file_knows_a_private_name():
    """Whoever needs one gives it a name that says what it means, and a test above."""
    files = [
        path for folder in ("project", "chat/doors", "chat/realtime") for path in (ROOT / folder).rglob("*.py")
    ]
    assert [name for path in files if path.name != "internals.py" for name in private_names(path)] == []
