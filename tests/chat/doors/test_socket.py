"""What every door's socket is held to: it ends once, each task has an owner, both directions have bounds."""

import asyncio
import re

import pytest

from chat.doors import socket as door_socket
from chat.doors.socket import DoorSocket
from chat.realtime.clients import Wire
from rpc import Limits, Refused
from rpc.peer import backlog
from rpc.peer.prepared import Frames
from tests.chat.conftest import DEADLINE


class Sink:
    """A server's socket whose client reads what `read` says."""

    def __init__(self):
        self.frames = b""
        self.buffered = 0
        self.writable = True
        self.reads = True
        self.dropped = asyncio.Event()

    @property
    def unread(self):
        return self.buffered

    @property
    def aborted(self):
        return self.dropped.is_set()

    def watch(self, drained, filled):
        self.drained = drained

    def write(self, frame):
        self.frames += frame
        if not self.reads:
            self.buffered += len(frame)

    def abort(self):
        self.dropped.set()


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


def told_of_failure(client, caplog):
    """Whether it was closed with an id, by which the log has the rest."""
    [(code, reason)] = client.closes
    log_id = re.fullmatch(r"internal error \((\w+)\)", reason)[1]
    return code == 1011 and "secret" in caplog.text and log_id in caplog.text


async def test_failure_closes_with_1011_and_no_words_of_ours(caplog):
    """The client learns an id and nothing else; the log has the rest."""
    client = Client()
    async with client.socket:
        raise RuntimeError("secret")
    assert told_of_failure(client, caplog)


async def test_task_that_fails_ends_the_connection(caplog):
    """Nobody is left on a socket of which half is dead."""

    async def fail():
        raise RuntimeError("secret")

    client = Client()
    async with client.socket as socket:
        socket.spawn(fail())
        assert [message async for message in socket] == []
    assert told_of_failure(client, caplog)


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
    monkeypatch.setattr(door_socket, "site_limits", lambda: Limits(close_timeout=0.01))
    sink = Sink()
    client = Client(sink)
    monkeypatch.setattr(client, "leave", lambda: None)
    async with asyncio.timeout(DEADLINE):
        async with client.socket as socket:
            socket.close(4403, "enough")
    assert sink.aborted


async def test_client_that_is_far_behind_misses_what_goes_to_many():
    """It is still told what it asked for; once it has read all of it, its door may make up for the rest."""
    sink = Sink()
    client = Client(sink)
    async with client.socket as socket:
        missed = []
        socket.missed = lambda: missed.append(sink.frames)
        sink.reads = sink.writable = False
        assert socket.show(Frames(["x" * Limits().max_outbox_bytes]))
        assert not socket.show(Frames(["to many"]))
        socket.send_text("an answer")
        sink.buffered = 1
        assert not socket.show(Frames(["to many"]))
        assert missed == []
        sink.drained()
        [shown] = missed
        assert b"an answer" in shown
        assert b"to many" not in shown
        assert socket.show(Frames(["to many"]))
    assert not sink.aborted


async def test_client_that_is_behind_is_not_listened_to():
    """What it asks waits until it has read what it asked before."""
    sink = Sink()
    client = Client(sink)
    async with client.socket as socket:
        client.say("before")
        client.say("meanwhile")
        reading = asyncio.ensure_future(anext(aiter(socket)))
        assert await reading == "before"
        sink.writable = False
        reading = asyncio.ensure_future(anext(aiter(socket)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not reading.done()
        sink.writable = True
        sink.drained()
        assert await reading == "meanwhile"


async def test_client_that_leaves_a_little_unread_is_dropped(monkeypatch):
    """From the first byte that waits, it is watched."""
    monkeypatch.setattr(door_socket, "site_limits", lambda: Limits(stall_timeout=0.01))
    monkeypatch.setattr(backlog, "LOOK_SECONDS", 0.01)
    sink = Sink()
    client = Client(sink)
    async with asyncio.timeout(DEADLINE), client.socket as socket:
        sink.reads = False
        socket.send_text("unread")
        assert not sink.aborted
        await sink.dropped.wait()
    assert client.closes == [(4408, "too slow")]


async def test_flood_is_taken_at_the_rate_of_the_site(settings, monkeypatch):
    """After the burst each message waits for its turn."""
    settings.RATE_LIMITS = True
    waited = []
    client = Client()

    async def sleep(seconds):
        waited.append(seconds)

    async with client.socket as socket:
        now = asyncio.get_running_loop().time()
        with monkeypatch.context() as frozen:
            frozen.setattr(asyncio, "sleep", sleep)
            frozen.setattr(asyncio.get_running_loop(), "time", lambda: now)
            for number in range(1101):
                client.say(str(number))
            client.leave()
            assert len([message async for message in socket]) == 1101
    assert len(waited) == 102
    assert all(0 < seconds < 1 for seconds in waited)
