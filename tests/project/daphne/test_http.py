"""Requests have a size and a time; what is beyond either ends, and nothing waits in memory without a bound."""

import asyncio
import io
import time

import pytest
from twisted.internet import reactor

from project.daphne import http, internals
from rpc.limits import Limits
from rpc.peer import backlog
from tests.deadlines import DEADLINE
from tests.project.daphne.http_site import (
    LARGE,
    LIMIT,
    LONG,
    chunked,
    dialled,
    exchange,
    lost,
    parts,
    request,
    site,
    steady,
)

STALL = 0.5
"""Seconds that tests give to a client that takes nothing."""
KEEP = b""
"""Headers of a request after which the connection stays."""


@pytest.fixture
def run():
    """Runs a coroutine on the reactor's loop, which serves what listens there."""
    loop = internals.event_loop(reactor)
    return lambda scenario: loop.run_until_complete(asyncio.wait_for(scenario, DEADLINE))


@pytest.fixture
def short(monkeypatch):
    """Makes a deadline short."""
    return lambda name, seconds=0.2: monkeypatch.setattr(http, name, seconds)


@pytest.fixture
def impatient(monkeypatch):
    """Limits that give a client `STALL` to take something."""
    monkeypatch.setattr(backlog, "LOOK_SECONDS", 0.05)
    return Limits(stall_timeout=STALL)


# --- bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda path, body: request(path, body=body), chunked])
def test_body_of_the_most_is_taken(run, make):
    """To the byte, however it is sent."""

    async def scenario():
        async with site() as running:
            status, _, body = parts(await exchange(running, make("/", bytes(LIMIT))))
            assert (status, body) == (200, b'["/", %d]' % LIMIT)

    run(scenario())


def test_longer_body_is_refused_at_its_head(run):
    """Nothing of it has to come; the application does not hear of it, and the connection ends."""

    async def scenario():
        async with site() as running:
            head = request("/page", headers=KEEP, body=bytes(LIMIT + 1))[: -LIMIT - 1]
            status, headers, body = parts(await exchange(running, head))
            assert (status, body) == (413, b"/page 413")
            assert headers == {"content-type": "text/plain", "content-length": "9", "connection": "close"}
            assert running.asked == []

    run(scenario())


def test_longer_body_of_unknown_length_is_refused_when_it_is_longer(run):
    """In the chunk that goes beyond; what comes behind is not read as a request."""

    async def scenario():
        async with site() as running:
            sent = chunked("/page", bytes(LIMIT), b"x", headers=KEEP) + request("/next")
            status, _, body = parts(await exchange(running, sent))
            assert (status, body) == (413, b"/page 413")
            assert running.asked == []

    run(scenario())


def test_limit_is_that_of_the_path(run):
    """As the application sees the path: decoded, without the query."""

    async def scenario():
        async with site() as running:
            large = bytes(LIMIT + 1)
            for path in ("/large/", "/large/?a=b", "/%6carge/"):
                assert parts(await exchange(running, request(path, body=large)))[0] == 200
            for path in ("/?/large/", "/x/large/"):
                assert parts(await exchange(running, request(path, body=large)))[0] == 413
            assert running.asked == 3 * ["/large/"]

    run(scenario())


def test_client_that_waits_for_leave_is_refused_it(run):
    """`Expect: 100-continue` (RFC 9110, section 10.1.1) spares it the body."""

    async def scenario():
        expecting = b"Expect: 100-continue\r\n"
        async with site() as running:
            head = request(headers=expecting, body=bytes(LIMIT + 1))[: -LIMIT - 1]
            assert parts(await exchange(running, head))[0] == 413
            async with dialled(running, request(headers=expecting, body=bytes(LIMIT))[:-LIMIT]) as (reader, writer):
                assert parts(await reader.readuntil(b"\r\n\r\n"))[0] == 100
                writer.write(bytes(LIMIT))
                assert parts(await reader.readuntil(b"]"))[0] == 200

    run(scenario())


def test_refusal_has_no_body_where_none_belongs(run):
    """In an answer to HEAD."""

    async def scenario():
        async with site() as running:
            status, headers, body = parts(await exchange(running, request(method=b"HEAD", body=bytes(LIMIT + 1))))
            assert (status, headers["content-length"], body) == (413, "5", b"")

    run(scenario())


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_answer_has_no_body_where_none_belongs(run, method, status):
    """However many pieces the application gives: what follows would be taken for the next answer."""

    async def scenario():
        async with site() as running:
            first = request(f"/pieces/{status}", method=method, headers=KEEP)
            answer = await exchange(running, first + request("/"))
            assert parts(answer)[2].startswith(b"HTTP/1.1 200 ")

    run(scenario())


