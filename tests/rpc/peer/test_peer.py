"""Handlers, tasks, deadlines and the order of things, between two peers in memory."""

import asyncio
import logging
import re
import threading

import pytest

from rpc import (
    ConnectionClosed,
    Handlers,
    Limits,
    LocalProtocolError,
    MessageTooBig,
    Notification,
    OperationError,
    Peer,
    Prepared,
    Refused,
    RemoteProtocolError,
    RequestFailed,
    RequestTimeout,
    RetryLater,
    RpcError,
)
from rpc.transports.memory import memory_pair, pipe
from tests.rpc.remote import Remote, facing
from tests.rpc.wire import ERRORS, HELLO, JOINED, cut


@pytest.fixture
def handlers():
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    @handlers.request("sum")
    async def sum_of(params: list[int]) -> int:
        return sum(params)

    @handlers.request("never")
    async def never() -> None:
        await asyncio.Event().wait()

    @handlers.request("fail")
    async def fail() -> None:
        raise ZeroDivisionError("the password is 1234")

    return handlers


# --- answering ---------------------------------------------------------------------------------------------


async def test_stock_browser(handlers):
    """A stock browser's literal bytes: header and payload a WebSocket message each, both ways."""
    async with facing(handlers) as (_, far):
        far.say(b"r0001004echo00000005", b"hello")
        assert await far.hear(2) == [b"R000100000005", b"hello"]


async def test_stock_browser_in_text(handlers):
    """A stock browser in text mode is answered in text."""
    async with facing(handlers) as (_, far):
        far.say("r0001004echo00000002", "群发")
        assert await far.hear(2) == ["R000100000006", "群发"]


async def test_go_peer_cut_anywhere(handlers):
    """A stock peer on a byte stream is answered, however its bytes are cut."""
    async with facing(handlers, framed=False) as (_, far):
        far.say(*cut(b"r\x00\x00\x00\x01004echo00000005hello", 1))
        assert await far.hear() == [b"R\x00\x00\x00\x0100000005hello"]


async def test_joined_remote_gets_one_message(handlers):
    """The answers of one turn of the loop leave in one message to a remote that announced `joined`."""
    async with facing(handlers, JOINED) as (_, far):
        far.say(b"r0001004echo00000001ar0002004echo00000001b")
        assert await far.hear() == [b"R000100000001aR000200000001b"]


async def test_requests_run_side_by_side(handlers):
    """A slow request does not hold the next one."""
    async with facing(handlers) as (_, far):
        far.say(b"r0001005never00000000", b"r0002003sum00000005", b"[1,2]")
        assert await far.hear(2) == [b"R000200000001", b"3"]


async def test_handler_in_a_thread(handlers):
    """A plain function runs beside the loop."""

    @handlers.request("thread")
    def thread(params: int) -> list[object]:
        return [params * 2, threading.current_thread() is threading.main_thread()]

    async with pipe(handlers) as (_, client):
        assert await client.request("thread", 4) == [8, False]


async def test_handler_without_parameters(handlers):
    """A handler need not take anything."""

    @handlers.request("now", inline=True)
    def now() -> int:
        return 5

    async with pipe(handlers) as (_, client):
        assert await client.request("now", {"anything": 1}) == 5


async def test_fallback(handlers):
    """The empty name takes what no other handler takes, with or without the peer."""

    @handlers.request("", inline=True)
    def unknown(operation: str, payload: bytes) -> bytes:
        return operation.encode() + payload

    child = handlers.child()

    @child.request("", inline=True)
    def unknown_in_child(peer: Peer, operation: str, payload: bytes) -> bytes:
        return b"child " + operation.encode() + payload

    async with pipe(handlers) as (_, client):
        assert await client.request("nope", b"!", bytes) == b"nope!"
    async with pipe(child) as (_, client):
        assert await client.request("nope", b"!", bytes) == b"child nope!"
        assert await client.request("sum", [1]) == 1


