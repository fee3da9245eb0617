"""One channel a process, one encoding a wire: what is published reaches every subscriber once and in order."""

import asyncio
import socket as socket_module
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest
from channels.layers import InMemoryChannelLayer

from chat.doors.gotalk.wire import GOTALK
from chat.realtime import hub as hub_module
from chat.realtime.hub import Hub
from chat.realtime.mailbox import deliver
from chat.services.events import SITE_TOPIC, Gap, Notice, PersonChanged, Posted, RoomChanged, Typing, pack, topic_of
from project.layers.local import LocalLayer
from tests.deadlines import DEADLINE

ROOM = 7
TOPIC = "room.7"


def layer():
    return LocalLayer(capacity=10_000, expiry=3600, group_expiry=3600)


@asynccontextmanager
async def running(*layers):
    hubs = [Hub(each) for each in layers]
    for each in hubs:
        await each.start()
    try:
        yield hubs
    finally:
        for each in hubs:
            await each.stop()


def event(name="Alice", room_id=ROOM):
    return Typing(room_id, "hall", [name])


class Wire:
    """Counts what it encodes; `names` of events are its bytes."""

    def __init__(self):
        self.encoded = 0

    def __call__(self, events):
        self.encoded += 1
        names = [each.names[0] for each in events if isinstance(each, Typing)]
        return names or None


class Socket:
    """Keeps the payloads that were sent to it."""

    def __init__(self):
        self.payloads = []
        self._arrived = asyncio.Event()

    def send(self, payload):
        self.payloads.append(payload)
        self._arrived.set()

    @property
    def names(self):
        return [name for payload in self.payloads for name in payload]

    async def has(self, count):
        async with asyncio.timeout(DEADLINE):
            while len(self.names) < count:
                self._arrived.clear()
                await self._arrived.wait()


async def test_event_is_encoded_once_for_all_sockets_of_a_wire():
    """Every socket of one wire gets the same object; another wire has its own."""
    async with running(layer()) as (hub,):
        wire, other_wire, sockets, other = Wire(), Wire(), [Socket() for _ in range(5)], Socket()
        for socket in sockets:
            await hub.subscribe(TOPIC, wire, socket.send)
        await hub.subscribe(TOPIC, other_wire, other.send)
        hub.publish(event())
        await other.has(1)
        assert wire.encoded == other_wire.encoded == 1
        assert all(socket.payloads[0] is sockets[0].payloads[0] for socket in sockets)
        assert other.payloads[0] is not sockets[0].payloads[0]


async def test_events_of_one_turn_leave_in_one_write():
    """A burst costs one encoding and one write a socket, in its order."""
    async with running(layer()) as (hub,):
        wire, socket = Wire(), Socket()
        await hub.subscribe(TOPIC, wire, socket.send)
        for number in range(150):
            hub.publish(event(f"{number}"))
        await socket.has(150)
        assert socket.payloads == [[f"{number}" for number in range(150)]]
        assert wire.encoded == 1


async def test_burst_behind_a_busy_loop_arrives_whole():
    """The layer's own bound of 100 is not ours."""
    async with running(layer(), layer()) as (hub, _):
        socket = Socket()
        await hub.subscribe(TOPIC, Wire(), socket.send)
        for number in range(500):
            await hub._layer.group_send(TOPIC, hub_module._packed([event(f"{number}")]))
        await socket.has(500)
        assert socket.names == [f"{number}" for number in range(500)]


async def test_subscriber_that_fails_harms_no_other(caplog):
    """Its exception is logged, the rest of the room hears the event and the next one."""

    def fail(payload):
        raise RuntimeError("a bug in one door")

    async with running(layer()) as (hub,):
        wire, sockets = Wire(), [Socket(), Socket()]
        await hub.subscribe(TOPIC, wire, sockets[0].send)
        await hub.subscribe(TOPIC, wire, fail)
        await hub.subscribe(TOPIC, wire, sockets[1].send)
        for number in range(2):
            hub.publish(event(f"{number}"))
            for socket in sockets:
                await socket.has(number + 1)
    assert "a subscriber of room.7 failed" in caplog.text


