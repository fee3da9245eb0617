"""Stock peers in streams and at every limit: what they are told is what they can take, and others talk on."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed

from rpc import Limits, serve
from tests.peers.stock import BrowserPeer, Failed, GoPeer, alone, conversation
from tests.peers.stock.go import READ_TIMEOUT
from tests.peers.stock.site import NO_RATES, Site, site_handlers

pytestmark = pytest.mark.peers

KIB = 1024
MIB = 1024 * KIB


@asynccontextmanager
async def serving(**limits):
    """A server in this process, over TCP; yields its address."""
    async with await serve("tcp://127.0.0.1:0", site_handlers(), Limits(**limits)) as server:
        yield server.url


@pytest.fixture(scope="module")
def site():
    """A server of its own process: WebSocket, with limits by path, and TCP."""
    with Site() as running:
        yield running


@pytest.fixture(params=["binary", "text"])
def browser(site, request):
    """A browser peer in either mode, at the path with the limits in question."""
    return lambda path="/", **options: BrowserPeer(site.url, path, text=request.param == "text", **options)


async def still(progress):
    """Wait until `progress()` no longer changes: both peers are in this loop, and neither moves."""
    seen, turns = progress(), 0
    while turns < 100:
        await asyncio.sleep(0)
        turns = turns + 1 if progress() == seen else 0
        seen = progress()


async def echo_parts(parts, write):
    """A stream handler of a Go program: writes each part as it comes."""
    while (part := await parts.get()) is not None:
        await write(part)


def answers(said: bytes) -> bytes:
    """What a server said after its version."""
    assert said.startswith(b"01")
    return said[2:]


# --- streams of a Go peer ----------------------------------------------------------------------------------


@alone
async def test_stream():
    """Parts in, parts out, in order; an empty part is the end, in both directions."""
    async with serving() as url:
        said = await conversation(
            url, b"01", b"s\0\0\0\x01005upper00000001a", b"p\0\0\0\x0100000002bc", b"p\0\0\0\x0100000000"
        )
    assert answers(said) == b"S\0\0\0\x0100000001AS\0\0\0\x0100000002BCS\0\0\0\x0100000000"


@alone
async def test_stream_without_a_first_part():
    """Go opens a stream with an empty first part, which is no end."""
    async with serving() as url:
        said = await conversation(
            url, b"01", b"s\0\0\0\x01005upper00000000", b"p\0\0\0\x0100000001a", b"p\0\0\0\x0100000000"
        )
    assert answers(said) == b"S\0\0\0\x0100000001AS\0\0\0\x0100000000"


@alone
async def test_stream_with_a_single_answer():
    """It is one part and the end, as a Go server would answer."""
    async with serving() as url, GoPeer(url) as peer:
        stream = await peer.ask("size", b"abc", kind=b"s")
        await peer.part(stream, b"de")
        await peer.part(stream, b"")
        assert [await stream.next(), await stream.next()] == [(b"S", 0, b"5"), (b"S", 0, b"")]


@pytest.mark.parametrize(("operation", "parts"), [("size", ["5"]), ("upper", ["ABC", "DE"])])
@alone
async def test_stream_of_a_browser(browser, operation, parts):
    """A page hears each part of the answer, a single one too, and then its end."""
    async with browser() as peer:
        stream = peer.stream_request(operation)
        await stream.write("abc")
        await stream.write("de")
        await stream.end()
        assert await stream.read() == parts


@alone
async def test_stream_of_a_browser_without_a_part(browser):
    """An empty first part is the last that gotalk.js sends."""
    async with browser() as peer:
        stream = peer.stream_request("size")
        await stream.end()
        assert await stream.read() == ["0"]


@alone
async def test_stream_of_a_browser_that_fails(browser):
    """The end tells it why."""
    async with browser() as peer:
        stream = peer.stream_request("until bad")
        await stream.write("bad")
        with pytest.raises(Failed, match=r"^a bad part$"):
            await stream.read()


@alone
async def test_single_request_with_an_answer_in_parts():
    """`r` may be answered by a row of `S`."""
    async with serving() as url:
        said = await conversation(url, b"01", b"r\0\0\0\x01005upper00000002ab")
    assert answers(said) == b"S\0\0\0\x0100000002ABS\0\0\0\x0100000000"


@alone
async def test_stream_that_is_answered_early():
    """Parts that come after the answer's end mean nothing, and the connection goes on."""
    async with serving() as url, GoPeer(url) as peer:
        stream = await peer.ask("first", b"one", kind=b"s")
        assert [part async for part in stream.parts()] == [b"one"]
        await peer.part(stream, b"two")
        await peer.part(stream, b"")
        assert await peer.request("echo", b"hi") == b"hi"