async def test_both_peers_may_ask(handlers):
    """There is no client and no server once connected: a handler may ask the peer that asked."""

    @handlers.request("ask back")
    async def ask_back(peer: Peer, params: str) -> str:
        return await peer.request("name", params, str)

    theirs = Handlers()

    @theirs.request("name", inline=True)
    def name(params: str) -> str:
        return f"{params} Bob"

    for framed in (True, False):
        async with pipe(handlers, theirs, framed=framed) as (_, client):
            assert await client.request("ask back", "I am") == "I am Bob"


async def test_heartbeat_hook(handlers, caplog):
    """It is called at each heartbeat of the remote; one that fails harms nobody."""
    heard = []

    @handlers.heartbeat
    def failing(peer, heartbeat) -> None:
        raise ZeroDivisionError

    child = handlers.child()

    @child.heartbeat
    def hear(peer, heartbeat) -> None:
        heard.append((heartbeat.load, heartbeat.sent_at))

    async with facing(child) as (_, far):
        far.say(b"hffff0000000a", b"r0001004echo00000000")
        assert await far.hear() == [b"R000100000000"]
    assert heard == [(0xFFFF, 10)]
    assert "ZeroDivisionError" in caplog.text


async def test_reading_waits_for_a_remote_that_sends_too_much(handlers):
    """It is slowed down to its rate and loses nothing; others are not asked to wait."""
    limits = Limits(bytes_per_second=1000, bytes_burst=2000)
    async with facing(handlers, framed=False, limits=limits) as (_, far):
        started = asyncio.get_running_loop().time()
        for number in range(8):
            far.say(b"p%04d000003e8" % number + bytes(1000))
        far.say(b"r0001004echo00000000")
        heard = b""
        while b"R0001" not in heard and b"e0001" not in heard:
            heard = (await far.hear())[0]
        assert 5 <= asyncio.get_running_loop().time() - started <= 20
        assert far.transport.closed is None


async def test_chunks_that_come_while_reading_waits(handlers):
    """They are kept, and taken in order."""
    near, remote_transport = memory_pair(framed=False)
    limits = Limits(bytes_per_second=1000, bytes_burst=1000)
    async with Peer(handlers, near, limits) as peer:
        await peer.open()
        peer.receive(b"01p0001000007d0" + bytes(1000))
        peer.receive(bytes(1000))
        peer.receive(b"r0001004echo00000001a")
        peer.receive(b"r0002004echo00000001b")
        await asyncio.sleep(0.1)
        assert remote_transport.buffered() == 0
        assert len(remote_transport._incoming) == 1
        await asyncio.sleep(30)
        heard = b"".join(remote_transport._incoming)
        assert heard.index(b"0001") < heard.index(b"0002")


async def test_chunks_that_come_while_a_connection_closes(handlers):
    """Nobody will take them any more, so they are not kept, though reading waits."""
    near, _ = memory_pair(framed=False)
    async with Peer(handlers, near, Limits(bytes_per_second=1000, bytes_burst=1000)) as peer:
        await peer.open()
        peer.receive(b"01p0001000007d0" + bytes(1000))
        peer.receive(bytes(1000))
        assert peer._connection.holds == 1
        peer.close(4503)
        peer.receive(bytes(1000))
        assert peer._connection._unread == []


async def test_scope_and_data(handlers):
    """A peer carries what its door knows and what the application puts on it."""
    one, _ = memory_pair()
    async with Peer(handlers, one, scope={"type": "tcp"}) as peer:
        assert (peer.scope["type"], peer.data, peer.limits, peer.handlers) == ("tcp", None, Limits(), handlers)
        assert peer.features == frozenset()
    assert Peer(handlers, one).scope == {}


# --- failing -----------------------------------------------------------------------------------------------


async def test_unknown_operation(handlers):
    """Nothing else happens than an error."""
    async with facing(handlers) as (_, far):
        far.say(b"r0001004nope00000000", b"r0002004echo00000000")
        assert await far.hear(3) == [b"E000100000018", b'unknown operation "nope"', b"R000200000000"]