async def test_listener_that_fails_harms_no_subscriber(caplog):
    """Caches are one thing, sockets another."""

    def fail(event):
        raise RuntimeError("a bug in a cache")

    async with running(layer()) as (hub,):
        socket = Socket()
        hub.listen(fail)
        await hub.subscribe(TOPIC, Wire(), socket.send)
        hub.publish(event())
        await socket.has(1)
    assert "a listener failed at Typing" in caplog.text


async def test_listener_hears_an_event_before_the_sockets_do():
    """A peer that asks after it heard of a change finds it in the caches."""
    order = []
    async with running(layer()) as (hub,):
        socket = Socket()
        hub.listen(lambda event: order.append("listener"))
        await hub.subscribe(TOPIC, Wire(), lambda payload: (order.append("socket"), socket.send(payload)))
        hub.publish(event())
        await socket.has(1)
    assert order == ["listener", "socket"]


async def test_wire_that_does_not_show_an_event_writes_nothing():
    """None is for nobody."""
    async with running(layer()) as (hub,):
        socket, room_socket = Socket(), Socket()
        await hub.subscribe(SITE_TOPIC, Wire(), socket.send)
        await hub.subscribe(TOPIC, Wire(), room_socket.send)
        hub.publish(Notice("info", "hello"))
        hub.publish(event())
        await room_socket.has(1)
        assert socket.payloads == []


async def test_socket_that_unsubscribed_hears_no_more():
    """Nor does one of another topic."""
    async with running(layer()) as (hub,):
        wire, gone, stays, elsewhere = Wire(), Socket(), Socket(), Socket()
        await hub.subscribe(TOPIC, wire, gone.send)
        await hub.subscribe(TOPIC, wire, stays.send)
        await hub.subscribe("room.8", wire, elsewhere.send)
        await hub.unsubscribe(TOPIC, wire, gone.send)
        hub.publish(event())
        await stays.has(1)
        assert gone.payloads == elsewhere.payloads == []


async def test_groups_of_the_layer_follow_the_first_and_the_last_socket():
    """One membership a process and topic, whatever the number of sockets; none is left behind."""
    memory = layer()
    async with running(memory) as (hub,):
        wire, sockets = Wire(), [Socket(), Socket()]
        for socket in sockets:
            await hub.subscribe(TOPIC, wire, socket.send)
        assert len(memory.groups[TOPIC]) == 1
        await hub.unsubscribe(TOPIC, wire, sockets[0].send)
        assert hub.hears(TOPIC)
        await hub.unsubscribe(TOPIC, wire, sockets[1].send)
        assert not hub.hears(TOPIC)
        assert TOPIC not in memory.groups
        await hub.unsubscribe(TOPIC, wire, sockets[1].send)
    assert memory.groups == {}


async def test_socket_that_comes_while_the_last_one_leaves_hears_the_room():
    """Joining and leaving a group take time; who is subscribed in the end decides."""
    async with running(layer()) as (hub,):
        wire, leaver, comer = Wire(), Socket(), Socket()
        for _ in range(20):
            await hub.subscribe(TOPIC, wire, leaver.send)
            await asyncio.gather(hub.unsubscribe(TOPIC, wire, leaver.send), hub.subscribe(TOPIC, wire, comer.send))
            assert hub.hears(TOPIC)
            await hub.unsubscribe(TOPIC, wire, comer.send)
        assert not hub.hears(TOPIC)


async def test_event_of_one_process_reaches_the_others_and_itself_once():
    """Two hubs on one layer, as two processes on one Redis."""
    memory = layer()
    async with running(memory, memory) as hubs:
        sockets = [Socket(), Socket()]
        for hub, socket in zip(hubs, sockets, strict=True):
            await hub.subscribe(TOPIC, Wire(), socket.send)
        hubs[0].publish(event("1"))
        hubs[1].publish(event("2"))
        for socket in sockets:
            await socket.has(2)
            assert sorted(socket.names) == ["1", "2"]