@alone
async def test_stream_that_fails():
    """`E` in plain text ends the answer, wherever it stands; later parts mean nothing."""
    async with serving() as url, GoPeer(url) as peer:
        stream = await peer.ask("until bad", b"good", kind=b"s")
        assert await stream.next() == (b"S", 0, b"good")
        await peer.part(stream, b"bad")
        assert await stream.next() == (b"E", 0, b"a bad part")
        await peer.part(stream, b"more")
        assert await peer.request("echo", b"hi") == b"hi"


@pytest.mark.parametrize(
    ("operation", "text"),
    [("nothing", b'unknown operation "nothing"'), ("echo", b"not a stream operation")],
)
@alone
async def test_stream_that_nobody_takes(operation, text):
    """It is refused once; its parts mean nothing."""
    async with serving() as url, GoPeer(url) as peer:
        stream = await peer.ask(operation, b"a", kind=b"s")
        await peer.part(stream, b"b")
        await peer.part(stream, b"")
        assert await stream.next() == (b"E", 0, text)
        assert await peer.request("echo", b"hi") == b"hi"


@alone
async def test_streams_side_by_side():
    """Parts of several streams and requests between them do not mix."""
    async with serving() as url, GoPeer(url) as peer:
        streams = [await peer.ask("upper", b"abcdefgh"[n : n + 1], kind=b"s") for n in range(8)]
        assert await peer.request("echo", b"hi") == b"hi"
        for stream in streams:
            await peer.part(stream, stream.id[-1:] + b"x")
            await peer.part(stream, b"")
        for number, stream in enumerate(streams):
            assert b"".join([part async for part in stream.parts()])[:1] == b"ABCDEFGH"[number : number + 1]


@alone
async def test_slow_handler_slows_the_writer():
    """The server stops reading, so Go's writes wait; others are served; then nothing is missing."""
    parts, size, written = 64, MIB, 0
    async with serving(**NO_RATES) as url, GoPeer(url) as peer, GoPeer(url) as other:
        stream = await peer.ask("size, later", b"x", kind=b"s")

        async def write():
            nonlocal written
            for _ in range(parts):
                await peer.part(stream, bytes(size))
                written += 1
            await peer.part(stream, b"")

        writing = asyncio.create_task(write())
        await still(lambda: written)
        assert 0 < written < parts // 2
        await other.request("let go")
        await writing
        assert await stream.next() == (b"S", 0, b"%d" % (1 + parts * size))


@alone
async def test_large_stream_through_a_slow_handler(site):
    """64 MB need no more memory than the window and the socket's buffers."""
    before = site.peak_memory
    async with GoPeer(site.tcp_url) as peer:
        stream = await peer.ask("size, slowly", b"", kind=b"s")
        for _ in range(1000):
            await peer.part(stream, bytes(64_000))
        await peer.part(stream, b"")
        assert await stream.next() == (b"S", 0, b"64000000")
    if before is not None:
        assert site.peak_memory - before < 16 * MIB


@alone
async def test_answer_in_parts_that_is_not_read():
    """A handler waits while Go does not read: the outbox stays within its limit, and all arrives in the end."""
    async with serving(**NO_RATES, max_outbox_bytes=200_000) as url, GoPeer(url) as peer, GoPeer(url) as other:
        stream = await peer.ask("upper", b"", kind=b"s")
        peer.stop_reading()
        written = 0

        async def write():
            nonlocal written
            for _ in range(300):
                await peer.part(stream, b"a" * 64 * KIB)
                written += 1
            await peer.part(stream, b"")

        writing = asyncio.create_task(write())
        await still(lambda: written)
        assert await other.request("echo", b"hi") == b"hi"
        peer.read_on()
        assert sum([len(part) async for part in stream.parts()]) == 300 * 64 * KIB
        await writing


# --- what the server asks ----------------------------------------------------------------------------------


@alone
async def test_server_asks_go():
    """A Go peer is asked as any other: a request, and a stream whose id is never used again."""
    handlers = {"name": lambda payload: b'"Bob said ' + payload[1:]}
    async with serving() as url, GoPeer(url, handlers, streams={"echo": echo_parts}) as peer:
        assert await peer.request("call back", b'"name"') == b'"Bob said hi"'
        for _ in range(10):
            answered = await asyncio.gather(*(peer.request("call back in parts", b'"echo"') for _ in range(10)))
            assert answered == [b'["a","b"]'] * 10


