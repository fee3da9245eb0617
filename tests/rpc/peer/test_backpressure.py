"""A remote that reads slower than it is sent to: answers wait, notifications are left out, which it is told."""

import asyncio

import pytest

from rpc import Handlers, Limits, Notification, Peer, Prepared
from rpc.peer.transport import MAX_WRITABLE_BYTES
from rpc.protocol.frames import MAX_JOINED_BYTES
from rpc.transports.memory import pipe
from tests.rpc.remote import facing
from tests.rpc.wire import JOINED

KIB = 1024
MIB = 1024 * KIB
NO_RATES = {"messages_per_second": None, "bytes_per_second": None}
WIDE = Limits(**NO_RATES)
MOST = WIDE.max_unsent_bytes
LARGEST = WIDE.max_payload_bytes
MAX_BUFFERED = MAX_WRITABLE_BYTES + MAX_JOINED_BYTES + 2 * 64 * KIB
"""Of messages of 64 KiB: below this the transport is written to, this much leaves in one write, and one more."""


@pytest.fixture
def handlers():
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("echo later")
    async def echo_later(payload: bytes) -> bytes:
        return payload

    @handlers.request("megabyte", inline=True)
    def megabyte() -> bytes:
        return bytes(MIB)

    return handlers


def requests(operation, *payloads):
    """A stream of requests whose ids count from 0."""
    name = operation.encode()
    return b"".join(
        b"r%04d%03x%b%08x%b" % (number, len(name), name, len(payload), payload)
        for number, payload in enumerate(payloads)
    )


async def still():
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def hear_answers(far, number, pause=0.0):
    """The payloads of the next single results, by the numbers of their requests; `pause` before each look."""
    found = {}
    heard = bytearray()
    while len(found) < number:
        await asyncio.sleep(pause)
        heard += b"".join(await far.hear())
        while len(heard) >= 13 and len(heard) >= (end := 13 + int(heard[5:13], 16)):
            assert heard[:1] == b"R", bytes(heard[:80])
            found[int(heard[1:5])] = bytes(heard[13:end])
            del heard[:end]
    return found


@pytest.mark.parametrize("operation", ["echo", "echo later"])
@pytest.mark.parametrize(("number", "size"), [(64, 64 * KIB), (8, MIB)])
async def test_every_answer_arrives_however_late_they_are_read(handlers, operation, number, size):
    """What is asked all at once and read one by one is answered whole."""
    payloads = [bytes([65 + index % 26]) * size for index in range(number)]
    async with facing(handlers, framed=False, limits=WIDE) as (_, far):
        far.say(requests(operation, *payloads))
        await still()
        heard = await hear_answers(far, number)
        assert [heard[index] for index in range(number)] == payloads
        assert far.transport.closed is None


async def test_finished_answers_wait_unsent(handlers):
    """No more than one goes out while the remote has not read those before."""
    async with facing(handlers, framed=False, limits=WIDE) as (peer, far):
        far.say(requests("echo later", *[bytes(64 * KIB)] * 40))
        await still()
        assert far.transport._other.buffered() < MAX_BUFFERED
        assert peer.in_flight > 30
        await hear_answers(far, 40)
        assert peer.in_flight == 0


async def test_nothing_is_read_while_many_answers_wait(handlers):
    """What the remote sends meanwhile stays with it, and is taken when it reads again."""
    asked = []

    @handlers.request("ask")
    async def ask(payload: bytes) -> bytes:
        asked.append(payload)
        return bytes(MIB)

    async with facing(handlers, framed=False, limits=WIDE) as (_, far):
        far.say(requests("ask", *[b""] * 6))
        await still()
        for number in range(6, 10):
            far.say(b"r%04d003ask00000000" % number)
            await still()
        assert len(asked) == 6
        assert len(await hear_answers(far, 10)) == 10


async def test_answers_of_inline_handlers_are_bounded_too(handlers):
    """A few bytes may ask for many: the rest of what was read at once waits as well."""
    async with facing(handlers, framed=False, limits=WIDE) as (_, far):
        far.say(requests("megabyte", *[b""] * 60))
        await still()
        assert far.transport._other.buffered() <= MOST + LARGEST + KIB
        assert len(await hear_answers(far, 60)) == 60


async def test_time_in_which_an_answer_waits_is_not_its_handlers(handlers):
    """A remote that reads slowly gets its answers, not `timed out`."""
    limits = Limits(**NO_RATES, request_timeout=5.0, heartbeat_interval=1000.0)
    async with facing(handlers, framed=False, limits=limits) as (_, far):
        far.say(requests("echo later", *[bytes(MIB)] * 4))
        assert len(await hear_answers(far, 4, pause=2.0)) == 4