async def test_event_published_by_another_thread_keeps_its_order():
    """The writer and the admin publish from threads of their own."""
    async with running(layer()) as (hub,):
        socket = Socket()
        await hub.subscribe(TOPIC, Wire(), socket.send)
        thread = threading.Thread(target=lambda: [hub_module.announce(event(f"{n}")) for n in range(100)])
        thread.start()
        await socket.has(100)
        thread.join(DEADLINE)
        assert socket.names == [f"{number}" for number in range(100)]


class BrokenLayer(InMemoryChannelLayer):
    """Takes nothing: it raises, or (`hang`) never answers."""

    hang = False

    async def group_send(self, group, message):
        if self.hang:
            await asyncio.Event().wait()
        raise ConnectionError("Redis is away")


@pytest.mark.parametrize("hang", [False, True], ids=["raises", "hangs"])
async def test_layer_that_is_away_does_not_silence_this_process(hang, monkeypatch, caplog):
    """The sockets here hear the event; those of other processes find the gap by version."""
    monkeypatch.setattr(hub_module, "LAYER_TIMEOUT", 0.01)
    broken = BrokenLayer()
    broken.hang = hang
    async with running(broken) as (hub,):
        socket = Socket()
        await hub.subscribe(TOPIC, Wire(), socket.send)
        for number in range(2):
            hub.publish(event(f"{number}"))
            await socket.has(number + 1)
    assert "the channel layer did not take 1 events" in caplog.text


class DeafLayer(LocalLayer):
    """Takes nothing while it is away."""

    away = False

    async def group_send(self, group, message):
        if self.away:
            raise ConnectionError("the layer is away")
        await super().group_send(group, message)


async def test_event_that_the_layer_did_not_take_is_a_gap_for_everyone(monkeypatch):
    """The other processes may have been connected to it all the time: nothing else tells them."""
    monkeypatch.setattr(hub_module, "REJOIN_SECONDS", 0.01)
    shared = DeafLayer(capacity=10_000, expiry=3600, group_expiry=3600)
    async with running(shared, shared) as (one, other):
        heard = {one: [], other: []}
        for each in (one, other):
            each.listen(heard[each].append)
        shared.away = True
        one.publish(PersonChanged(7))
        async with asyncio.timeout(DEADLINE):
            while heard[one] != [PersonChanged(7)]:
                await asyncio.sleep(0)
            shared.away = False
            while Gap() not in heard[other] or Gap() not in heard[one]:
                await asyncio.sleep(0)
        assert heard == {one: [PersonChanged(7), Gap()], other: [Gap()]}


class AwayLayer(InMemoryChannelLayer):
    """Takes no more members while it is away."""

    away = False

    async def group_add(self, group, channel):
        if self.away:
            raise ConnectionError("the layer is away")
        await super().group_add(group, channel)

    async def group_discard(self, group, channel):
        if self.away:
            raise ConnectionError("the layer is away")
        await super().group_discard(group, channel)


async def test_socket_that_comes_while_the_layer_is_away(monkeypatch, caplog):
    """It hears this process at once, the others when the layer is back, and that something may be lost."""
    monkeypatch.setattr(hub_module, "REJOIN_SECONDS", 0.01)
    shared = AwayLayer(capacity=10_000, expiry=3600, group_expiry=3600)
    async with running(shared) as (hub,):
        gaps = []
        hub.listen(lambda heard: gaps.append(heard) if isinstance(heard, Gap) else None)
        shared.away = True
        wire, socket = Wire(), Socket()
        await hub.subscribe(TOPIC, wire, socket.send)
        assert not hub.hears(TOPIC)
        hub.send_here(TOPIC, [event("Alice")])
        await socket.has(1)
        shared.away = False
        async with asyncio.timeout(DEADLINE):
            while not gaps:
                await asyncio.sleep(0)
        await shared.group_send(TOPIC, {"type": "hub.events", "data": pack([event("Bob")])})
        await socket.has(2)
        shared.away = True
        await hub.unsubscribe(TOPIC, wire, socket.send)
        assert "cannot be left" in caplog.text
        shared.away = False


