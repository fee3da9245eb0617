"""What reaches the remote of a WebSocket: prebuilt frames, or ASGI events."""

import asyncio

from rpc import Handlers, Limits, Notification, Peer, Prepared
from rpc.transports.websocket_server import AsgiTransport, FrameTransport
from tests.rpc.wire import HELLO, JOINED


class Sink:
    """A server's socket that keeps what is written; unless `reads`, it lies there unread."""

    def __init__(self) -> None:
        self.reads = True
        self.written = b""
        self.buffered = 0
        self.writable = True
        self.reading = True
        self.aborted = False

    @property
    def unread(self):
        return self.buffered

    def watch(self, drained, filled) -> None:
        self.drained, self.filled = drained, filled

    def pause_reading(self) -> None:
        self.reading = False

    def keep(self, size: int) -> None:
        """Nobody counts it."""

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, frame: bytes) -> None:
        self.written += frame
        if not self.reads:
            self.buffered += len(frame)

    def abort(self) -> None:
        self.aborted = True


class Server:
    """The `send` of an ASGI server, which may be told to wait, or to fail."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.error: Exception | None = None
        self.takes = asyncio.Event()
        self.takes.set()

    async def __call__(self, event) -> None:
        await self.takes.wait()
        self.events.append(event)
        if self.error is not None:
            raise self.error


HELLO_FRAMES = (
    b"\x82\x12n006$hello0000006a"
    b'\x82\x6a{"agent":"hubtalk/0.1",'
    b'"features":["joined","retry","errors","cancel","streams","ops","flow"],"window":16}'
)


async def test_frames_to_a_stock_peer():
    """Version, header and payload are a frame each."""
    sink, server = Sink(), Server()
    async with Peer(Handlers(), FrameTransport(sink, server)) as peer:
        assert sink.written == b"\x82\x0201"
        await peer.open()
        peer.notify("a", 1)
        await asyncio.sleep(0)
        assert sink.written == b"\x82\x0201\x82\x0dn001a00000001\x82\x011"
        peer.send(Prepared([Notification("b", b"")]))
        assert sink.written.endswith(b"\x82\x0dn001b00000000")
        peer.close(4503, "restarting")
        await asyncio.sleep(0)
        assert server.events == [{"type": "websocket.close", "code": 4503, "reason": "restarting"}]


async def test_frames_to_a_joined_peer():
    """One frame for all of a turn; what was prepared has its own."""
    sink = Sink()
    async with Peer(Handlers(), FrameTransport(sink, Server())) as peer:
        await peer.open()
        peer.receive(b"01")
        peer.receive(JOINED)
        sink.written = b""
        peer.notify("a", 1)
        peer.notify("b", 1)
        peer.send(Prepared([Notification("c", b"3")]))
        assert sink.written == b"\x82\x1cn001a000000011n001b000000011\x82\x0en001c000000013"


async def test_what_was_said_before_the_announcement():
    """It leaves as stock peers want it, and so does our `$hello`: only behind that is a byte stream read."""
    sink = Sink()
    async with Peer(Handlers(), FrameTransport(sink, Server())) as peer:
        await peer.open()
        peer.receive(b"01")
        peer.notify("a", 1)
        peer.receive(JOINED)
        assert sink.written == b"\x82\x0201\x82\x0dn001a00000001\x82\x011" + HELLO_FRAMES


async def test_prepared_to_a_joined_peer_first_of_all():
    """What is prepared is joined from the first write after the announcement."""
    sink = Sink()
    async with Peer(Handlers(), FrameTransport(sink, Server())) as peer:
        await peer.open()
        peer.receive(b"01")
        peer.receive(JOINED)
        sink.written = b""
        peer.send(Prepared([Notification("c", b"3")]))
        assert sink.written == b"\x82\x0en001c000000013"


async def test_frames_to_a_peer_that_does_not_read():
    """What the kernel does not take counts; over the limit notifications are left out, until all of it is taken."""
    sink, server = Sink(), Server()
    async with Peer(Handlers(), FrameTransport(sink, server), Limits(max_outbox_bytes=1000)) as peer:
        await peer.open()
        sink.buffered = 1001
        peer.send(Prepared([Notification("c", bytes(300))]))
        written = sink.written
        peer.send(Prepared([Notification("c", bytes(200))]))
        sink.buffered = 999
        peer.send(Prepared([Notification("c", bytes(200))]))
        assert sink.written == written
        sink.drained()
        peer.send(Prepared([Notification("d", b"")]))
        assert sink.written == written + b"\x82\x0dn001d00000000"
        assert not sink.aborted


async def test_remote_that_takes_nothing():
    """A socket that is full is watched from then on."""
    sink = Sink()
    async with Peer(Handlers(), FrameTransport(sink, Server())) as peer:
        await peer.open()
        sink.reads, sink.writable = False, False
        peer.send(Prepared([Notification("c", b"")]))
        sink.filled()
        await asyncio.sleep(9)
        assert not sink.aborted
        await asyncio.sleep(2)
        assert sink.aborted


async def test_remote_that_leaves_a_little_unread():
    """The connection's timer finds what no write and no full socket tells of."""
    sink = Sink()
    async with Peer(Handlers(), FrameTransport(sink, Server())) as peer:
        await peer.open()
        peer.receive(b"01")
        sink.reads = False
        peer.send(Prepared([Notification("c", b"")]))
        await asyncio.sleep(10)
        assert not sink.aborted
        await asyncio.sleep(11)
        assert sink.aborted
    assert peer.closed_error().code == 4408