@pytest.mark.parametrize("name", ["$nope", "__class__", "toString", "\0", "echo ", "ECHO"])
async def test_name_that_is_not_registered(handlers, name):
    """Nothing but a registered name can be called, and an error does not end anything."""
    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as caught:
            await client.request(name)
        assert caught.value.code == "unknown_operation"
        assert await client.request("echo", b"still here", bytes) == b"still here"


async def test_operation_error(handlers):
    """A handler's own words reach a stock peer as plain text."""

    @handlers.request("post", inline=True)
    def post() -> None:
        raise OperationError("no such room", "no_such_room")

    async with facing(handlers) as (_, far):
        far.say(b"r0001004post00000000")
        assert await far.hear(2) == [b"E00010000000c", b"no such room"]


@pytest.mark.parametrize("operation", ["fail", "fail inline", "fail in thread"])
async def test_exception_in_a_handler(handlers, operation, caplog):
    """The remote learns an id that is in the log, and nothing more."""

    @handlers.request("fail inline", inline=True)
    def fail_inline() -> None:
        raise ZeroDivisionError("the password is 1234")

    @handlers.request("fail in thread")
    def fail_in_thread() -> None:
        raise ZeroDivisionError("the password is 1234")

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as caught:
            await client.request(operation)
        assert caught.value.code == "internal"
        assert "password" not in str(caught.value)
        log_id = caught.value.text.removeprefix("internal error (").removesuffix(")")
        assert len(log_id) == 8
        assert log_id in caplog.text
        assert "password" in caplog.text
        assert await client.request("sum", [1]) == 1


@pytest.mark.parametrize("result", ["no bytes", {1, object()}, bytes(2**20 + 1)])
async def test_result_that_cannot_be_sent(handlers, result):
    """What a handler returns must fit its annotation, the wire and the limit."""

    @handlers.request("raw", inline=True)
    def raw() -> bytes:
        return result

    @handlers.request("json")
    async def json() -> object:
        return {"result": object()}

    async with pipe(handlers) as (_, client):
        for operation in ("raw", "json"):
            with pytest.raises(RequestFailed, match="internal error"):
                await client.request(operation)


@pytest.mark.parametrize(
    ("params", "text", "field"),
    [
        (b'{"room":1,"message":{"body":""}}', "Expected `str`, got `int` - at `$.room`", "room"),
        (b'{"room":"a","message":{}}', "Object missing required field `body` - at `$.message`", "message.body"),
        (b"{}", "Object missing required field `room`", "room"),
        (b"", "Expected `object`, got `null`", None),
        (b"{", "not valid JSON", None),
        (b'{"room":"\xff"', "not valid JSON", None),
        (b'{"unknown":' + b"[" * 100_000, "not valid JSON", None),
    ],
)
async def test_params_of_the_wrong_kind(handlers, params, text, field):
    """Parameters that do not fit fail the request, naming the field."""
    import msgspec

    class Body(msgspec.Struct):
        body: str

    class Post(msgspec.Struct):
        room: str
        message: Body

    def post(params) -> None:
        raise AssertionError("called")

    post.__annotations__["params"] = Post
    handlers.request("post")(post)

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as caught:
            await client.request("post", params)
        assert (caught.value.text, caught.value.code) == (f"bad parameters: {text}", "bad_params")
        assert caught.value.field == field


async def test_retry_later(handlers):
    """A handler may put a request off."""

    @handlers.request("post", inline=True)
    def post() -> None:
        raise RetryLater(2000, "slow mode", "slow_mode")

    async with pipe(handlers) as (_, client):
        with pytest.raises(RetryLater) as caught:
            await client.request("post")
        assert (caught.value.text, caught.value.code) == ("slow mode", "slow_mode")
        assert 2000 <= caught.value.retry_after_ms <= 2500


async def test_handler_that_raises_cancelled_error(handlers):
    """A cancellation that nobody asked for is a failure of the handler."""

    @handlers.request("cancel myself")
    async def cancel_myself() -> None:
        raise asyncio.CancelledError

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed, match="internal error"):
            await client.request("cancel myself")