def test_client_that_goes_on_sending_reads_why_it_is_refused(run):
    """It is read on for a while, since a reset could overtake the answer."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            writer.write(request(body=bytes(LARGE)))
            await writer.drain()
            assert parts(await reader.read())[0] == 413

    run(scenario())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"hello\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n", 400),
        (b"GET / HTTP/1.1\r\nno header\r\nX: x\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\nX: x\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400),
        (b"GET /" + b"x" * 16_384, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 16_384, 431),
        (b"GET / HTTP/1.1\r\n" + 20 * (b"X: " + b"x" * 1000 + b"\r\n"), 431),
        (b"GET / HTTP/1.1\r\n" + 502 * b"X: x\r\n", 431),
    ],
)
@pytest.mark.parametrize("behind", [b"\r\n", bytes(LARGE), b"x\r\n" * 1000])
def test_client_reads_that_its_head_is_refused(run, head, status, behind):
    """Whatever it sends behind it."""

    async def scenario():
        async with site() as running, dialled(running, head + behind) as (reader, writer):
            await writer.drain()
            answer = await reader.read()
            assert parts(answer)[0] == status
            assert answer.count(b"HTTP/1.1 ") == 1
            assert running.asked == []

    run(scenario())


def test_client_that_goes_on_for_ever_is_cut_off(run, short):
    """After that while."""
    short("LINGER_TIMEOUT")

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            writer.write(request(body=bytes(LIMIT + 1)))
            assert parts(await reader.read())[0] == 413
            with pytest.raises(ConnectionError):
                while True:
                    writer.write(bytes(2**16))
                    await writer.drain()
                    await asyncio.sleep(0)

    run(scenario())


@pytest.mark.parametrize(("path", "kept_in"), [("/page", io.BytesIO), ("/large/", io.BufferedRandom)])
def test_short_body_of_unknown_length_stays_in_memory(run, path, kept_in):
    """Where a longer one is allowed, it goes to a file."""

    async def scenario():
        async with site() as running, dialled(running, chunked(path, b"abc")[:-5]):
            channel = await running.channel()
            while channel.requests[0].content is None:
                await asyncio.sleep(0)
            assert type(channel.requests[0].content) is kept_in

    run(scenario())


def test_form_is_not_read_by_twisted(run):
    """The application reads it, and in a thread; on the loop everyone would wait."""

    async def scenario():
        form = b"Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"
        async with site() as running, dialled(running, request("/wait/", headers=form, body=b"a=b&c=d")):
            channel = await running.channel()
            while not running.asked:
                await asyncio.sleep(0)
            assert channel.requests[0].args == {}

    run(scenario())


# --- deadlines ---------------------------------------------------------------------------------------------


async def drip(writer, byte=b"x"):
    """Send a byte in each turn of the loop, until the connection ends."""
    while not writer.is_closing():
        writer.write(byte)
        await asyncio.sleep(0.01)


async def dripped(running, opening, byte=b"x"):
    """What is answered to someone who goes on byte by byte."""
    async with dialled(running, opening) as (reader, writer):
        dripping = asyncio.create_task(drip(writer, byte))
        answer = await reader.read()
        dripping.cancel()
        return answer


def test_head_that_does_not_end_in_time(run, short):
    """However busily its bytes come in."""
    short("HEAD_TIMEOUT")

    async def scenario():
        async with site() as running:
            status, headers, body = parts(await dripped(running, b"GET /page HTTP/1.1\r\nHost: x\r\nX-Slow: "))
            assert (status, headers["connection"], body) == (408, "close", b"/page 408")

    run(scenario())


def test_request_line_that_does_not_end_in_time(run, short):
    """Then nobody knows which page it is about."""
    short("HEAD_TIMEOUT")

    async def scenario():
        async with site() as running:
            assert parts(await dripped(running, b"GET /pa"))[::2] == (408, b"/ 408")

    run(scenario())


def test_second_head_on_a_connection_has_the_same_time(run, short):
    """From its first byte, also when that came with the request before."""
    short("HEAD_TIMEOUT")

    async def scenario():
        async with site() as running:
            answer = await dripped(running, request(headers=KEEP) + b"GET /second HTTP/1.1\r\nX-Slow: ")
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"/second 408")

    run(scenario())


@pytest.mark.parametrize(
    ("opening", "byte"),
    [
        (request("/page", body=bytes(LIMIT))[:-LIMIT], b"x"),
        (chunked("/page")[: -len(b"0\r\n\r\n")], b"1\r\nx\r\n"),
        (chunked("/page")[: -len(b"0\r\n\r\n")] + b"1;extension=", b"x"),
    ],
)
def test_body_that_does_not_end_in_time(run, short, opening, byte):
    """However it is sent."""
    short("BODY_TIMEOUT")

    async def scenario():
        async with site() as running:
            assert parts(await dripped(running, opening, byte))[::2] == (408, b"/page 408")
            assert running.asked == []

    run(scenario())


def test_longer_body_has_longer(run, short):
    """In proportion: it is still taken when a short one has run out of time."""
    short("BODY_TIMEOUT")

    async def scenario():
        short_one = request("/page", body=bytes(LIMIT))[:-LIMIT]
        async with site() as running, dialled(running) as (reader, writer):
            writer.write(request("/large/", body=bytes(LARGE))[:-1])
            await writer.drain()
            for _ in range(2):
                assert parts(await exchange(running, short_one))[0] == 408
            writer.write(b"x")
            assert parts(await reader.read())[0] == 200

    run(scenario())


def test_connection_that_asks_for_nothing_ends(run, short):
    """Without a word: nobody has asked."""
    short("HEAD_TIMEOUT")

    async def scenario():
        async with site() as running:
            assert await exchange(running, b"") == b""

    run(scenario())


def test_connection_that_asks_for_nothing_more_ends(run, short):
    """Once it has rested for long enough."""
    short("REST_TIMEOUT")

    async def scenario():
        async with site() as running:
            answer = await exchange(running, request("/once", headers=KEEP))
            assert parts(answer)[::2] == (200, b'["/once", 0]')

    run(scenario())


def test_answer_that_does_not_begin_in_time(run, short):
    """The client is told that the server is busy, and the application that nobody waits any more."""
    short("ANSWER_TIMEOUT", 0.0)

    async def scenario():
        async with site() as running, dialled(running, request("/wait/page", headers=KEEP)) as (reader, _):
            channel = await running.channel()
            while not running.asked:
                await asyncio.sleep(0)
            channel.requests[0].check_timeouts()
            assert parts(await reader.readuntil(b"503\r\n0\r\n\r\n"))[0] == 503
            await running.left.wait()

    run(scenario())


# --- answers that are not taken ----------------------------------------------------------------------------


def test_client_that_takes_nothing_is_dropped(run, impatient):
    """Whatever more the application has to send."""

    async def scenario():
        async with site(limits=impatient) as running, dialled(running, request("/endless/")) as (_, writer):
            writer.transport.pause_reading()
            await lost(await running.channel())

    run(scenario())


def test_client_that_takes_no_short_answer_is_dropped(run, impatient):
    """What waits would not hold up the application, but it waits as long."""

    async def scenario():
        line, rest = request("/long/", headers=KEEP).split(b"\r\n", 1)
        async with site(limits=impatient) as running, dialled(running, line + b"\r\n", narrow=True) as (_, writer):
            channel = await running.channel_not_read(writer)
            writer.write(rest)
            await steady(lambda: len(running.asked))
            assert channel.writable.is_set()
            assert channel.buffered()
            await lost(channel)

    run(scenario())


@pytest.mark.parametrize("asked", [request("/endless/"), 99 * request("/long/", headers=KEEP) + request("/long/")])
def test_client_that_reads_slowly_gets_everything(run, impatient, asked):
    """It may take as long as it likes, as long as it takes something."""

    async def scenario():
        async with site(limits=impatient) as running, dialled(running, asked, narrow=True) as (reader, _):
            received = 0
            enough = time.monotonic() + 3 * STALL
            while time.monotonic() < enough:
                received += len(await reader.read(2**14))
                await asyncio.sleep(0.01)
            running.go_on.set()
            while part := await reader.read(2**16):
                received += len(part)
            assert received > running.blocks * 2**16 + running.asked.count("/long/") * LONG
            assert len(running.asked) in (1, 100)

    run(scenario())


def test_connection_that_ends_still_sends_what_waits(run, short):
    """A client that reads slowly may rest for longer than others, for its answer is under way."""
    short("REST_TIMEOUT")

    async def scenario():
        line, rest = request("/long/", headers=KEEP).split(b"\r\n", 1)
        async with site() as running, dialled(running, line + b"\r\n", narrow=True) as (reader, writer):
            channel = await running.channel_not_read(writer)
            writer.write(rest)
            while not channel.transport.disconnecting:
                await asyncio.sleep(0)
            assert channel.buffered()
            writer.transport.resume_reading()
            assert len(parts(await reader.read())[2]) > LONG

    run(scenario())


def test_every_byte_that_is_written_is_counted(run):
    """Or a client that takes it would seem to take nothing."""

    async def scenario():
        sent = request("/first", headers=KEEP) + chunked("/large/", b"abc")
        async with site() as running, dialled(running, sent) as (reader, _):
            channel = await running.channel()
            assert len(await reader.read()) == channel._backlog.written

    run(scenario())


def test_application_waits_for_a_client_that_does_not_read(run):
    """What it sends is gathered neither in our memory nor, by the megabyte, in the kernel's."""

    async def scenario():
        async with site() as running, dialled(running, request("/endless/")) as (_, writer):
            writer.transport.pause_reading()
            channel = await running.channel()
            blocks = await steady(lambda: running.blocks)
            assert channel.buffered() < 3 * 2**16
            assert blocks < 2**20 / 2**16

    run(scenario())


