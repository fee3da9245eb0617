"""What every handler of a set is called within."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rpc import Handlers, OperationError, RequestFailed, pipe


@pytest.fixture
def order():
    """What happened, in order."""
    return []


@pytest.fixture
def handlers():
    return Handlers()


def saying(order, word):
    """A wrapper that says when it begins and ends, and of what."""

    async def wrapper(peer, name, call):
        order.append(f"{word}: {name}")
        try:
            return await call()
        finally:
            order.append(f"end of {word}")

    return wrapper


async def test_order(handlers, order):
    """The parent's first, then the first of a set; what is required before, the params after them."""
    child = handlers.child()
    child.use(saying(order, "third"))
    handlers.use(saying(order, "first"))
    handlers.use(saying(order, "second"))

    def check(peer):
        order.append("check")
        return True

    @handlers.request("double", requires=check)
    async def double(params: int) -> int:
        order.append("handler")
        return 2 * params

    async with pipe(child) as (_, client):
        assert await client.request("double", 3) == 6
        begun = ["check", "first: double", "second: double", "third: double"]
        ended = ["end of third", "end of second", "end of first"]
        assert order == [*begun, "handler", *ended]
        order.clear()
        with pytest.raises(RequestFailed) as refused:
            await client.request("double", "three")
    assert refused.value.code == "bad_params"
    assert order == [*begun, *ended]


async def test_wrapper_of_a_child(handlers, order):
    """It is for the peers of the child, whosever handler they call, and not for those of the parent."""
    child = handlers.child()
    child.use(saying(order, "child"))
    handlers.request("x", inline=True)(lambda: 1)
    async with pipe(child) as (_, client), pipe(handlers) as (_, other):
        assert [await client.request("x"), await other.request("x")] == [1, 1]
    assert order == ["child: x", "end of child"]


@pytest.mark.sockets
@pytest.mark.parametrize("inline", [True, False])
async def test_handler_that_is_not_async(handlers, order, inline):
    """Wherever it runs, its wrapper awaits it."""
    handlers.use(saying(order, "w"))
    handlers.request("x", inline=inline)(lambda: order.append("handler"))
    async with pipe(handlers) as (_, client):
        await client.request("x")
    assert order == ["w: x", "handler", "end of w"]


async def test_other_result(handlers):
    """What a wrapper returns is the result, of a stream that returns one value too."""

    @handlers.use
    async def twice(peer, name, call):
        return [await call()] * 2

    handlers.request("x", inline=True)(lambda: 1)

    @handlers.stream("sum")
    async def sum_of(parts: AsyncIterator[int]) -> int:
        return sum([part async for part in parts])

    async with pipe(handlers) as (_, client):
        assert await client.request("x") == [1, 1]
        async with client.stream("sum", 3) as stream:
            assert [part async for part in stream] == [[3, 3]]


async def test_stream_that_yields(handlers, order):
    """The call ends when all parts are sent, and what the wrapper returns is ignored."""

    @handlers.use
    async def wrapper(peer, name, call):
        order.append(await call())
        return "ignored"

    @handlers.stream("count")
    async def count(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        async for part in parts:
            order.append(part)
            yield part

    async with pipe(handlers) as (_, client), client.stream("count") as stream:
        for part in (1, 2):
            await stream.send(part)
        await stream.end()
        assert [part async for part in stream] == [1, 2]
    assert order == [1, 2, None]


@pytest.mark.parametrize("inline", [True, False])
async def test_notifications_keep_their_order(handlers, order, inline):
    """Each is handled within its wrappers before the next one."""
    handlers.use(saying(order, "w"))

    async def note(params: int) -> None:
        await asyncio.sleep(0)
        order.append(params)

    end = asyncio.Event()
    handlers.notification("note", inline=inline)(order.append if inline else note)
    handlers.notification("end", inline=True)(end.set)
    async with pipe(handlers) as (_, client):
        for number in (1, 2):
            client.notify("note", number)
        client.notify("unknown")
        client.notify("end")
        await end.wait()
    assert order[:6] == ["w: note", 1, "end of w", "w: note", 2, "end of w"]
    assert order[6] == "w: end"


@pytest.mark.parametrize("kind", ["request", "stream"])
@pytest.mark.parametrize(
    ("error", "code"), [(OperationError("no", "refused"), "refused"), (ValueError(), "internal")]
)
async def test_wrapper_that_fails(handlers, order, kind, error, code):
    """As an error in the handler, which is not called."""

    @handlers.use
    async def wrapper(peer, name, call):
        raise error

    if kind == "request":
        handlers.request("x", inline=True)(lambda: order.append("called"))
    else:

        @handlers.stream("x")
        async def x(parts):
            yield order.append("called")

    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as refused:
            if kind == "request":
                await client.request("x")
            else:
                async with client.stream("x", 1) as stream:
                    await anext(stream)
    assert refused.value.code == code
    assert order == []


async def test_wrapper_that_fails_in_a_notification(handlers, order, caplog):
    """It is in the log, and the next notification is handled."""

    @handlers.use
    async def wrapper(peer, name, call):
        if name == "bad":
            raise ZeroDivisionError
        await call()

    end = asyncio.Event()
    handlers.notification("bad", inline=True)(lambda: order.append("called"))
    handlers.notification("good", inline=True)(end.set)
    async with pipe(handlers) as (_, client):
        client.notify("bad")
        client.notify("good")
        await end.wait()
    assert order == []
    assert "the handler of 'bad' failed" in caplog.text


async def test_wrapper_that_handles_an_error(handlers):
    """What a handler raises passes through its wrapper."""

    @handlers.use
    async def wrapper(peer, name, call):
        try:
            return await call()
        except KeyError as error:
            raise OperationError("no such thing", "no_such_thing") from error

    handlers.request("x", inline=True)(lambda: {}["tea"])
    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as refused:
            await client.request("x")
    assert refused.value.code == "no_such_thing"


async def test_wrapper_takes_the_time_of_its_request(handlers):
    """A request whose wrapper waits ends as one whose handler does."""

    @handlers.use
    async def wrapper(peer, name, call):
        await asyncio.Event().wait()

    handlers.request("x", inline=True)(lambda: 1)
    async with pipe(handlers) as (_, client):
        with pytest.raises(RequestFailed) as refused:
            await client.request("x", timeout=100)
    assert refused.value.code == "timeout"


async def test_call_that_is_refused(handlers, order):
    """Wrappers see only those who may call: neither strangers, nor names without a handler."""
    handlers.guard(lambda requirement: lambda peer: False)
    handlers.use(saying(order, "w"))
    handlers.request("x", requires="a word", inline=True)(lambda: 1)
    async with pipe(handlers) as (peer, client):
        for peer.admitted in (False, True):
            for operation in ("x", "unknown"):
                with pytest.raises(RequestFailed):
                    await client.request(operation)
    assert order == []


def test_wrapper_that_is_not_async(handlers):
    """It could not await the call."""
    with pytest.raises(TypeError, match="not async"):
        handlers.use(lambda peer, name, call: call())
