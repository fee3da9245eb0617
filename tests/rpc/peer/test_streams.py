"""Streams: parts of a request and of its result, both ways, and what slows them down or ends them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rpc import (
    ConnectionClosed,
    Handlers,
    Limits,
    LocalProtocolError,
    MessageTooBig,
    OperationError,
    Peer,
    RequestFailed,
    RequestTimeout,
    RetryLater,
)
from rpc.transports.memory import memory_pair, pipe
from tests.rpc.remote import facing
from tests.rpc.wire import CANCEL, HELLO


def hello(*features: str, window: int = 16) -> bytes:
    named = ",".join(f'"{feature}"' for feature in features)
    payload = b'{"features":[%b],"window":%d}' % (named.encode(), window)
    return b"n006$hello%08x" % len(payload) + payload


def more(of: str, credit: int, id: str = "30303031") -> bytes:
    payload = b'{"id":"%b","of":"%b","credit":%d}' % (id.encode(), of.encode(), credit)
    return b"n005$more%08x" % len(payload) + payload


def cancel(id: str = "30303031") -> bytes:
    return b'n007$cancel00000011{"id":"%b"}' % id.encode()


@pytest.fixture
def ended() -> list[str]:
    """What handlers say when they are over."""
    return []


@pytest.fixture
def handlers(ended) -> Handlers:
    handlers = Handlers()

    @handlers.stream("sum")
    async def sum_(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        """Running totals."""
        total = 0
        async for part in parts:
            total += part
            yield total

    @handlers.stream("raw")
    async def raw(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part

    @handlers.stream("length")
    async def length(parts: AsyncIterator[bytes]) -> int:
        return sum([len(part) async for part in parts])

    @handlers.stream("count")
    async def count(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        async for upto in parts:
            for number in range(upto):
                yield number

    @handlers.stream("never")
    async def never(peer, parts: AsyncIterator[bytes]) -> AsyncIterator[int]:
        try:
            yield peer.limits.max_streams
            await asyncio.Event().wait()
        finally:
            ended.append("never")

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    return handlers


# --- served ------------------------------------------------------------------------------------------------


async def test_parts_both_ways(handlers):
    """Each part of the request may be answered by parts of the result; each of the two has its end."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001003sum0000000211")
        assert await far.hear() == [b"S00010000000211"]
        far.say(b"p00010000000231", b"p000100000000")
        assert await far.hear() == [b"S00010000000242S000100000000"]


async def test_header_and_payload_are_two_messages(handlers):
    """Over WebSocket, to a remote that announced nothing but streams."""
    async with facing(handlers, hello("streams")) as (_, far):
        far.say(b"s0001003raw00000002", b"hi", b"p000100000000")
        assert await far.hear(3) == [b"S000100000002", b"hi", b"S000100000000"]


async def test_text_is_answered_with_text(handlers):
    """As requests in text are."""
    async with facing(handlers) as (_, far):
        far.say("s0001003raw00000002", "hi", "p000100000000")
        assert await far.hear(3) == ["S000100000002", "hi", "S000100000000"]


