"""Connections that there is no room for, handshakes that wait for their turn, and messages that never end."""

import asyncio
from contextlib import suppress

import pytest
from twisted.internet import reactor

from project.daphne import internals, turns
from project.daphne.http import MAX_TURNED_AWAY
from project.daphne.turns import Turns
from rpc import Admission, Caps, Limits
from rpc.admission import NoRoom
from tests.deadlines import DEADLINE
from tests.project.daphne.http_site import dialled, exchange, parts, request, site
from tests.raw_websocket import BINARY, CONTINUATION, PING, TEXT, answer, frame, handshake

GET = request(method=b"GET")
MIB = 1024 * 1024
BURST = Limits().messages_burst


@pytest.fixture
def run():
    """Runs a coroutine on the reactor's loop, which serves what listens there."""
    loop = internals.event_loop(reactor)
    return lambda scenario: loop.run_until_complete(asyncio.wait_for(scenario, DEADLINE))


async def opened(reader, writer, *headers):
    """Shake hands; returns the status."""
    writer.write(handshake("/", *headers))
    return int((await reader.readuntil(b"\r\n\r\n")).split()[1])


@pytest.mark.parametrize(
    ("caps", "status"),
    [
        (Caps(connections_per_address=1), 429),
        (Caps(arrivals_burst=1, arrivals_per_second=1), 429),
        (Caps(connections=1, connections_kept=0), 503),
    ],
    ids=["of its address", "too often", "at all"],
)
def test_connection_without_room_is_told_so(run, caps, status):
    """Before it asks for anything; then it ends."""

    async def scenario():
        async with site(admission=Admission(caps)) as running, dialled(running, GET) as (first, _):
            assert parts(await first.read())[0] == 200
            with suppress(NoRoom):
                running.server.admission.enter("127.0.0.1")
            assert parts(await exchange(running, b""))[0] == status

    run(scenario())


def test_connections_without_room_are_told_so_up_to_a_number(run):
    """More of them would take the room that there is not; when they are gone, the next one is told again."""

    async def scenario():
        async with site(admission=Admission(Caps(connections=0, connections_kept=0))) as running:
            writers = []
            for _ in range(MAX_TURNED_AWAY):
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writers.append(writer)
                assert b" 503 " in await reader.readuntil(b"\r\n")
            with suppress(ConnectionError):
                assert await exchange(running, b"") == b""
            for writer in writers:
                writer.transport.abort()
            while running.server.http_factory.turned_away:
                await asyncio.sleep(0)
            assert parts(await exchange(running, b""))[0] == 503

    run(scenario())


def test_client_behind_a_proxy_counts_for_itself(run):
    """Its WebSockets: the proxy's requests are those of many."""
    admission = Admission(Caps(connections_per_address=1), is_proxy=lambda address: address == "127.0.0.1")
    named = "X-Forwarded-For: 192.0.2.1"

    async def scenario():
        running_site = site(admission=admission, real_address=lambda peer, forwarded_for: forwarded_for)
        async with running_site as running, dialled(running) as one, dialled(running) as two:
            assert await opened(*one, named) == 101
            assert await opened(*two, named) == 429
            assert parts(await exchange(running, GET))[0] == 200
            async with dialled(running) as three:
                assert await opened(*three, "X-Forwarded-For: 192.0.2.2") == 101
        while admission.connections:
            await asyncio.sleep(0)

    run(scenario())


# --- turns -------------------------------------------------------------------------------------------------


def test_handshakes_of_one_address_wait_for_their_turn(run, monkeypatch):
    """One after the other; one that leaves while it waits keeps nobody, and others do not wait."""
    monkeypatch.setattr(turns, "AT_ONCE", 1)

    async def scenario():
        async with site() as running, dialled(running) as first, dialled(running) as third:
            running.accepting.clear()
            first[1].write(handshake("/"))
            await running.asked_for("/")
            async with dialled(running) as second:
                second[1].write(handshake("/second"))
                third[1].write(handshake("/third"))
                assert parts(await exchange(running, GET))[0] == 200
                assert running.asked == ["/", "/"]
            running.accepting.set()
            assert b" 101 " in await first[0].readuntil(b"\r\n\r\n")
            assert b" 101 " in await third[0].readuntil(b"\r\n\r\n")

    run(scenario())