# --- limits and deadlines ----------------------------------------------------------------------------------


async def test_request_that_takes_too_long(handlers):
    """After 30 s a handler is cancelled and its request fails; younger ones go on."""
    loop = asyncio.get_running_loop()
    async with facing(handlers, ERRORS) as (_, far):
        began = loop.time()
        far.say(b"r0001005never00000000")
        assert (await far.hear())[0][:1] == b"h"
        far.say(b"r0002005never00000000")
        for id, after in ((b"0001", 30), (b"0002", 40)):
            while (chunk := (await far.hear())[0])[:1] == b"h":
                pass
            assert [chunk, *await far.hear()] == [
                b"E" + id + b"00000026",
                b'{"error":"timed out","code":"timeout"}',
            ]
            assert loop.time() - began == after


async def test_cancelled_request(handlers):
    """`$cancel` ends the task; the answer says so."""
    cleaned_up = asyncio.Event()

    @handlers.request("wait")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    async with facing(handlers, ERRORS) as (_, far):
        far.say(b"r0001004wait00000000", b"n007$cancel00000011", b'{"id":"30303031"}')
        assert (await far.hear(2))[1] == b'{"error":"cancelled","code":"cancelled"}'
        far.say(b"r0001004wait00000000")
        await asyncio.sleep(0.1)
        far.say(*[b"n007$cancel00000011", b'{"id":"30303031"}'] * 2)
        assert (await far.hear(2))[1] == b'{"error":"cancelled","code":"cancelled"}'
        assert cleaned_up.is_set()


async def test_cancelled_request_that_answers_all_the_same(handlers):
    """A handler that has its result when it is cancelled may still answer."""

    @handlers.request("stubborn")
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        raise AssertionError

    async with facing(handlers) as (_, far):
        far.say(b"r0001008stubborn00000000")
        await asyncio.sleep(0.1)
        far.say(b"n007$cancel00000011", b'{"id":"30303031"}')
        assert await far.hear(2) == [b"R000100000006", b'"done"']


async def test_cancelled_again_and_again(handlers):
    """A second `$cancel` changes nothing, whenever it comes."""
    async with facing(handlers) as (peer, far):
        far.say(b"r0001005never00000000")
        await asyncio.sleep(0.1)
        for _ in range(5):
            peer.receive(b"n007$cancel00000011")
            peer.receive(b'{"id":"30303031"}')
            await asyncio.sleep(0)
        far.say(b"r0002004echo00000000")
        assert await far.hear(3) == [b"E000100000009", b"cancelled", b"R000200000000"]


async def test_request_timeout_shorter_than_the_heartbeat(handlers):
    """A deadline that comes before the next heartbeat is kept too."""
    loop = asyncio.get_running_loop()
    async with facing(handlers, limits=Limits(request_timeout=2)) as (_, far):
        began = loop.time()
        far.say(b"r0001005never00000000")
        assert await far.hear(2) == [b"E000100000009", b"timed out"]
        assert loop.time() - began == 2


async def test_too_many_in_flight(handlers):
    """The 65th request waits for later, the others are untouched."""
    async with facing(handlers) as (_, far):
        far.say(*(b"r%04d005never00000000" % id for id in range(65)))
        assert (await far.hear(2))[0][:5] == b"E0064"
        far.say(b"n007$cancel00000011", b'{"id":"30303031"}')
        assert await far.hear(2) == [b"E000100000009", b"cancelled"]
        far.say(b"r0065003sum00000003", b"[7]")
        assert await far.hear(2) == [b"R006500000001", b"7"]


async def test_silent_remote(handlers):
    """A connection silent for a minute and a half ends with `f` 3 and 4003; meanwhile it hears heartbeats."""
    async with facing(handlers) as (_, far):
        heard = await far.hear_all()
        assert [chunk[:5] for chunk in heard[:-1]] == [b"h0000"] * len(heard[:-1])
        assert len(heard) == 9
        assert heard[-1] == b"f00000003"
        assert far.transport.closed == (4003, "nothing came for too long")