# --- one request after the other ---------------------------------------------------------------------------


def test_requests_on_one_connection_are_answered_one_after_the_other(run):
    """In their order, however many come at once."""

    async def scenario():
        paths = [f"/{number}" for number in range(20)]
        sent = b"".join(request(path, headers=KEEP, body=b"abc") for path in paths[:-1]) + request(paths[-1])
        async with site() as running:
            answers = (await exchange(running, sent)).split(b"HTTP/1.1 200 OK\r\n")[1:]
            assert [answer.partition(b"\r\n\r\n")[2] for answer in answers[:-1]] == [
                f'["{path}", 3]'.encode() for path in paths[:-1]
            ]
            assert running.asked == paths
            assert running.most_at_once == 1

    run(scenario())


@pytest.mark.parametrize("path", ["/wait/", "/endless/"])
def test_requests_behind_one_that_is_answered_are_not_read_without_end(run, path):
    """A few wait in memory and the others stay with the client, also where that takes nothing of the answer."""

    async def scenario():
        async with site() as running, dialled(running, request(path, headers=KEEP)) as (_, writer):
            writer.transport.pause_reading()
            channel = await running.channel()
            await steady(lambda: running.blocks)
            writer.write(100_000 * request("/next", headers=KEEP))
            ahead = await steady(lambda: internals.read_ahead(channel))
            assert 0 < ahead <= http.MAX_AHEAD_BYTES + 2**16

    run(scenario())