@alone
async def test_server_asks_what_go_does_not_know():
    """The plain text of a Go peer's `E` goes no further: the peer that asked gets an internal error."""
    async with serving() as url, GoPeer(url) as peer:
        with pytest.raises(Failed, match=r"^internal error \([0-9a-f]{8}\)$"):
            await peer.request("call back", b'"name"')


@alone
async def test_server_asks_a_browser(browser):
    """Header and payload alone, answered in the page's mode and its own idea of sizes."""
    async with browser(handlers={"name": lambda value: value + " 😀"}) as peer:
        assert await peer.request("call back", "name") == "hi 😀"


@alone
async def test_browser_gets_no_stream_request(browser):
    """It has no handler for `s` and would close: who would ask it in parts fails instead."""
    async with browser("/mute/", handlers={"join": str}) as peer:
        with pytest.raises(Failed, match=r"^internal error"):
            await peer.request("call back in parts", "join")
        assert await peer.request("echo", "hi") == "hi"


# --- framing -----------------------------------------------------------------------------------------------

SPOKEN = (
    b"01" + b"n006typing00000002{}" + b"h00005fc3b2a0" + b"r\0\0\0\x01004echo00000005hello"
    b"r\0\0\0\x02004echo00000000" + b"r\0\0\0\x03007unknown00000001x"
    b"s\0\0\0\x04005upper00000001a" + b"p\0\0\0\x0400000002bc" + b"p\0\0\0\x0400000000"
)
ANSWERED = (
    b"R\0\0\0\x0100000005hello" + b"R\0\0\0\x0200000000" + b'E\0\0\0\x030000001bunknown operation "unknown"'
    b"S\0\0\0\x0400000001A" + b"S\0\0\0\x0400000002BC" + b"S\0\0\0\x0400000000"
)


@pytest.mark.parametrize("size", [1, 2, 13, len(SPOKEN)])
@alone
async def test_pieces(size):
    """A conversation is the same in pieces of any size."""
    pieces = [SPOKEN[at : at + size] for at in range(0, len(SPOKEN), size)]
    async with serving() as url:
        assert answers(await conversation(url, *pieces)) == ANSWERED


@alone
async def test_every_cut():
    """A conversation is the same wherever it is cut in two."""
    async with serving() as url:
        for at in range(1, len(SPOKEN)):
            assert answers(await conversation(url, SPOKEN[:at], SPOKEN[at:])) == ANSWERED, at


# --- too much at once --------------------------------------------------------------------------------------


@alone
async def test_go_with_too_many_requests_in_flight():
    """The one too many is told to wait, does, and is answered; those in flight are untouched."""
    async with serving(max_requests_in_flight=2) as url, GoPeer(url) as peer, GoPeer(url) as other:
        waiting = [await peer.ask("wait"), await peer.ask("wait")]
        third = asyncio.create_task(peer.request("echo", b"hi"))
        await peer.hear(lambda: len(peer.waits) == 1)
        await other.request("let go")
        assert [await each.next() for each in waiting] == [(b"R", 0, b'"waited"')] * 2
        assert await third == b"hi"


@alone
async def test_browser_with_too_many_requests_in_flight(browser):
    """It has no `e`: an `E` says when to try again; those in flight are untouched."""
    async with browser("/few/") as peer, browser() as other:
        waiting = [await peer.ask("wait"), await peer.ask("wait")]
        with pytest.raises(Failed) as caught:
            await peer.request("echo", "hi")
        found = re.fullmatch(r"too many requests in flight, retry after (\d+) ms", caught.value.text)
        assert found is not None
        assert int(found[1]) >= 250
        await other.request("let go")
        assert [json.loads(await each) for each in waiting] == ["waited", "waited"]
        assert await peer.request("echo", "hi") == "hi"


@alone
async def test_go_with_too_many_streams():
    """The one too many is told to wait; its parts mean nothing; the others are untouched."""
    async with serving(max_streams=2) as url, GoPeer(url) as peer:
        streams = [await peer.ask("upper", b"a", kind=b"s") for _ in range(3)]
        kind, _, text = await streams[2].next()
        assert (kind, text) == (b"e", b"too many streams")
        for stream in streams:
            await peer.part(stream, b"")
        assert [[part async for part in stream.parts()] for stream in streams[:2]] == [[b"A"], [b"A"]]