async def test_remote_that_never_says_its_version(handlers):
    """Five seconds for two bytes."""
    near, remote_transport = memory_pair()
    async with Peer(handlers, near) as peer:
        await peer.open()
        assert (await Remote(remote_transport).hear_all())[-1] == b"f00000003"
        assert near.closed == (4003, "no version came")


async def test_remote_that_does_not_read(handlers):
    """What is not read is held up to the limit, the rest is left out; the connection ends when nothing is taken."""
    near, _ = memory_pair()
    async with Peer(handlers, near) as peer:
        await peer.open()
        peer.receive(b"01")
        prepared = Prepared([Notification("news", bytes(1000))])
        for _ in range(2000):
            peer.send(prepared)
        assert near.buffered() < 1.3 * Limits().max_outbox_bytes
        assert not peer.notify("more")
        await asyncio.sleep(9)
        assert near.closed is None
        await asyncio.sleep(3)
        assert near.closed == (1006, "")
        assert peer.closed_error().code == 4408
        assert not peer.notify("more")
        peer.send(prepared)


async def test_malformed_bytes(handlers):
    """What came before is answered, then `f` 2 and 4002."""
    async with facing(handlers) as (_, far):
        far.say(b"r0001004echo00000001xz")
        assert await far.hear_all() == [b"R000100000001", b"x", b"f00000002"]
        assert far.transport.closed == (4002, "unknown message type")


async def test_malformed_bytes_behind_requests_that_run(handlers):
    """What was asked before is answered before `f` 2, whatever the remote goes on saying."""

    @handlers.request("later")
    async def later(params: int) -> int:
        await asyncio.sleep(params)
        return params

    async with facing(handlers, framed=False) as (_, far):
        far.say(b"r0001005later000000012r0002005later000000011" + b"z", b"r0003005later000000010")
        assert await far.hear_all() == [b"R0002000000011", b"R0001000000012f00000002"]
        assert far.transport.closed == (4002, "unknown message type")


async def test_malformed_bytes_behind_a_request_that_hangs(handlers):
    """A request that runs on does not keep the connection beyond the time for a close."""
    async with facing(handlers) as (_, far):
        began = asyncio.get_running_loop().time()
        far.say(b"r0001005never00000000z")
        assert await far.hear_all() == [b"f00000002"]
        assert asyncio.get_running_loop().time() - began == Limits().close_timeout


async def test_bytes_after_the_end(handlers):
    """A connection that is closing handles nothing more."""
    async with facing(handlers) as (peer, far):
        peer.close(4401, "log in")
        peer.close(4403, "second thoughts")
        far.say(b"r0001004echo00000000")
        assert await far.hear_all() == []
        assert far.transport.closed == (4401, "log in")


# --- notifications -----------------------------------------------------------------------------------------


async def test_notifications_keep_their_order(handlers):
    """A notification waits for the handler of the one before, inline or not."""
    seen = []
    done = asyncio.Event()

    @handlers.notification("slow")
    async def slow(params: int) -> None:
        await asyncio.sleep(1)
        seen.append(params)

    @handlers.notification("quick", inline=True)
    def quick(params: int) -> None:
        seen.append(params)
        if params == 4:
            done.set()

    async with pipe(handlers) as (_, client):
        client.notify("quick", 0)
        for number, name in enumerate(["slow", "quick", "slow", "quick"], 1):
            client.notify(name, number)
        await done.wait()
        assert seen == [0, 1, 2, 3, 4]


