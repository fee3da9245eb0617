"""Requests have a size; what is beyond it is refused, and nothing of it is stored."""

import asyncio

import pytest
from twisted.internet import reactor

from project.daphne import http, internals
from tests.project.daphne.http_site import (
    DEADLINE,
    LARGE,
    LIMIT,
    chunked,
    dialled,
    exchange,
    parts,
    request,
    site,
)

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


def test_client_that_goes_on_sending_reads_why_it_is_refused(run):
    """It is read on for a while, since a reset could overtake the answer."""

    async def scenario():
        async with site() as running, dialled(running) as (reader, writer):
            writer.write(request(body=bytes(LARGE)))
            await writer.drain()
            assert parts(await reader.read())[0] == 413

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