@alone
async def test_go_that_asks_too_fast():
    """It is told to wait, never shorter than it can take, and everything is answered in the end."""
    async with serving(messages_per_second=20, messages_burst=5) as url, GoPeer(url) as peer:
        asked = [b"%d" % number for number in range(8)]
        assert await asyncio.gather(*(peer.request("echo", each) for each in asked)) == asked
        assert peer.waits


@alone
async def test_browser_that_asks_too_fast(browser):
    """`E` says when to try again; what was within the limit is answered."""
    async with browser("/rate/") as peer:
        outcomes = await asyncio.gather(*(peer.request("echo", n) for n in range(7)), return_exceptions=True)
        assert outcomes[:5] == [0, 1, 2, 3, 4]
        for refused in outcomes[5:]:
            assert isinstance(refused, Failed)
            assert re.fullmatch(r"too fast, retry after \d+ ms", refused.text)


@pytest.mark.parametrize("asked_ms", [0, 1, 249, 4_000_000])
@alone
async def test_wait_that_go_obeys(asked_ms):
    """Whatever a handler says, a wait is between a quarter of a second and ten, a quarter more at most."""
    async with serving() as url, GoPeer(url) as peer:
        pending = await peer.ask("later", b"%d" % asked_ms)
        kind, wait, text = await pending.next()
        assert (kind, text) == (b"e", b"not now")
        assert 250 <= wait <= 12_500


@alone
async def test_handler_that_puts_a_browser_off(browser):
    """It says so in words."""
    async with browser() as peer:
        with pytest.raises(Failed, match=r"^not now, retry after 700 ms$"):
            await peer.request("later", 700)


@alone
async def test_go_that_does_not_stop():
    """Notifications cannot be deferred: at a debt of a burst the connection ends, without `f`."""
    async with serving(messages_per_second=1, messages_burst=5) as url, GoPeer(url) as peer:
        for _ in range(12):
            await peer.notify("typing")
        await peer.ended()
        assert peer.fault is None


@alone
async def test_browser_that_does_not_stop(browser):
    """The same, with 4429."""
    async with browser("/rate/") as peer:
        for _ in range(12):
            await peer.notify("typing")
        assert await peer.closed() == 4429
        assert peer.fault is None


@alone
async def test_go_that_notifies_faster_than_a_handler_takes():
    """Reading waits with them: the connection goes on, and what comes behind is answered."""
    async with serving(**NO_RATES, max_notifications_queued=2) as url, GoPeer(url) as peer:
        for _ in range(5000):
            await peer.notify("note")
        assert await peer.request("noted", b"5000") == b"5000"


@alone
async def test_browser_that_notifies_faster_than_a_handler_takes(browser):
    """A stock page that sends thousands in a row keeps its connection."""
    async with browser("/") as peer:
        for _ in range(3000):
            await peer.notify("note")
        assert await peer.request("noted", 3000) == 3000


# --- too large ---------------------------------------------------------------------------------------------


@alone
async def test_go_with_a_payload_over_the_limit():
    """`E` says so, the bytes are skipped, and the rest goes on."""
    async with serving() as url, GoPeer(url) as peer:
        with pytest.raises(Failed, match=r"^payload too large: 1048577 bytes, limit 1048576$"):
            await peer.request("echo", bytes(MIB + 1))
        assert await peer.request("echo", bytes(MIB)) == bytes(MIB)


@alone
async def test_browser_with_a_payload_over_the_limit(browser):
    """The same, by the size it really has."""
    async with browser("/small/") as peer:
        with pytest.raises(Failed, match=r"^payload too large: 1002 bytes, limit 1000$"):
            await peer.request("echo", "x" * 1000)
        assert await peer.request("echo", "x" * 998) == "x" * 998


@alone
async def test_browser_that_declares_too_much(browser):
    """996 bytes of emoji are declared as 1494: what counts is what comes."""
    async with browser("/small/") as peer:
        assert await peer.request("echo", "😀" * 249) == "😀" * 249
        with pytest.raises(Failed, match=r"^payload too large: 1002 bytes"):
            await peer.request("echo", "😀" * 250)


@alone
async def test_go_with_a_payload_far_over_the_limit():
    """`f` 2, then the end of the stream, which it sees though it is still writing."""
    async with serving() as url, GoPeer(url) as peer:
        await peer.ask("echo", bytes(5 * MIB))
        await peer.ended()
        assert peer.fault == 2