async def test_failing_notification(handlers, caplog):
    """A handler that fails, hangs or cancels itself is logged, and the next notification handled."""
    done = asyncio.Event()

    @handlers.notification("fail", inline=True)
    def fail() -> None:
        raise ZeroDivisionError

    @handlers.notification("fail slowly")
    async def fail_slowly() -> None:
        raise ZeroDivisionError

    @handlers.notification("cancel")
    async def cancel() -> None:
        raise asyncio.CancelledError

    @handlers.notification("hang")
    async def hang() -> None:
        await asyncio.Event().wait()

    @handlers.notification("done")
    async def set_done() -> None:
        done.set()

    async with pipe(handlers) as (_, client):
        for name in ("fail", "fail slowly", "cancel", "hang", "unknown", "done"):
            client.notify(name)
        await done.wait()
    failed = [record.args[0] for record in caplog.records if record.levelno == logging.ERROR]
    assert failed == [f"the handler of {name!r}" for name in ("fail", "fail slowly", "cancel", "hang")]


async def test_notifications_wait_and_reading_waits_with_them(handlers):
    """A remote may tell more at once than a handler takes: nothing is lost, and what is behind waits unread."""
    heard = []
    go_on, all_heard = asyncio.Event(), asyncio.Event()

    @handlers.notification("note")
    async def note(params: int) -> None:
        await go_on.wait()
        heard.append(params)
        if len(heard) == 500:
            all_heard.set()

    sent = b"".join(b"n004note00000003%03d" % number for number in range(100, 600))
    async with facing(handlers, framed=False) as (peer, far):
        far.say(sent + b"r0001004echo00000002hi")
        await asyncio.sleep(0.1)
        assert peer.in_flight == 0
        go_on.set()
        assert await far.hear() == [b"R000100000002hi"]
        await all_heard.wait()
        assert heard == list(range(100, 600))
        assert far.transport.closed is None


async def test_notification_that_makes_no_sense_is_no_failure_of_ours(handlers, caplog):
    """Whoever sends it is at fault: the log has no error and no traceback."""

    @handlers.notification("typing")
    async def typing(params: int) -> None:
        raise AssertionError

    @handlers.notification("typing inline", inline=True)
    def typing_inline(params: int) -> None:
        raise AssertionError

    async with pipe(handlers) as (_, client):
        client.notify("typing", b"not JSON")
        client.notify("typing inline", b"not JSON")
        with pytest.raises(RequestFailed):
            await client.request("nothing")
        await asyncio.sleep(0.1)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# --- hooks and the end -------------------------------------------------------------------------------------


async def test_hooks(handlers):
    """Parents' hooks come first at the opening and last at the end; the first message waits for them."""
    seen = []

    @handlers.opened
    async def opened(peer: Peer) -> None:
        await asyncio.sleep(20)
        peer.data = "parent"
        seen.append("opened parent")

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append("closed parent")

    child = handlers.child()

    @child.opened
    async def opened_child(peer: Peer) -> None:
        peer.notify("welcome", peer.data)
        seen.append("opened child")

    @child.closed
    async def closed_child(peer: Peer) -> None:
        seen.append("closed child")

    async with facing(child) as (_, far):
        assert await far.hear(2) == [b"n007welcome00000008", b'"parent"']
        far.say(b"r0001004echo00000000")
        assert await far.hear() == [b"R000100000000"]
    assert seen == ["opened parent", "opened child", "closed child", "closed parent"]


async def test_refused(handlers):
    """A hook may refuse the connection; what it has begun is ended all the same."""
    seen = []

    @handlers.opened
    async def opened(peer: Peer) -> None:
        raise Refused(4401, "log in")

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append("closed")

    async with facing(handlers) as (_, far):
        far.say(b"r0001004echo00000000")
        assert await far.hear_all() == []
        assert far.transport.closed == (4401, "log in")
    assert seen == ["closed"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncio.Event()])
async def test_failing_hooks(handlers, error, caplog):
    """A hook that fails or hangs ends the connection with 0; the others run all the same."""
    seen = []

    @handlers.opened
    async def opened(peer: Peer) -> None:
        if isinstance(error, Exception):
            raise error
        await error.wait()

    @handlers.closed
    async def closed(peer: Peer) -> None:
        seen.append("closed")

    @handlers.closed
    async def failing(peer: Peer) -> None:
        await opened(peer)

    near, remote_transport = memory_pair()
    async with Peer(handlers, near) as peer:
        await peer.open()
        far = Remote(remote_transport)
        assert (await far.hear_all())[-1] == b"f00000000"
        code, reason = near.closed
        assert code == 4000
        assert re.fullmatch(r"internal error \(\w+\)", reason)
    assert seen == ["closed"]
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 2