def test_request_waits_until_the_answer_before_it_is_taken(run):
    """The application is not asked for what would only wait in memory; once it is taken, all are answered."""

    async def scenario():
        sent = 20 * request("/long/", headers=KEEP) + request("/last")
        async with site() as running, dialled(running, sent, narrow=True) as (reader, writer):
            channel = await running.channel_not_read(writer)
            asked = await steady(lambda: len(running.asked))
            assert asked < 20
            assert channel.buffered() < 3 * 2**16
            writer.transport.resume_reading()
            assert (await reader.read()).endswith(b'["/last", 0]')
            assert running.asked == [*20 * ["/long/"], "/last"]
            assert running.most_at_once == 1

    run(scenario())


def test_request_that_waits_for_the_answer_before_it_has_its_whole_time(run, short):
    """It is the server that does not read it."""
    short("HEAD_TIMEOUT")

    async def scenario():
        first, second = request("/long/", headers=KEEP), request("/second")
        async with site() as running, dialled(running, 2 * first + second[:-10], narrow=True) as (reader, writer):
            channel = await running.channel_not_read(writer)
            await steady(lambda: len(running.asked))
            assert not channel.writable.is_set()
            for _ in range(2):
                assert parts(await exchange(running, b"GET /"))[0] == 408
            writer.write(second[-10:])
            writer.transport.resume_reading()
            assert (await reader.read()).endswith(b'["/second", 0]')

    run(scenario())


def test_client_that_leaves_is_noticed_while_it_waits(run):
    """Reading goes on while a request is answered, so that the application hears of it."""

    async def scenario():
        async with site() as running, dialled(running, request("/wait/", body=b"abc")) as (_, writer):
            while not running.asked:
                await asyncio.sleep(0)
            writer.transport.abort()
            await running.left.wait()

    run(scenario())
