"""Registering handlers."""

from functools import partial

import pytest

from rpc import Handlers, Limits, Peer
from rpc.peer.handler import Runs


async def on_loop(peer: Peer, params: int) -> int:
    return params


def anywhere() -> None:
    pass


@pytest.mark.parametrize(
    ("function", "inline", "runs"),
    [
        (on_loop, False, Runs.TASK),
        (partial(on_loop), False, Runs.TASK),
        (anywhere, False, Runs.THREAD),
        (anywhere, True, Runs.INLINE),
    ],
)
def test_where_a_handler_runs(function, inline, runs):
    """A coroutine function as a task, another one in a thread, unless it may run inline."""
    handlers = Handlers()
    assert handlers.request("x", inline=inline)(function) is function
    assert handlers.find_request("x").runs is runs


def test_coroutine_function_cannot_run_inline():
    """Inline handlers do not wait."""
    with pytest.raises(TypeError, match="inline"):
        Handlers().request("x", inline=True)(on_loop)


@pytest.mark.parametrize("kind", ["heartbeat", "missed"])
def test_coroutine_function_cannot_be_a_hook_that_runs_inline(kind):
    """It would never be awaited."""
    handlers = Handlers()
    with pytest.raises(TypeError, match="async"):
        getattr(handlers, kind)(on_loop)
    assert handlers.heartbeat_hooks() == handlers._missed == []


@pytest.mark.parametrize("hook", ["opened", "closed"])
def test_hook_that_is_awaited_is_a_coroutine_function(hook):
    """Another one would fail each connection, instead of the program's start."""
    with pytest.raises(TypeError, match="async"):
        getattr(Handlers(), hook)(anywhere)


@pytest.mark.parametrize("name", ["$hello", "n" * 256, "é" * 128])
def test_name_that_cannot_be(name):
    """Reserved and over-long names are refused where they are written."""
    with pytest.raises(ValueError, match="name"):
        Handlers().notification(name)


def test_name_that_is_taken():
    """One set has one handler for a name; its child may have another."""
    handlers = Handlers()
    handlers.request("x")(anywhere)
    with pytest.raises(ValueError, match="already"):
        handlers.request("x")
    child = handlers.child()
    child.request("x", inline=True)(anywhere)
    assert child.find_request("x").runs is Runs.INLINE
    assert handlers.find_request("x").runs is Runs.THREAD


@pytest.mark.parametrize(("name", "function"), [("x", lambda a, b: None), ("", lambda payload: None)])
def test_parameters_that_do_not_fit(name, function):
    """A handler takes one thing, a fallback two."""
    with pytest.raises(TypeError, match="takes"):
        Handlers().request(name)(function)


def test_lookup():
    """The own name, the parent's name, the own fallback, the parent's fallback."""
    parent = Handlers()
    child = Handlers(parent)
    assert child.find_notification("x") is None
    parent.notification("")(lambda name, payload: None)
    assert child.find_notification("x") is parent.find_notification("")
    child.notification("")(lambda name, payload: None)
    assert child.find_notification("x") is not parent.find_notification("x")
    parent.notification("x")(anywhere)
    assert child.find_notification("x") is parent.find_notification("x")


@pytest.mark.parametrize("value", [0, -1, 0.0])
def test_limit_that_allows_nothing(value):
    """A limit of nothing is a mistake."""
    with pytest.raises(ValueError, match="idle_timeout"):
        Limits(idle_timeout=value)


def test_stream_handler_that_is_none():
    """It is async and takes the parts."""
    handlers = Handlers()
    with pytest.raises(TypeError, match="is async"):

        @handlers.stream("plain")
        def plain(parts):
            """Not async."""

    with pytest.raises(TypeError, match="takes"):

        @handlers.stream("nothing")
        async def nothing(peer):
            """No parts."""


def test_names_of_operations():
    """Sorted, with the parent's, without the fallback."""
    handlers = Handlers()

    @handlers.request("b", inline=True)
    @handlers.notification("told", inline=True)
    def b() -> None:
        """Says b."""

    child = handlers.child()

    @child.stream("a")
    async def a(parts):
        """Says a."""

    @child.request("")
    async def fallback(operation, payload):
        """Says anything."""

    assert [(name, each.doc) for name, each in child.operations().items()] == [("a", "Says a."), ("b", "Says b.")]
    assert list(child.notifications()) == ["told"]