async def test_end_of_the_connection_ends_its_tasks(handlers):
    """The requests of a remote that leaves end with it, those that wait in vain too."""
    ended = []

    @handlers.request("wait")
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("request")

    @handlers.notification("wait")
    async def wait_too() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("notification")

    async with pipe(handlers, handlers) as (server, client):
        client.notify("wait")
        waiting = asyncio.gather(
            client.request("wait"), server.request("never", timeout=10**6), return_exceptions=True
        )
        await asyncio.sleep(0.1)
        server.close(4503, "restarting")
    assert sorted(ended) == ["notification", "request"]
    one, other = await waiting
    assert isinstance(one, ConnectionClosed)
    assert isinstance(other, ConnectionClosed)
    assert (other.code, other.text) == (4503, "restarting")
    with pytest.raises(ConnectionClosed):
        await server.request("never")


async def test_close_that_is_not_answered(handlers):
    """Five seconds after our close the connection is dropped, and the block left."""
    near, _ = memory_pair()
    loop = asyncio.get_running_loop()
    async with Peer(handlers, near) as peer:
        await peer.open()
        peer.close(4503, "restarting")
        since = loop.time()
        await asyncio.Event().wait()
    assert loop.time() - since == 5


async def test_exception_in_the_block(handlers):
    """What the door raises is raised as it is."""
    near, _ = memory_pair()
    with pytest.raises(ZeroDivisionError):
        async with Peer(handlers, near):
            raise ZeroDivisionError


# --- asking ------------------------------------------------------------------------------------------------


async def test_request_times_out(handlers):
    """No answer in time: the caller and the remote learn of it, and a late answer means nothing."""
    async with pipe(handlers) as (server, client):
        with pytest.raises(RequestTimeout) as caught:
            await client.request("never", timeout=3)
        assert str(caught.value) == "never: no answer within 3 s"
        await asyncio.sleep(0.1)
        assert server.in_flight == 0
        with pytest.raises(RequestFailed, match="timed out"):
            await client.request("never", timeout=40)
        with pytest.raises(RequestTimeout):
            await client.request("never")


async def test_caller_is_cancelled(handlers):
    """Who no longer wants an answer cancels the task that waits for it."""
    async with pipe(handlers) as (server, client):
        asking = asyncio.create_task(client.request("never"))
        await asyncio.sleep(0.1)
        asking.cancel()
        await asyncio.sleep(0.1)
        assert asking.cancelled()
        assert server.in_flight == 0


async def test_answer_for_a_caller_who_is_just_gone(handlers):
    """An answer may come in the same turn in which the caller is cancelled."""
    async with facing(handlers) as (peer, far):
        asking = asyncio.create_task(peer.request("name"))
        await far.hear()
        asking.cancel()
        peer.receive(b"R000100000000")
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_end_for_a_caller_who_is_just_gone(handlers):
    """The connection may end in the same turn in which a caller is cancelled."""
    near, _ = memory_pair()
    async with Peer(handlers, near) as peer:
        asking = asyncio.create_task(peer.request("name"))
        await asyncio.sleep(0.1)
        asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_structured_error(handlers):
    """An error between our own peers has code and field."""

    @handlers.request("post", inline=True)
    def post() -> None:
        raise OperationError("no such room", "no_such_room", "room")

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as caught:
            await client.request("post")
        assert (caught.value.text, caught.value.code, caught.value.field) == (
            "no such room",
            "no_such_room",
            "room",
        )
        assert str(caught.value) == "post: no such room"


