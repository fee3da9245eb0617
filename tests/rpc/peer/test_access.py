"""Who may call a handler: anyone, a peer that was admitted, or one that has what the handler requires."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rpc import Handlers, OperationError, Peer, RequestFailed, pipe
from tests.rpc.remote import facing
from tests.rpc.wire import ERRORS


@pytest.fixture
def called():
    """What handlers were called, in order."""
    return []


def on_loop(called):
    async def function(peer: Peer) -> str:
        called.append("loop")
        return "done"

    return function


def in_thread(called):
    def function() -> str:
        called.append("thread")
        return "done"

    return function


@pytest.fixture
def handlers():
    """Guarded by a guard that knows two words."""
    handlers = Handlers()

    @handlers.guard
    def check_for(requirement: str):
        if requirement not in ("yes", "no"):
            raise ValueError(f"unknown: {requirement!r}")
        return lambda peer: requirement == "yes"

    return handlers


def register_all(handlers, called, **access):
    """A handler of each kind, under a name of its kind."""
    handlers.request("task", **access)(on_loop(called))
    handlers.request("thread", **access)(in_thread(called))
    handlers.request("inline", inline=True, **access)(in_thread(called))
    handlers.request("", **access)(lambda operation, payload: called.append("fallback"))

    @handlers.stream("sum", **access)
    async def sum_of(parts: AsyncIterator[int]) -> int:
        called.append("sum")
        return sum([part async for part in parts])

    @handlers.stream("count", **access)
    async def count(parts: AsyncIterator[int]) -> AsyncIterator[int]:
        called.append("count")
        async for part in parts:
            yield part


REQUESTS = ["task", "thread", "inline", "anything", "sum", "count"]


@asynccontextmanager
async def asking(handlers, admitted):
    async with pipe(handlers) as (peer, client):
        peer.admitted = admitted
        yield client


async def refusal(client, operation):
    """The code of a refusal, of a request or of a stream."""
    with pytest.raises(RequestFailed) as refused:
        if operation in ("sum", "count"):
            async with client.stream(operation) as stream:
                await stream.send(1)
                await stream.end()
                await anext(stream)
        else:
            await client.request(operation)
    return refused.value.code


@pytest.mark.parametrize("operation", REQUESTS)
async def test_stranger_asks(handlers, called, operation):
    """They are told to log in, and nothing is called, not even what takes any name."""
    register_all(handlers, called)
    async with asking(handlers, admitted=False) as client:
        assert await refusal(client, operation) == "log_in"
    assert called == []


async def test_stranger_learns_no_names(handlers):
    """What is there and what is not is refused alike, before the params are read."""

    @handlers.request("double")
    async def double(params: int) -> int: ...

    async with facing(handlers, ERRORS) as (_, far):
        far.say(b"r0001006double00000001", b"x", b"r0002007missing00000001", b"x", b"s0003006double00000001", b"x")
        refusals = await far.hear(6)
    assert refusals[1] == refusals[3] == refusals[5] == b'{"error":"log in first","code":"log_in"}'


@pytest.mark.sockets
async def test_public_handlers(handlers, called):
    """Strangers may call them."""
    register_all(handlers, called, public=True)
    async with asking(handlers, admitted=False) as client:
        for operation in ("task", "thread", "inline", "anything"):
            await client.request(operation)
        for operation in ("sum", "count"):
            async with client.stream(operation) as stream:
                await stream.send(1)
                await stream.end()
                assert [part async for part in stream] == [1]
    assert called == ["loop", "thread", "thread", "fallback", "sum", "count"]


@pytest.mark.parametrize("requires", ["no", ("yes", "no"), lambda peer: False, lambda peer: None, lambda peer: 1])
@pytest.mark.parametrize("operation", REQUESTS)
async def test_requirement_that_does_not_hold(handlers, called, operation, requires):
    """Only True lets a peer in, and of several requirements all count."""
    register_all(handlers, called, requires=requires)
    async with asking(handlers, admitted=True) as client:
        assert await refusal(client, operation) == "not_allowed"
    assert called == []


async def not_now(peer):
    raise OperationError("not on Sundays", "sunday")


async def never(peer):
    return False


@pytest.mark.parametrize(("requires", "code"), [(not_now, "sunday"), (never, "not_allowed")])
@pytest.mark.parametrize("operation", ["task", "thread", "sum", "count"])
async def test_requirement_that_is_awaited(handlers, called, operation, requires, code):
    """It may refuse in words of its own."""
    for kind in ("task", "thread"):
        handlers.request(kind, requires=requires)(on_loop(called))

    for kind in ("sum", "count"):

        @handlers.stream(kind, requires=requires)
        async def stream(parts) -> int:
            called.append("stream")
            return 1

    async with asking(handlers, admitted=True) as client:
        assert await refusal(client, operation) == code
    assert called == []


@pytest.mark.sockets
async def test_requirement_that_holds(handlers, called):
    """It gets the peer, and is asked at each call."""
    asked = []

    def known(peer: Peer) -> bool:
        asked.append(peer.data)
        return peer.data == "Ann"

    register_all(handlers, called, requires=("yes", known))
    async with pipe(handlers) as (peer, client):
        peer.admitted, peer.data = True, "Ann"
        assert [await client.request(each) for each in ("task", "thread", "inline")] == ["done"] * 3
        peer.data = "Bob"
        assert await refusal(client, "task") == "not_allowed"
    assert asked == ["Ann", "Ann", "Ann", "Bob"]


async def test_stranger_reaches_no_requirement(handlers, called):
    """It is a function of people who are known."""

    async def ask(peer: Peer) -> bool:
        called.append("asked")
        return True

    handlers.request("task", requires=ask)(on_loop(called))
    async with asking(handlers, admitted=False) as client:
        assert await refusal(client, "task") == "log_in"
    assert called == []


async def test_params_are_read_after_what_is_required(handlers):
    """Whoever may not call it learns nothing of what it takes."""

    @handlers.request("double", requires="no", inline=True)
    def double(params: int) -> int: ...

    async with asking(handlers, admitted=True) as client:
        with pytest.raises(RequestFailed) as refused:
            await client.request("double", "two")
    assert refused.value.code == "not_allowed"


async def test_requirement_that_fails(handlers, called, caplog):
    """An error in it is one in the handler: nothing is called, and the remote learns an id."""

    def broken(peer: Peer) -> bool:
        return 1 / 0 > 0

    register_all(handlers, called, requires=broken)
    async with asking(handlers, admitted=True) as client:
        for operation in REQUESTS:
            assert await refusal(client, operation) == "internal"
    assert called == []
    assert caplog.text.count("ZeroDivisionError:") == len(REQUESTS)


# --- notifications -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize(
    ("admitted", "access", "heard"),
    [
        (False, {}, False),
        (False, {"public": True}, True),
        (True, {}, True),
        (True, {"requires": "no"}, False),
        (True, {"requires": "yes"}, True),
    ],
)
async def test_notification(handlers, called, caplog, inline, admitted, access, heard):
    """The same rules; what may not be sent is ignored."""
    handlers.notification("note", inline=inline, **access)(lambda: called.append("note"))
    end = asyncio.Event()
    handlers.notification("end", inline=True, public=True)(end.set)
    async with pipe(handlers) as (peer, client):
        peer.admitted = admitted
        client.notify("note")
        client.notify("end")
        await end.wait()
        await peer.hear_out()
    assert called == ["note"] * heard
    assert caplog.records == []


async def test_notifications_of_a_peer_that_is_shut_out(handlers, called):
    """Those that wait are dropped."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    @handlers.notification("slow")
    async def slow() -> None:
        begun.set()
        await go_on.wait()

    @handlers.notification("note")
    async def note() -> None:
        called.append("note")

    async with pipe(handlers) as (peer, client):
        peer.admitted = True
        client.notify("slow")
        client.notify("note")
        await begun.wait()
        peer.admitted = False
        go_on.set()
        await peer.hear_out()
    assert called == []