async def test_close_on_a_socket_that_is_gone():
    """A server that raises for a dead socket harms nobody."""
    server = Server()
    server.error = RuntimeError("disconnected")
    async with Peer(Handlers(), FrameTransport(Sink(), server)) as peer:
        peer.close(4503)
        await asyncio.sleep(0)
    assert len(server.events) == 1


async def test_events_of_any_server():
    """Without access to frames, each chunk is an event, in order, and the close comes last."""
    server = Server()
    async with Peer(Handlers(), AsgiTransport(server)) as peer:
        await peer.open()
        peer.receive("01")
        peer.receive("r0001004nope00000000")
        peer.send(Prepared([Notification("b", b"")]))
        peer.close(4503, "restarting")
        await asyncio.sleep(0.1)
        sent = [event.get("bytes", event.get("text")) for event in server.events]
        assert sent[:4] == [b"01", "E000100000018", 'unknown operation "nope"', b"n001b00000000"]
        assert server.events[4:] == [{"type": "websocket.close", "code": 4503, "reason": "restarting"}]


async def test_joined_events_of_any_server():
    """A joined remote gets one event for a turn."""
    server = Server()
    async with Peer(Handlers(), AsgiTransport(server)) as peer:
        await peer.open()
        peer.receive(b"01")
        peer.receive(JOINED)
        peer.notify("a", 1)
        peer.notify("b", 1)
        await asyncio.sleep(0.1)
        peer.send(Prepared([Notification("c", b"3")]))
        await asyncio.sleep(0.1)
        assert [event["bytes"] for event in server.events] == [
            b"01",
            HELLO[:18],
            HELLO[18:],
            b"n001a000000011n001b000000011",
            b"n001c000000013",
        ]


async def test_server_that_does_not_take_events():
    """The outbox is bounded by what is left out; the close overtakes what it held."""
    server = Server()
    server.takes.clear()
    async with Peer(Handlers(), AsgiTransport(server), Limits(max_outbox_bytes=1000)) as peer:
        await peer.open()
        await asyncio.sleep(0.1)
        for _ in range(20):
            peer.send(Prepared([Notification("c", bytes(100))]))
        await asyncio.sleep(12)
        server.takes.set()
        await asyncio.sleep(0.1)
        assert server.events[-1] == {"type": "websocket.close", "code": 4408, "reason": "too slow"}
        assert len(server.events) == 2


async def test_server_that_raises_for_a_socket_that_is_gone():
    """The writer goes on: the disconnect event is what ends the connection."""
    server = Server()
    server.error = RuntimeError("disconnected")
    async with Peer(Handlers(), AsgiTransport(server)) as peer:
        await peer.open()
        peer.notify("a", 1)
        await asyncio.sleep(0.1)
    assert len(server.events) == 3
