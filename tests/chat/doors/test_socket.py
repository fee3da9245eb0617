"""What every door's socket is held to: one end, an owner for each task, bounds both ways."""

import asyncio

import pytest

from chat.doors import socket as door_socket
from chat.doors.socket import MAX_UNREAD_BYTES, MAX_UNREAD_SECONDS, DoorSocket
from chat.realtime.clients import Wire
from rpc import Refused
from rpc.peer.prepared import Frames
from tests.chat.conftest import DEADLINE


class Sink:
    """A server's socket whose client reads what `read` says."""

    def __init__(self):
        self.frames = b""
        self.buffered = 0
        self.writable = True
        self.reads = True
        self.aborted = False

    def watch(self, drained, filled):
        self.drained = drained

    def write(self, frame):
        self.frames += frame
        if not self.reads:
            self.buffered += len(frame)

    def abort(self):
        self.aborted = True


class Client:
    """The other side of a DoorSocket: an ASGI server."""

    def __init__(self, sink=None):
        self.events = asyncio.Queue()
        self.events.put_nowait({"type": "websocket.connect"})
        self.sent = []
        scope = {"type": "websocket", "extensions": {"hubtalk.frames": sink} if sink else {}}
        self.socket = DoorSocket(scope, self.events.get, self.take, door="test", wire=Wire())

    async def take(self, event):
        self.sent.append(event)
        if event["type"] == "websocket.close":
            self.leave()

    def say(self, text):
        self.events.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self):
        self.events.put_nowait({"type": "websocket.disconnect", "code": 1000})

    @property
    def closes(self):
        return [(event["code"], event["reason"]) for event in self.sent if event["type"] == "websocket.close"]


@pytest.mark.parametrize("sink", [None, Sink])
async def test_first_close_counts(sink):
    """Whoever comes later closes nothing, and says nothing."""
    client = Client(sink and sink())
    async with client.socket as socket:
        socket.close(4403, "first")
        socket.close(4401, "second")
        socket.send_text("too late")
    assert client.closes == [(4403, "first")]
    assert not [event for event in client.sent if event["type"] == "websocket.send"]


async def test_refused_closes_with_its_code():
    """Raised anywhere inside."""
    client = Client()
    async with client.socket:
        raise Refused(4404, "no such room")
    assert client.closes == [(4404, "no such room")]


async def test_failure_closes_with_1011_and_no_words_of_ours(caplog):
    """The other end learns nothing of it; the log does."""
    client = Client()
    async with client.socket:
        raise RuntimeError("secret")
    assert client.closes == [(1011, "internal error")]
    assert "secret" in caplog.text


async def test_task_that_fails_ends_the_connection(caplog):
    """Nobody is left on a socket of which half is dead."""

    async def fail():
        raise RuntimeError("secret")

    client = Client()
    async with client.socket as socket:
        socket.spawn(fail())
        assert [message async for message in socket] == []
    assert client.closes == [(1011, "internal error")]


async def test_tasks_end_with_the_connection():
    """They are cancelled and awaited before the block is left."""
    ended = []

    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    client = Client()
    async with client.socket as socket:
        socket.spawn(wait())
        await asyncio.sleep(0)
        client.leave()
        async for _ in socket:
            pass
    assert ended == [True]
    assert client.closes == []


async def test_messages_after_our_close_are_not_given_out():
    """Who was sent away says nothing more."""
    client = Client()
    heard = []
    async with client.socket as socket:
        for text in ("one", "two", "three"):
            client.say(text)
        async for message in socket:
            heard.append(message)
            socket.close(4403, "enough")
    assert heard == ["one"]


async def test_client_that_never_finishes_our_close_is_dropped(monkeypatch):
    """The connection ends after a time all the same."""
    monkeypatch.setattr(door_socket, "CLOSE_TIMEOUT", 0.01)
    sink = Sink()
    client = Client(sink)
    monkeypatch.setattr(client, "leave", lambda: None)
    async with asyncio.timeout(DEADLINE):
        async with client.socket as socket:
            socket.close(4403, "enough")
    assert sink.aborted


async def test_who_leaves_too_much_unread_is_cut_off():
    """A write may be as large as it is; the next one finds that it was not read."""
    sink = Sink()
    client = Client(sink)
    async with client.socket as socket:
        sink.reads = False
        socket.send(Frames(["x" * MAX_UNREAD_BYTES]))
        assert not sink.aborted
        socket.send_text("one more")
        assert sink.aborted
    assert client.closes == [(4408, "too slow")]
    assert b"one more" not in sink.frames


async def test_who_leaves_a_little_unread_for_long_is_cut_off():
    """However little it is, and however much was read before."""
    sink = Sink()
    client = Client(sink)
    async with client.socket as socket:
        socket.send_text("read")
        sink.reads = False
        socket.send_text("unread")
        for _ in range(MAX_UNREAD_SECONDS):
            socket._look()
            assert not sink.aborted
        socket._look()
    assert sink.aborted


async def test_who_reads_slowly_stays():
    """What is unread is never older than the limit."""
    sink = Sink()
    client = Client(sink)
    async with client.socket as socket:
        sink.reads = False
        for _ in range(5 * MAX_UNREAD_SECONDS):
            socket.send_text("line")
            sink.buffered = min(sink.buffered, 30)
            socket._look()
        client.leave()
    assert not sink.aborted


async def test_flood_is_taken_at_the_pace_of_the_site(settings, monkeypatch):
    """After the burst each message waits for its turn."""
    settings.RATE_LIMITS = True
    waited = []
    client = Client()

    async def sleep(seconds):
        waited.append(seconds)

    async with client.socket as socket:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        for number in range(1101):
            client.say(str(number))
        client.leave()
        assert len([message async for message in socket]) == 1101
    assert 90 < len(waited) < 110
    assert all(0 < seconds < 1 for seconds in waited)