# --- sets --------------------------------------------------------------------------------------------------


async def test_set_without_a_guard(called):
    """Everyone is admitted; what a function decides, it decides here too."""
    handlers = Handlers()
    handlers.request("open")(on_loop(called))
    handlers.request("closed", requires=lambda peer: False)(on_loop(called))
    async with pipe(handlers) as (peer, client):
        assert peer.admitted
        assert await client.request("open") == "done"
        assert await refusal(client, "closed") == "not_allowed"


async def test_child_of_a_guarded_set(handlers, called):
    """It has the same guard."""
    child = handlers.child()
    child.request("task", requires="yes")(on_loop(called))
    async with pipe(child) as (peer, client):
        assert not peer.admitted
        assert await refusal(client, "task") == "log_in"
        peer.admitted = True
        assert await client.request("task") == "done"


async def test_parent_of_a_guarded_set(called):
    """What a child guards, it guards of its parent too; the parent's own peers are as before."""
    parent = Handlers()
    parent.request("task")(on_loop(called))
    child = parent.child()
    child.guard(lambda requirement: lambda peer: True)
    async with pipe(child) as (_, client), pipe(parent) as (_, other):
        assert await refusal(client, "task") == "log_in"
        assert await other.request("task") == "done"


# --- registering -------------------------------------------------------------------------------------------

KINDS = pytest.mark.parametrize("kind", ["request", "stream", "notification"])


@KINDS
def test_unknown_word(handlers, kind):
    """The guard refuses it where it is written."""
    with pytest.raises(ValueError, match="unknown: 'maybe'"):
        getattr(handlers, kind)("x", requires="maybe")


@KINDS
def test_word_without_a_guard(kind):
    """Nobody knows what it means, so it cannot mean that everyone may."""
    with pytest.raises(ValueError, match="no guard of these handlers knows what 'yes' means"):
        getattr(Handlers(), kind)("x", requires="yes")


@KINDS
@pytest.mark.parametrize("requires", [None, True, ["yes"], (None,)])
def test_requirement_that_is_none(handlers, kind, requires):
    """It is a word or a function, or a tuple of them."""
    with pytest.raises(TypeError, match="words and functions"):
        getattr(handlers, kind)("x", requires=requires)


@KINDS
def test_public_handler_that_requires_something(handlers, kind):
    """One of the two is a mistake."""
    with pytest.raises(ValueError, match="public requires nothing"):
        getattr(handlers, kind)("x", public=True, requires="yes")


def test_inline_handler_whose_requirement_is_awaited(handlers):
    """It cannot wait."""
    with pytest.raises(TypeError, match="inline"):
        handlers.request("x", inline=True, requires=never)(lambda: None)


def test_second_guard(handlers):
    """One set has one, its parent's or its own."""
    for guarded in (handlers, handlers.child()):
        with pytest.raises(ValueError, match="already"):
            guarded.guard(lambda requirement: lambda peer: True)


async def test_inline_requirement_that_should_be_awaited(handlers, called):
    """A plain function that returns something to await has not said True."""
    handlers.request("x", inline=True, requires=lambda peer: asyncio.sleep(0))(in_thread(called))
    async with asking(handlers, admitted=True) as client:
        with pytest.warns(RuntimeWarning, match="never awaited"):
            assert await refusal(client, "x") == "not_allowed"
    assert called == []