async def test_first_part_is_empty(handlers):
    """Then there is no part yet; only an empty `p` is the end."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001003raw00000000p000100000003abcp000100000000")
        assert await far.hear() == [b"S000100000003abcS000100000000"]


async def test_first_part_of_a_stock_browser_peer_is_empty(handlers):
    """Then it is the end, and nothing that follows is a part of it."""
    async with facing(handlers) as (_, far):
        far.say(b"s0001006length00000000", b"p000100000001", b"x")
        assert await far.hear(3) == [b"S000100000001", b"0", b"S000100000000"]
    async with facing(handlers, CANCEL) as (_, far):
        far.say(b"s0001006length00000000", b"p000100000001", b"x", b"p000100000000")
        assert await far.hear(2) == [b"R000100000001", b"1"]


async def test_single_result_of_a_request_in_parts(handlers):
    """A stock remote, which knows the end of an answer to parts by its empty part, gets one; others get an `R`."""
    asked, answered = b"s0001006length00000003abcp000100000000", b"S0001000000013S000100000000"
    async with facing(handlers, framed=False) as (_, far):
        far.say(asked)
        assert await far.hear() == [answered]
    async with facing(handlers, CANCEL, framed=False) as (_, far):
        far.say(asked)
        assert await far.hear() == [b"R0001000000013"]


async def test_empty_single_result_of_a_request_in_parts(handlers):
    """To a stock remote it is the end alone."""

    @handlers.stream("nothing")
    async def nothing(parts: AsyncIterator[bytes]) -> bytes:
        return b""

    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001007nothing00000001x")
        assert await far.hear() == [b"S000100000000"]


async def test_single_request_for_a_stream(handlers):
    """It is a request of one part, or of none."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"r0001005count000000012")
        assert await far.hear() == [b"S0001000000010S0001000000011S000100000000"]
        far.say(b"r0002006length00000000")
        assert await far.hear() == [b"R0002000000010"]


async def test_stream_for_a_plain_operation(handlers):
    """It fails, and its parts are ignored."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001004echo00000002hip000100000002hop000100000000r0002004echo00000000")
        assert await far.hear() == [b"E000100000016not a stream operationR000200000000"]


async def test_empty_results_are_left_out(handlers):
    """On the wire an empty part is the end."""

    @handlers.stream("gaps")
    async def gaps(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        for part in (b"a", b"", b"b"):
            yield part

    async with facing(handlers, framed=False) as (_, far):
        far.say(b"r0001004gaps00000000")
        assert await far.hear() == [b"S000100000001aS000100000001bS000100000000"]


async def test_part_that_is_no_json(handlers):
    """It fails the stream, after what came before it."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001003sum000000011p000100000001xp000100000001")
        assert await far.hear() == [b"S0001000000011E00010000001ebad parameters: not valid JSON"]


async def test_handler_fails_midway(handlers):
    """The parts before stay; the error ends the stream, and nothing else."""

    @handlers.stream("midway")
    async def midway(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        yield 1
        raise OperationError("enough", "enough")

    async with pipe(handlers) as (_, client):
        async with client.stream("midway", None) as stream:
            assert await anext(stream) == 1
            with pytest.raises(RequestFailed) as caught:
                await anext(stream)
            assert (caught.value.text, caught.value.code) == ("enough", "enough")
        assert await client.request("echo", b"hi", bytes) == b"hi"


async def test_exception_in_a_handler(handlers, caplog):
    """The remote learns an id that is in the log, and nothing more."""

    @handlers.stream("broken")
    async def broken(parts: AsyncIterator[int]) -> int:
        raise ZeroDivisionError

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed, match=r"internal error \(\w{8}\)") as caught:
            async with client.stream("broken", None) as stream:
                await anext(stream)
        assert caught.value.text[-9:-1] in caplog.text


async def test_handler_that_reads_no_further(handlers):
    """Its answer ends the request; parts on their way are ignored, and the id is free."""

    @handlers.stream("first")
    async def first(parts: AsyncIterator[bytes]) -> bytes:
        return await anext(parts)

    async with facing(handlers, framed=False) as (_, far):
        for _ in range(2):
            far.say(b"s0001005first00000001a")
            assert await far.hear() == [b"S000100000001aS000100000000"]
            far.say(b"p000100000001bp000100000000")
        far.say(b"r0001004echo00000000")
        assert await far.hear() == [b"R000100000000"]


async def test_cancelled(handlers, ended):
    """The handler ends at once, with its clean-up, and the answer says so."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001005never00000000")
        assert await far.hear() == [b"S0001000000018"]
        far.say(cancel())
        assert await far.hear() == [b"E000100000009cancelled"]
        assert ended == ["never"]


async def test_connection_is_lost(handlers, ended):
    """Then the handler is cancelled."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001005never00000000")
        await far.hear()
    assert ended == ["never"]