@pytest.mark.parametrize(
    ("hellos", "chunks", "text"),
    [
        ((HELLO,), [b"E000100000002no"], "no"),
        ((), [b"E000100000002", b"\xff!"], "\ufffd!"),
        ((), [b"R000100000001", b"{"], "unexpected result: Input data was truncated"),
    ],
)
async def test_answers_that_are_no_result(handlers, hellos, chunks, text):
    """Plain text, broken JSON: each fails the request with what there is to say."""
    async with facing(handlers, *hellos) as (peer, far):
        asking = asyncio.create_task(peer.request("name"))
        await far.hear()
        far.say(*chunks)
        with pytest.raises(RequestFailed) as caught:
            await asking
        assert (caught.value.text, caught.value.code) == (text, None)


async def test_retry_from_a_stock_peer(handlers):
    """A stock peer's retry result has a plain text and a wait."""
    async with facing(handlers, framed=False) as (peer, far):
        asking = asyncio.create_task(peer.request("name", retries=0))
        await far.hear()
        far.say(b"e0001000013880000000arate limit")
        with pytest.raises(RetryLater) as caught:
            await asking
        assert (str(caught.value), caught.value.code) == ("rate limit, retry after 5000 ms", "retry")


async def test_retry_is_followed(handlers):
    """A request that may be repeated later is, under a new id, not before the time that was asked for."""
    async with facing(handlers, framed=False) as (peer, far):
        asking = asyncio.create_task(peer.request("name", result_type=str))
        started = asyncio.get_running_loop().time()
        assert await far.hear() == [b"r0001004name00000004null"]
        far.say(b"e0001000013880000000arate limit")
        assert await far.hear() == [b"r0002004name00000004null"]
        assert 5 <= asyncio.get_running_loop().time() - started <= 7.6
        far.say(b'R000200000003"a"')
        assert await asking == "a"


async def test_retry_that_would_come_too_late(handlers):
    """A wait beyond the deadline is not begun."""
    async with facing(handlers, framed=False) as (peer, far):
        asking = asyncio.create_task(peer.request("name", timeout=4))
        await far.hear()
        far.say(b"e000100001388000000000")
        with pytest.raises(RetryLater):
            await asking


async def test_answer_over_limit(handlers):
    """An answer over our limit fails its request."""
    async with facing(handlers, limits=Limits(max_payload_bytes=100)) as (peer, far):
        asking = asyncio.create_task(peer.request("name"))
        await far.hear()
        far.say(b"R000100000065" + bytes(101))
        with pytest.raises(MessageTooBig) as caught:
            await asking
        assert str(caught.value) == "payload of 101 bytes is over the limit of 100"


async def test_request_that_cannot_be_sent(handlers):
    """What does not fit the wire is refused where it is asked."""
    async with facing(handlers) as (peer, _):
        with pytest.raises(LocalProtocolError):
            await peer.request("")
        with pytest.raises(LocalProtocolError):
            peer.notify("n" * 256)


async def test_prepared_keeps_its_place(handlers):
    """What was encoded for many comes behind what was said before, and before what is said after."""
    prepared = Prepared([Notification("b", b"2"), Notification("c", b"")])
    async with facing(handlers) as (peer, far):
        peer.notify("a", 1)
        peer.send(prepared)
        peer.notify("d", b"")
        expected = [b"n001a00000001", b"1", b"n001b00000001", b"2", b"n001c00000000", b"n001d00000000"]
        assert await far.hear(6) == expected
    async with facing(handlers, JOINED) as (peer, far):
        far.say(b"r0001004echo00000000")
        assert await far.hear() == [b"R000100000000"]
        peer.send(prepared)
        assert await far.hear() == [b"n001b000000012n001c00000000"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OperationError("no such room", "no_such_room"), "no such room"),
        (Refused(4401, "log in"), "refused with 4401: log in"),
        (ConnectionClosed(4503, "restarting"), "connection closed (4503) restarting"),
        (RemoteProtocolError(2, "bad hex digits"), "protocol error 2: bad hex digits"),
    ],
)
def test_errors_speak(error, sentence):
    """One name catches all, and each says what happened."""
    assert isinstance(error, RpcError)
    assert str(error) == sentence