def test_turns_of_others():
    """Each address has its own."""
    begun = []

    async def scenario():
        each = Turns()
        for number in range(turns.AT_ONCE + 2):
            each.take("one", lambda number=number: begun.append(number))
        each.take("other", lambda: begun.append("other"))
        assert begun == [*range(turns.AT_ONCE), "other"]
        for _ in range(turns.AT_ONCE + 2):
            each.end("one")
            await asyncio.sleep(0)
        assert begun == [*range(turns.AT_ONCE), "other", turns.AT_ONCE, turns.AT_ONCE + 1]
        each.take("one", lambda: begun.append("again"))
        assert begun[-1] == "again"

    asyncio.run(scenario())


# --- frames ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opening", "piece"),
    [
        (b"", frame(PING, b"?")),
        (frame(TEXT, fin=False), frame(CONTINUATION, fin=False)),
        (frame(BINARY, b"x", fin=False), frame(CONTINUATION, b"x", fin=False)),
    ],
    ids=["pings", "empty fragments", "small fragments"],
)
def test_client_with_many_frames_is_read_slowly(run, opening, piece):
    """Reading pauses when it is beyond the rate of messages, goes on later, and nothing is lost."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            assert await opened(reader, writer) == 101
            protocol = await running.websocket()
            writer.write(opening + piece * (BURST + 200))
            while not protocol.frames.pace.paused:
                await asyncio.sleep(0)
            assert not protocol.frames.reading
            writer.write(frame(CONTINUATION) * bool(opening) + frame(TEXT, b"last"))
            while running.heard[-1:] != ["last"]:
                await asyncio.sleep(0)
            assert protocol.frames.reading

    run(scenario())


def test_large_fragments_are_not_slowed(run):
    """They are paid for with their message."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            assert await opened(reader, writer) == 101
            protocol = await running.websocket()
            count = BURST + 100
            first, last = frame(BINARY, bytes(512), fin=False), frame(CONTINUATION, bytes(512))
            writer.write(first + frame(CONTINUATION, bytes(512), fin=False) * count + last)
            while not running.heard:
                assert not protocol.frames.pace.paused
                await asyncio.sleep(0)

    run(scenario())


# --- unfinished messages -----------------------------------------------------------------------------------


def test_unfinished_messages_of_many_connections(run):
    """The largest makes room, with 4429; the others are finished."""
    admission = Admission(Caps(unfinished_bytes_per_address=MIB))

    async def scenario():
        async with site(admission=admission) as running, dialled(running) as small, dialled(running) as large:
            for (reader, writer), size in ((small, 400_000), (large, 600_000)):
                assert await opened(reader, writer) == 101
                writer.write(frame(BINARY, bytes(size), size=700_000))
            while admission.unfinished < 1_000_000:
                await asyncio.sleep(0)
            small[1].write(bytes(100_000))
            assert (await large[0].read())[:4] == b"\x88\x21\x11\x4d"
            small[1].write(bytes(200_000))
            while not running.heard:
                await asyncio.sleep(0)
            assert admission.unfinished == 0

    run(scenario())


def test_pieces_of_a_message_count_for_more_than_their_bytes(run):
    """Each takes memory of its own, however small it is."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            assert await opened(reader, writer) == 101
            writer.write(frame(BINARY, b"x", fin=False) + frame(CONTINUATION, b"x", fin=False) * 99)
            kept = 100 * (1 + internals.PIECE_BYTES)
            while running.server.admission.unfinished < kept:
                await asyncio.sleep(0)
            assert running.server.admission.unfinished == kept
            # A ping amid it counts neither way.
            writer.write(frame(PING, b"?"))
            assert await reader.readexactly(3) == answer(0xA, b"?")
            assert running.server.admission.unfinished == kept
        while running.server.admission.unfinished:
            await asyncio.sleep(0)

    run(scenario())


def test_client_that_says_much_before_its_handshake_is_answered(run):
    """It is dropped: nobody has a reason to."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            running.accepting.clear()
            writer.write(handshake("/"))
            await running.asked_for("/")
            writer.write(bytes(MIB))
            with pytest.raises(ConnectionError):
                assert await reader.read() == b""
                raise ConnectionResetError
            running.accepting.set()

    run(scenario())