async def test_too_many_streams(handlers):
    """One more than may run at once is deferred; one that ended makes room."""
    async with facing(handlers, framed=False, limits=Limits(max_streams=2)) as (_, far):
        far.say(b"s0001005never00000000s0002005never00000000")
        await far.hear()
        far.say(b"s0003005count000000012")
        [refusal] = await far.hear()
        assert (refusal[:5], refusal[13:]) == (b"e0003", b"00000010too many streams")
        far.say(cancel())
        await far.hear()
        far.say(b"r0003005count000000011")
        assert await far.hear() == [b"S0003000000010S000300000000"]


async def test_nothing_moves(handlers):
    """A stream may last, but not in silence."""
    async with facing(handlers, framed=False, limits=Limits(stream_timeout=60, idle_timeout=1000)) as (_, far):
        far.say(b"s0001006length00000000")
        for _ in range(3):
            await asyncio.sleep(50)
            far.say(b"p000100000001a")
        await asyncio.sleep(61)
        heard = b""
        while b"E0001" not in heard:
            heard += (await far.hear())[0]
        assert heard.endswith(b"E000100000009timed out")


async def test_duplicate_id(handlers):
    """The second is refused, the first goes on."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001003sum000000011s0001003sum000000015")
        assert await far.hear() == [b"E000100000011this id is in useS0001000000011"]


async def test_part_over_the_limit(handlers, ended):
    """It ends its stream, and the bytes are skipped."""
    async with facing(handlers, framed=False, limits=Limits(max_payload_bytes=10)) as (_, far):
        far.say(b"s0001005never00000000")
        await far.hear()
        far.say(b"p00010000000b12345678901r0002004echo00000000")
        assert await far.hear() == [b"R000200000000"]
        assert await far.hear() == [b"E000100000025payload too large: 11 bytes, limit 10"]
        assert ended == ["never"]


@pytest.mark.parametrize("hellos", [(), (hello("flow", window=1 << 20),)])
async def test_handler_that_never_waits(handlers, hellos):
    """It leaves others their turn, also when what it yields goes nowhere."""

    @handlers.stream("endless")
    async def endless(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        while True:
            yield b"more"

    async with facing(handlers, *hellos, framed=False) as (_, far):
        near = far.transport._other
        near.buffered = lambda: 0
        far.say(b"r0001007endless00000000r0002004echo00000000")
        heard = b""
        while b"R0002" not in heard:
            heard = (await far.hear())[0]


# --- credit ------------------------------------------------------------------------------------------------


async def test_results_wait_for_credit(handlers):
    """An end that announced `flow` gets as much as its window, and more when it grants more."""
    async with facing(handlers, hello("flow", window=3), framed=False) as (_, far):
        far.say(b"r0001005count000000019")
        assert await far.hear() == [b"S0001000000010S0001000000011S0001000000012"]
        far.say(more("S", 1))
        assert await far.hear() == [b"S0001000000013"]
        far.say(more("S", 100))
        assert (await far.hear())[0].endswith(b"S0001000000018S000100000000")


async def test_large_part_costs_more(handlers):
    """Each full 64 KiB is one more."""
    async with facing(handlers, hello("flow", window=3), framed=False) as (_, far):
        far.say(b"s0001003raw00020000" + bytes(2 * 65536) + b"p000100000001a")
        assert (await far.hear())[0][:13] == b"S000100020000"
        far.say(more("S", 1))
        assert await far.hear() == [b"S000100000001a"]


async def test_reading_grants_credit(handlers):
    """When the handler has read half a window, and only to a remote that knows what it means."""
    async with facing(handlers, hello("flow"), framed=False) as (_, far):
        far.say(b"s0001006length00000001a" + 7 * b"p000100000001a")
        assert await far.hear() == [more("p", 8)]
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001006length00000001a" + 7 * b"p000100000001a" + b"p000100000000")
        assert await far.hear() == [b"S0001000000018S000100000000"]


@pytest.mark.parametrize("grant", [more("p", 8), more("S", 8), more("S", 8, "3030"), b"n005$more00000002{}"])
async def test_grant_of_nothing(handlers, grant):
    """It is ignored."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(grant, b"r0002004echo00000000")
        assert await far.hear() == [b"R000200000000"]