@alone
async def test_browser_with_a_payload_far_over_the_limit(browser):
    """`f` 2."""
    async with browser("/small/") as peer:
        with pytest.raises(ConnectionError):
            await peer.request("echo", "x" * 4001)
        assert peer.fault == 2


@alone
async def test_browser_with_a_payload_that_the_web_server_refuses(browser):
    """The connection ends: with `f` 2, unless Daphne sees the message first and drops it. Others talk on."""
    async with browser() as peer, browser() as other:
        with pytest.raises(ConnectionError):
            await peer.request("echo", "x" * 5 * MIB)
        await peer.closed()
        assert peer.fault in (2, None)
        assert await other.request("echo", "hi") == "hi"


@alone
async def test_part_over_the_limit():
    """That stream fails; another goes on."""
    async with serving(max_payload_bytes=1000) as url, GoPeer(url) as peer:
        one, two = await peer.ask("upper", b"a", kind=b"s"), await peer.ask("upper", b"b", kind=b"s")
        assert (await one.next())[2] == b"A"
        await peer.part(one, bytes(1001))
        assert await one.next() == (b"E", 0, b"payload too large: 1001 bytes, limit 1000")
        await peer.part(one, b"")
        await peer.part(two, b"")
        assert [part async for part in two.parts()] == [b"B"]


@alone
async def test_longest_name():
    """255 bytes are a name, 256 are a protocol error."""
    async with serving() as url:
        longest = await conversation(url, b"01", b"r\0\0\0\x010ff" + b"n" * 255 + b"00000000")
        assert answers(longest) == b'E\0\0\0\x0100000113unknown operation "' + b"n" * 255 + b'"'
        too_long = await conversation(url, b"01", b"r\0\0\0\x01100" + b"n" * 256 + b"00000000")
        assert answers(too_long) == b"f00000002"


@alone
async def test_longest_name_of_a_browser(browser):
    """The same."""
    async with browser() as peer:
        with pytest.raises(Failed, match=r'^unknown operation "n{255}"$'):
            await peer.request("n" * 255)
        with pytest.raises(ConnectionError):
            await peer.request("n" * 256)
        assert peer.fault == 2


# --- silence -----------------------------------------------------------------------------------------------


@alone
async def test_heartbeats_keep_go():
    """It drops a server that is silent for 30 s: the server beats at least twice as often."""
    assert Limits().heartbeat_interval <= READ_TIMEOUT / 2
    async with serving(heartbeat_interval=0.04) as url, GoPeer(url, read_timeout=1.0) as peer:
        await peer.hear(lambda: peer.heartbeats == 30)


@alone
async def test_go_that_shuts_down():
    """It is kept by each message that comes, and says nothing of it but that its heartbeats stop: so do ours."""
    limits = {"heartbeat_interval": 0.04, "idle_timeout": 3600}
    async with (
        serving(**limits) as url,
        GoPeer(url, heartbeat_interval=0.08, read_timeout=1.0) as peer,
        GoPeer(url, heartbeat_interval=0.08, read_timeout=1.0) as other,
    ):
        await peer.hear(lambda: peer.heartbeats >= 10)
        await peer.shut_down(0.1)
        stayed = other.heartbeats + 10
        await other.hear(lambda: other.heartbeats == stayed)


@alone
async def test_go_that_shuts_down_without_heartbeats_of_its_own():
    """Its silence tells nothing until the idle timeout: then the server ends the connection, and it is out."""
    async with (
        serving(heartbeat_interval=0.04, idle_timeout=0.5) as url,
        GoPeer(url, read_timeout=0.4) as peer,
    ):
        await peer.hear(lambda: peer.heartbeats == 1)
        await peer.shut_down(0.1)
        assert peer.fault == 3


@alone
async def test_heartbeats_to_a_browser(browser):
    """Each is a message of its own, without a payload."""
    async with browser("/beating/") as peer:
        await peer.hear(lambda: peer.heartbeats == 3)


@pytest.mark.parametrize("said", [b"", b"0"], ids=["nothing", "half"])
@alone
async def test_go_that_says_no_version(said):
    """`f` 3 in time, then the end."""
    async with serving(handshake_timeout=0.1) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("tcp://").split(":"))
        writer.write(said)
        assert answers(await reader.read()) == b"f00000003"
        writer.close()
        await writer.wait_closed()


@alone
async def test_go_that_falls_silent():
    """Unlike silence of a server, ours is told: `f` 3, then the end."""
    async with serving(handshake_timeout=0.2, idle_timeout=0.2) as url, GoPeer(url) as peer:
        await peer.request("echo")
        await peer.ended()
        assert peer.fault == 3