async def test_message_that_cannot_be_read_is_passed_over(caplog):
    """Another version of the program may share the layer."""
    memory = layer()
    async with running(memory) as (hub,):
        socket = Socket()
        await hub.subscribe(TOPIC, Wire(), socket.send)
        await memory.group_send(TOPIC, {"type": "hub.events", "data": b"\xc1"})
        hub.publish(event())
        await socket.has(1)
    assert "could not be read" in caplog.text


async def test_hub_that_stops_publishes_what_waits():
    """The last words of a process reach the others."""
    memory = layer()
    async with running(memory) as (stays,):
        socket = Socket()
        await stays.subscribe(TOPIC, Wire(), socket.send)
        ends = Hub(memory)
        await ends.start()
        ends.publish(event())
        await ends.stop()
        await socket.has(1)


class OtherLayer:
    """Stands for one that connects processes; as a proxy does, it answers for any name."""

    def __getattr__(self, name):
        return True

    async def group_send(self, group, message):
        self.sent = group, hub_module.unpack(message["data"])


async def test_without_a_hub_an_event_goes_to_the_layer(monkeypatch):
    """A management command announces to the serving processes, if Redis connects them."""
    other = OtherLayer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: other)
    monkeypatch.setattr(hub_module, "_running", None)
    assert await asyncio.to_thread(hub_module.announce, event("from a command"))
    assert other.sent == (TOPIC, [event("from a command")])


async def test_without_a_hub_or_redis_an_event_goes_to_the_data_folder(monkeypatch, settings, tmp_path):
    """A management command reaches the processes that serve the same folder; the dead ones are cleared away."""
    settings.HUBTALK_DATA = tmp_path
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer())
    async with running(layer()) as (hub,):
        monkeypatch.setattr(hub_module, "_running", None)
        wire, socket = Wire(), Socket()
        await hub.subscribe(TOPIC, wire, socket.send)
        with dead_socket(tmp_path / "hub-dead.sock"):
            assert await asyncio.to_thread(hub_module.announce, event("from a command"))
        await socket.has(1)
        assert len(list(tmp_path.iterdir())) == 1
        assert next(tmp_path.iterdir()).stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []
    assert not await asyncio.to_thread(hub_module.announce, event("to nobody"))


@contextmanager
def dead_socket(path):
    """The file that a killed process leaves."""
    with socket_module.socket(socket_module.AF_UNIX, socket_module.SOCK_DGRAM) as dead:
        dead.bind(str(path))
    yield


async def test_gap_that_the_layer_noticed_is_told_to_everyone():
    """What was published meanwhile is lost: whoever keeps something reads it again."""
    memory = layer()
    async with running(memory) as (hub,):
        heard = []
        hub.listen(heard.append)
        memory.on_gap()
        assert heard == [Gap()]


async def test_nonsense_in_the_mailbox_is_only_logged(monkeypatch, settings, tmp_path, caplog):
    """What a command of another version sends ends nothing."""
    settings.HUBTALK_DATA = tmp_path
    async with running(layer()) as (hub,):
        wire, socket = Wire(), Socket()
        await hub.subscribe(TOPIC, wire, socket.send)
        for data in (b"nonsense", pack([event("after it")])):
            assert await asyncio.to_thread(deliver, data)
        await socket.has(1)
    assert "could not be read" in caplog.text


def test_topics_come_from_keys_never_from_names():
    """A room may be called anything."""
    assert topic_of(Typing(ROOM, "site", [])) == TOPIC
    assert topic_of(Notice("info", "")) == SITE_TOPIC


def test_gotalk_wire_of_events_that_no_peer_sees_is_none():
    """Nothing is written for what only caches hear."""
    assert GOTALK.events([RoomChanged(1), PersonChanged(1), Posted(1, "hall", [])]) is None