async def test_credit_announced_after_the_first_parts(handlers):
    """What was sent before counts: the announcement may be on its way when a stream begins."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(b"s0001005count000000012")
        assert await far.hear() == [b"S0001000000010S0001000000011"]
        await far.introduce(hello("flow", window=3))
        far.say(b"p0001000000019")
        assert await far.hear() == [b"S0001000000010"]
        far.say(more("S", 1))
        assert await far.hear() == [b"S0001000000011"]


async def test_slow_reader_slows_the_writer(handlers):
    """Whoever writes waits for whoever reads, and what is between them stays small."""
    written = 0
    proceed = asyncio.Event()

    @handlers.stream("slow")
    async def slow(parts: AsyncIterator[bytes]) -> int:
        await proceed.wait()
        return sum([len(part) async for part in parts])

    async with pipe(handlers) as (_, client), client.stream("slow", result_type=int) as stream:

        async def write() -> None:
            nonlocal written
            for _ in range(100):
                await stream.send(bytes(65535))
                written += 1
            await stream.end()

        writing = asyncio.create_task(write())
        await asyncio.sleep(1)
        assert written == 16
        assert await client.request("echo", b"meanwhile", bytes) == b"meanwhile"
        proceed.set()
        assert await anext(stream) == 100 * 65535
        await writing


@pytest.mark.parametrize("framed", [True, False])
async def test_slow_reader_of_a_remote_without_credit(handlers, framed):
    """Reading the connection waits, beyond two windows; when it goes on, nothing is lost and the order is kept."""
    proceed = asyncio.Event()

    @handlers.stream("slow")
    async def slow(parts: AsyncIterator[int]) -> list[int]:
        await proceed.wait()
        return [part async for part in parts]

    limits = Limits(idle_timeout=40)
    async with facing(handlers, hello("streams"), framed=framed, limits=limits) as (_, far):
        far.say(b"s0001004slow00000000")
        for number in range(10, 60):
            far.say(b"p000100000002%d" % number)
        far.say(b"p000100000000", b"r0002004echo00000000")
        await asyncio.sleep(50)
        assert far.transport.closed is None
        proceed.set()
        heard = b""
        while b"]" not in heard or b"R0002" not in heard:
            heard += (await far.hear())[0]
        assert b"[" + b",".join(b"%d" % number for number in range(10, 60)) + b"]" in heard


# --- asked -------------------------------------------------------------------------------------------------


async def test_asking_in_parts(handlers):
    """The first part opens the request, the others follow; the end is an empty part."""
    async with facing(handlers, framed=False) as (peer, far):
        async with peer.stream("sum", result_type=int) as stream:
            await stream.send(1)
            await stream.send(b"2")
            await stream.end()
            await stream.end()
            assert await far.hear() == [b"s0001003sum000000011p0001000000012p000100000000"]
            far.say(b"S0001000000011S0001000000013S000100000000")
            assert [total async for total in stream] == [1, 3]
        far.say(b"S0001000000011")
        await asyncio.sleep(1)


async def test_asking_without_a_part(handlers):
    """The end opens the request, without a part, and then ends it."""
    async with facing(handlers, framed=False) as (peer, far), peer.stream("sum") as stream:
        await stream.end()
        assert await far.hear() == [b"s0001003sum00000000p000100000000"]


async def test_reading_before_the_first_part(handlers):
    """Nothing is sent until there is a part: to a stock remote an empty one would be a part, or the end."""
    async with facing(handlers, framed=False) as (peer, far), peer.stream("sum") as stream:
        reading = asyncio.create_task(anext(stream))
        await asyncio.sleep(1)
        await stream.send(1)
        assert await far.hear() == [b"s0001003sum000000011"]
        far.say(b"R000100000001a", b"R000100000001b")
        with pytest.raises(RequestFailed, match="unexpected result"):
            await reading


async def test_reading_what_is_never_opened(handlers):
    """It times out, and there is nothing to give up; what is sent then is too late."""
    async with facing(handlers, CANCEL, framed=False) as (peer, far):
        async with peer.stream("sum", timeout=5) as stream:
            with pytest.raises(RequestTimeout):
                await anext(stream)
            with pytest.raises(RequestTimeout):
                await stream.send(1)
            await stream.end()
        far.say(b"r0001004echo00000000")
        assert await far.hear() == [b"R000100000000"]


async def test_single_request_answered_in_parts(handlers):
    """With params the request is a single one, which stock peers understand too."""
    async with pipe(handlers) as (_, client), client.stream("count", 3, int) as stream:
        assert [number async for number in stream] == [0, 1, 2]
        with pytest.raises(LocalProtocolError, match="has ended"):
            await stream.send(1)


async def test_request_answered_in_parts(handlers):
    """A plain request puts the parts together, and gives credit for more."""
    async with pipe(handlers) as (_, client):
        assert await client.request("count", 10, bytes) == b"0123456789"


async def test_request_answered_in_too_many_parts(handlers):
    """Together they are under the limit of one payload."""
    async with pipe(handlers) as (server, client):
        client.limits = Limits(max_payload_bytes=5)
        client._requester.limits = client.limits
        with pytest.raises(MessageTooBig):
            await client.request("count", 10)
        await asyncio.sleep(1)
        assert server.in_flight == 0


async def test_part_of_a_result_over_the_limit(handlers):
    """It fails the request, and the remote need not go on."""
    async with facing(handlers, CANCEL, framed=False, limits=Limits(max_payload_bytes=30)) as (peer, far):
        async with peer.stream("name", None) as stream:
            await far.hear()
            far.say(b"S00010000001f" + bytes(31))
            with pytest.raises(MessageTooBig):
                await anext(stream)
        assert await far.hear() == [cancel()]


async def test_empty_part(handlers):
    """It would be the end, so it is refused."""
    async with pipe(handlers) as (_, client), client.stream("raw") as stream:
        with pytest.raises(LocalProtocolError, match="empty"):
            await stream.send(b"")


async def test_stock_browser_peer_gets_no_stream_request(handlers):
    """It would close the connection: our side refuses, after a while in which it might announce itself."""
    async with facing(handlers) as (peer, far), peer.stream("sum") as stream:
        reading = asyncio.create_task(anext(stream))
        for waiting in (stream.send(1), reading):
            with pytest.raises(LocalProtocolError, match="takes no stream requests"):
                await waiting
        far.say(b"r0001004echo00000000")
        assert b"s" not in [chunk[:1] for chunk in await far.hear()]


async def test_stream_before_the_remote_has_announced_itself(handlers):
    """It waits for the announcement."""
    async with facing(handlers) as (peer, far), peer.stream("sum") as stream:
        sending = asyncio.create_task(stream.send(1))
        await asyncio.sleep(1)
        await far.introduce(hello("streams"))
        await sending
        assert await far.hear(2) == [b"s0001003sum00000001", b"1"]


async def test_end_before_the_remote_has_announced_itself(handlers):
    """The first part, which waits for that, opens the request all the same."""
    async with facing(handlers) as (peer, far), peer.stream("sum") as stream:
        reading = asyncio.create_task(anext(stream))
        sending = asyncio.create_task(stream.send(1))
        await asyncio.sleep(1)
        ending = asyncio.create_task(stream.end())
        await asyncio.sleep(1)
        await far.introduce(hello("streams"))
        await sending
        await ending
        assert await far.hear(3) == [b"s0001003sum00000001", b"1", b"p000100000000"]
        far.say(b"R000100000001", b"1")
        assert await reading == 1


@pytest.mark.parametrize(("hellos", "told"), [((CANCEL,), cancel()), ((), b"p000100000000")])
async def test_leaving_early(handlers, hellos, told):
    """The remote is told to stop, or at least that nothing more comes."""
    async with facing(handlers, *hellos, framed=False) as (peer, far):
        async with peer.stream("sum") as stream:
            await stream.send(1)
            await far.hear()
        assert await far.hear() == [told]


async def test_error_reaches_reader_and_writer(handlers):
    """Also one who waits for credit."""
    near_credit = hello("flow", window=1)
    async with facing(handlers, near_credit, framed=False) as (peer, far), peer.stream("sum") as stream:
        await stream.send(1)
        sending = asyncio.create_task(stream.send(2))
        reading = asyncio.create_task(anext(stream))
        await far.hear()
        far.say(b"E000100000004nope")
        for waiting in (sending, reading):
            with pytest.raises(RequestFailed, match="nope"):
                await waiting


async def test_writer_of_a_stream_that_is_answered(handlers):
    """It learns that nobody reads any more."""
    async with facing(handlers, framed=False) as (peer, far), peer.stream("first") as stream:
        await stream.send(1)
        await far.hear()
        far.say(b"R000100000001a")
        await asyncio.sleep(1)
        with pytest.raises(RequestFailed) as caught:
            await stream.send(2)
        assert caught.value.code == "ended"


async def test_stream_put_off(handlers):
    """It may be tried again: that is the caller's matter, who has the parts."""
    async with facing(handlers, framed=False) as (peer, far), peer.stream("sum") as stream:
        await stream.send(1)
        await far.hear()
        far.say(b"e0001000003e800000004busy")
        with pytest.raises(RetryLater):
            await anext(stream)