async def test_answer_that_waits_can_be_cancelled(handlers):
    """It is refused instead, and nothing is left of it."""
    cancelling = b'n006$hello00000032{"agent":"x","features":["cancel"],"window":16}   '
    assert len(cancelling) == 18 + 0x32
    async with facing(handlers, cancelling, framed=False, limits=WIDE) as (peer, far):
        far.say(requests("echo later", *[bytes(MIB)] * 2))
        await still()
        assert peer.in_flight == 1
        far.say(b'n007$cancel00000011{"id":"30303031"}')
        await still()
        assert peer.in_flight == 0
        assert await hear_answers(far, 1) == {0: bytes(MIB)}
        assert await far.hear() == [b"E000100000009cancelled"]


async def test_end_waits_for_answers_that_wait(handlers):
    """A drain answers what was asked, also a remote that reads only now."""
    async with facing(handlers, framed=False, limits=WIDE) as (peer, far):
        far.say(requests("echo later", *[bytes(MIB)] * 3))
        await still()
        finishing = asyncio.create_task(peer.finish(30))
        await still()
        assert not finishing.done()
        assert len(await hear_answers(far, 3)) == 3
        await finishing


async def test_two_peers_that_ask_each_other_for_much(handlers):
    """Each holds the answers of the other back, and both get all of them."""
    async with pipe(handlers, handlers, framed=False, limits=WIDE) as (one, other):
        payload = bytes(LARGEST)
        async with asyncio.timeout(60):
            heard = await asyncio.gather(
                *(peer.request("echo later", payload, bytes) for peer in (one, other) for _ in range(2))
            )
        assert heard == [payload] * 4


async def test_requests_of_ours_wait_until_the_remote_reads(handlers):
    """Many at once fill no outbox."""
    async with facing(handlers, framed=False, limits=WIDE) as (peer, far):
        asking = [asyncio.create_task(peer.request("echo", bytes(64 * KIB))) for _ in range(64)]
        await still()
        assert far.transport._other.buffered() < MAX_BUFFERED
        for each in asking:
            each.cancel()


# --- notifications -----------------------------------------------------------------------------------------


async def test_notifications_beyond_the_outbox_are_left_out_until_all_is_read(handlers):
    """The remote hears what came before the gap, and what comes after it; the hook learns of it in between."""
    told = []

    @handlers.missed
    def missed(peer: Peer) -> None:
        told.append(peer)
        peer.notify("missed")

    async with facing(handlers, JOINED, framed=False, limits=Limits(max_outbox_bytes=100_000)) as (peer, far):
        await still()
        for number in range(200):
            peer.send(Prepared([Notification("news", b"%03d" % number + bytes(1000))]))
        assert not peer.notify("more")
        assert told == []
        heard = b""
        while b"missed" not in heard:
            heard += b"".join(await far.hear())
        assert told == [peer]
        shown = heard.count(b"n004news")
        assert 98 <= shown <= 127
        assert b"%03d" % (shown - 1) + bytes(1000) in heard
        assert heard.endswith(b"n006missed00000004null")
        assert peer.notify("more")
        assert await far.hear() == [b"n004more00000004null"]


async def test_missed_hook_that_fails(handlers, caplog):
    """It is logged, and the connection goes on."""

    @handlers.missed
    def missed(peer: Peer) -> None:
        raise RuntimeError("secret")

    async with facing(handlers.child(), framed=False, limits=Limits(max_outbox_bytes=1000)) as (peer, far):
        peer.send(Prepared([Notification("news", bytes(100_000))]))
        peer.send(Prepared([Notification("news", b"")]))
        await far.hear()
        assert "a missed hook" in caplog.text
        assert peer.notify("more")


async def test_who_sends_many_waits_for_the_remote(handlers):
    """With `drained` in between nothing is left out."""
    async with facing(handlers, framed=False, limits=Limits(max_outbox_bytes=100_000)) as (peer, far):

        async def send():
            for _ in range(100):
                assert peer.notify("news", bytes(10_000))
                await peer.drained()

        sending = asyncio.create_task(send())
        heard = 0
        while heard < 100 * 10_000:
            heard += len(b"".join(await far.hear()))
        await sending


async def test_drained_ends_with_the_connection(handlers):
    """Nobody waits for a remote that is gone."""
    async with facing(handlers, framed=False) as (peer, _):
        peer.notify("news", bytes(MIB))
        await still()
        waiting = asyncio.create_task(peer.drained())
        await still()
        assert not waiting.done()
        peer.close(4000)
        await waiting