@alone
async def test_go_that_falls_silent_early():
    """An idle timeout shorter than that of the handshake counts from the first second on."""
    async with serving(idle_timeout=0.2, handshake_timeout=3600) as url, GoPeer(url) as peer:
        await peer.ended()
        assert peer.fault == 3


@alone
async def test_browser_that_falls_silent(browser):
    """`f` 3."""
    async with browser("/idle/") as peer:
        await peer.request("echo")
        await peer.closed()
        assert peer.fault == 3


@alone
async def test_another_version(site):
    """`f` 1, then the end."""
    assert answers(await conversation(site.tcp_url, b"02")) == b"f00000001"


@pytest.mark.parametrize(
    ("path", "said", "fault", "code"),
    [
        ("/", [b"02"], b"f00000001", 4001),
        ("/", [b"01", b"zzz"], b"f00000002", 4002),
        ("/small/", [b"01", b"r0000004echo00000fa1"], b"f00000002", 4002),
        ("/mute/", [], b"f00000003", 4003),
        ("/mute/", [b"0"], b"f00000003", 4003),
        ("/mute/", ["0"], b"f00000003", 4003),
        ("/idle/", [b"01"], b"f00000003", 4003),
    ],
    ids=["version", "garbage", "huge", "mute", "half", "half, as text", "idle"],
)
@alone
async def test_close_behind_a_fault(site, path, said, fault, code):
    """A page learns of a fault in words of the protocol, then by a close code of 4000 more."""
    async with connect_websocket(site.url.replace("http", "ws") + path) as socket:
        for each in said:
            await socket.send(each)
        heard = []
        with pytest.raises(ConnectionClosed):
            while True:
                heard.append(await socket.recv())
        assert (heard[-1], socket.close_code) == (fault, code)


# --- the outbox --------------------------------------------------------------------------------------------


@alone
@pytest.mark.parametrize(("number", "size"), [(640, 64 * KIB), (80, MIB)])
async def test_go_with_many_large_requests_in_flight(site, number, size):
    """It reads all the time, and is answered: also where it writes faster than it reads."""
    before = site.peak_memory
    async with GoPeer(site.tcp_url) as peer, GoPeer(site.tcp_url) as other:
        asking = asyncio.create_task(ask_all(peer, number, size))
        assert await other.request("echo", b"hi") == b"hi"
        for pending in await asking:
            kind, _, payload = await pending.next()
            assert (kind, len(payload)) == (b"R", size)
    if before is not None:
        assert site.peak_memory - before < 40 * MIB


async def ask_all(peer, number, size):
    return [await peer.ask("echo", bytes(size)) for _ in range(number)]


@alone
async def test_browser_with_many_large_answers_in_flight(browser):
    """A page that asks for 160 megabytes at once gets them; limits are on what waits, not on what is asked."""
    async with browser() as peer:
        asked = [await peer.ask("megabyte") for _ in range(160)]
        for answer in asked:
            assert len(await answer) == MIB


@alone
async def test_go_that_does_not_read():
    """What it asks is not read either; it is dropped once it has taken nothing for a while. Others are served."""
    async with serving(**NO_RATES, stall_timeout=0.1) as url, GoPeer(url) as other, GoPeer(url) as peer:
        await peer.request("echo")
        peer.stop_reading()
        with pytest.raises(ConnectionError):
            while True:
                await peer.ask("echo", bytes(64 * KIB))
        assert await other.request("echo", b"hi") == b"hi"


@alone
async def test_browser_that_does_not_read(browser):
    """The same."""
    async with browser("/impatient/") as peer, browser("/impatient/") as other:
        await peer.request("echo")
        peer.stop_reading()
        with pytest.raises(ConnectionError):
            while True:
                await peer.say(b"r0000004echo00010000", bytes(64 * KIB))
        assert await other.request("echo", "hi") == "hi"


@alone
async def test_id_that_is_in_use():
    """The second request fails; the first is answered."""
    async with serving() as url, GoPeer(url) as other:
        reader, writer = await asyncio.open_connection(*url.removeprefix("tcp://").split(":"))
        writer.write(b"01r\0\0\0\x01004wait00000000" + b"r\0\0\0\x01004echo00000002hi")
        await reader.readuntil(b"E\0\0\0\x0100000011this id is in use")
        await other.request("let go")
        writer.write_eof()
        assert await reader.read() == b'R\0\0\0\x0100000008"waited"'
        writer.close()
        await writer.wait_closed()