async def test_asked_stream_in_which_nothing_moves(handlers):
    """Only while someone waits does silence count, and only silence."""
    async with pipe(handlers, limits=Limits(stream_timeout=1000)) as (server, client):
        async with client.stream("sum", result_type=int, timeout=20) as stream:
            for _ in range(4):
                await asyncio.sleep(15)
                await stream.send(1)
                await anext(stream)
            await asyncio.sleep(50)
            with pytest.raises(RequestTimeout):
                await anext(stream)
        await asyncio.sleep(1)
        assert server.in_flight == 0


async def test_connection_ends_amid_a_stream(handlers):
    """Reader and writer learn it."""
    near, _ = memory_pair(framed=False)
    async with Peer(handlers, near) as peer:
        stream = await peer.stream("sum").__aenter__()
        await stream.send(1)
        reading = asyncio.create_task(anext(stream))
        await asyncio.sleep(1)
    with pytest.raises(ConnectionClosed):
        await reading
    with pytest.raises(ConnectionClosed):
        await stream.send(2)
    await stream.__aexit__(None, None, None)


async def test_connection_ends_before_the_first_part(handlers):
    """The reader, who waits for it, learns it."""
    near, _ = memory_pair(framed=False)
    async with Peer(handlers, near) as peer:
        stream = await peer.stream("sum").__aenter__()
        reading = asyncio.create_task(anext(stream))
        await asyncio.sleep(1)
    with pytest.raises(ConnectionClosed):
        await reading
    await stream.__aexit__(None, None, None)


async def test_stream_on_a_closed_connection(handlers):
    """It fails at once."""
    async with facing(handlers, HELLO) as (peer, _):
        peer.close(4503)
        async with peer.stream("sum") as stream:
            for waiting in (stream.send(1), anext(stream)):
                with pytest.raises(ConnectionClosed):
                    await waiting
