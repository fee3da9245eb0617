"""What a peer says of itself."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from rpc import Handlers, OperationError, RequestFailed, RetryLater, default_handlers, pipe
from rpc.schema.operations import RAW, Visitor, describe, describe_to


class Where(msgspec.Struct):
    """A place."""

    room: str
    seq: Annotated[int, msgspec.Meta(ge=0)] = 0


class Colour(Enum):
    RED = "red"


class Unknown:
    pass


def schema_of(type: Any) -> Any:
    """The schema of params that are annotated with `type`."""
    handlers = Handlers()

    @handlers.request("x")
    async def x(params: type) -> None: ...

    return describe(handlers).operations["x"].params


@pytest.mark.parametrize(
    ("type", "schema"),
    [
        (bytes, {"type": "string", "contentMediaType": "application/octet-stream"}),
        (Any, {}),
        (str, {"type": "string"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Annotated[int, msgspec.Meta(ge=1, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (
            dict[str, bytes],
            {"type": "object", "additionalProperties": {"type": "string", "contentEncoding": "base64"}},
        ),
        (Where, {"$ref": "#/$defs/Where"}),
        (Colour, {"$ref": "#/$defs/Colour"}),
    ],
)
def test_type(type, schema):
    """Every kind of type has its schema; named types are referred to."""
    assert schema_of(type) == schema


def test_nothing():
    """Who takes nothing takes null."""
    handlers = Handlers()

    @handlers.request("x")
    async def x() -> None: ...

    entry = describe(handlers).operations["x"]
    assert (entry.params, entry.result) == ({"type": "null"}, {"type": "null"})


def test_named_type():
    """It stands once among the definitions, with its docstring and its limits."""
    handlers = Handlers()

    @handlers.request("x")
    async def x(params: Where) -> list[Where]: ...

    assert describe(handlers).defs == {
        "Where": {
            "title": "Where",
            "description": "A place.",
            "type": "object",
            "properties": {"room": {"type": "string"}, "seq": {"type": "integer", "minimum": 0, "default": 0}},
            "required": ["room"],
        }
    }


def test_two_types_of_one_name():
    """Each operation refers to its own."""
    handlers = Handlers()
    namesake = msgspec.defstruct("Where", [("street", str)], module="elsewhere")

    @handlers.request("x")
    async def x(params: Where) -> namesake: ...

    entry, defs = describe(handlers).operations["x"], describe(handlers).defs
    assert "room" in defs[entry.params["$ref"].rpartition("/")[2]]["properties"]
    assert "street" in defs[entry.result["$ref"].rpartition("/")[2]]["properties"]


def test_doc():
    """The first line of the docstring."""
    handlers = Handlers()

    @handlers.notification("x")
    async def x(params: str) -> None:
        """
        One is writing.

        More about it.
        """

    assert describe(handlers).notifications["x"].doc == "One is writing."


def test_stream_that_yields():
    """The types are those of a part."""
    handlers = Handlers()

    @handlers.stream("double")
    async def double(parts: AsyncIterator[int]) -> AsyncIterator[str]:
        yield ""

    entry = describe(handlers).operations["double"]
    assert msgspec.to_builtins(entry) == {
        "kind": "stream",
        "doc": "",
        "params": {"type": "integer"},
        "result": {"type": "string"},
        "yields": True,
    }


def test_stream_with_one_result():
    """What it returns is the result."""
    handlers = Handlers()

    @handlers.stream("sum")
    async def sum(parts: AsyncIterator[bytes]) -> int: ...

    entry = describe(handlers).operations["sum"]
    assert msgspec.to_builtins(entry) == {"kind": "stream", "doc": "", "params": RAW, "result": {"type": "integer"}}


@pytest.mark.parametrize("kind", ["request", "notification"])
def test_type_without_schema(kind):
    """The error says whose type it is."""
    handlers = Handlers()

    async def x(params: list[Unknown]) -> None: ...

    getattr(handlers, kind)("first")(lambda: None)
    getattr(handlers, kind)("odd")(x)
    owner = "operation" if kind == "request" else kind
    with pytest.raises(TypeError, match=rf"^{owner} 'odd': there is no JSON Schema for list\[.*Unknown\]"):
        describe(handlers)


def test_description_is_made_once():
    """It is the same until there is another operation, be it the parent's."""
    parent = Handlers()
    handlers = parent.child()
    first = describe(handlers)
    assert describe(handlers) is first
    parent.request("late")(lambda: None)
    assert list(describe(handlers).operations) == ["late"]


def test_description_keeps_no_handlers_alive():
    """A set that nobody holds is gone, and with it what was known of it."""
    handlers = Handlers()
    describe(handlers)
    gone = weakref.ref(handlers)
    del handlers
    gc.collect()
    assert gone() is None


def test_fallbacks_are_not_described():
    """Nobody can ask for them by name."""
    handlers = Handlers()
    handlers.request("")(lambda operation, payload: None)
    handlers.notification("")(lambda name, payload: None)
    described = describe(handlers)
    assert (described.operations, described.notifications) == ({}, {})


def test_asked_over_a_connection():
    """The remote learns all of it, in JSON."""
    handlers = Handlers()

    @handlers.request("greet")
    async def greet(params: Where) -> str:
        """Say hello."""
        return "hello"

    @handlers.notification("typing")
    async def typing(params: str) -> None: ...

    async def ask():
        async with pipe(handlers) as (_, asking):
            return await asking.request("$ops")

    answer = asyncio.run(ask())
    assert answer["operations"] == {
        "greet": {
            "kind": "request",
            "doc": "Say hello.",
            "params": {"$ref": "#/$defs/Where"},
            "result": {"type": "string"},
        }
    }
    assert answer["notifications"] == {"typing": {"doc": "", "params": {"type": "string"}}}
    assert list(answer["$defs"]) == ["Where"]


def test_asked_of_a_peer_that_cannot_say():
    """The request fails as any handler's would; the others are answered."""
    handlers = Handlers()

    @handlers.request("odd")
    async def odd() -> Unknown: ...

    @handlers.request("even", inline=True)
    def even() -> int:
        return 2

    async def ask():
        async with pipe(handlers) as (_, asking):
            with pytest.raises(RequestFailed, match="internal error"):
                await asking.request("$ops")
            return await asking.request("even")

    assert asyncio.run(ask()) == 2


def test_chat():
    """Every operation of the chat has a doc line and says what it takes and returns."""
    described = describe(default_handlers)
    assert {"send-message", "list-messages", "sync", "echo", "whoami"} <= described.operations.keys()
    for name, entry in {**described.operations, **described.notifications}.items():
        assert entry.doc, name
        assert entry.params, name
    assert all(entry.result for entry in described.operations.values())


# --- what one may call -------------------------------------------------------------------------------------


class Tea(msgspec.Struct):
    leaves: list["Leaf"]


class Leaf(msgspec.Struct):
    length: int


class Secret(msgspec.Struct):
    number: int


@pytest.fixture
def guarded():
    """Something for strangers, something for those who are admitted, something for those whose data is `boss`."""
    handlers = Handlers()
    handlers.guard(lambda word: lambda peer: peer.data == word)

    @handlers.request("menu", public=True)
    async def menu() -> Tea: ...

    @handlers.request("order")
    async def order(params: Where) -> None: ...

    @handlers.stream("count", requires="boss")
    async def count(parts: AsyncIterator[Secret]) -> int: ...

    handlers.notification("ring", public=True)(lambda: None)
    handlers.notification("hire", requires=lambda peer: peer.data == "boss")(lambda: None)
    return handlers


@pytest.mark.parametrize(
    ("admitted", "data", "names", "types"),
    [
        (False, None, ["menu", "ring"], ["Leaf", "Tea"]),
        (False, "boss", ["menu", "ring"], ["Leaf", "Tea"]),
        (True, None, ["menu", "order", "ring"], ["Leaf", "Tea", "Where"]),
        (True, "boss", ["count", "menu", "order", "hire", "ring"], ["Leaf", "Secret", "Tea", "Where"]),
    ],
)
def test_only_what_one_may_call_is_told(guarded, admitted, data, names, types):
    """And only the types that it refers to; a page tells the same as `$ops`."""

    async def ask():
        async with pipe(guarded) as (peer, asking):
            peer.admitted, peer.data = admitted, data
            answer = await asking.request("$ops")
        assert [*answer["operations"], *answer["notifications"]] == names
        assert sorted(answer["$defs"]) == types
        visitor = Visitor(guarded, {}, data, admitted=admitted)
        assert msgspec.to_builtins(await describe_to(visitor)) == answer

    asyncio.run(ask())


def test_everything_is_told_to_the_program(guarded):
    """It writes types for everyone."""
    assert list(describe(guarded).operations) == ["count", "menu", "order"]


def test_check_that_is_awaited_is_asked_once():
    """However many handlers have it."""
    handlers = Handlers()
    asked = []

    async def ask(peer) -> bool:
        asked.append(peer)
        return True

    for name in ("a", "b"):
        handlers.request(name, requires=ask)(lambda: None)
    visitor = Visitor(handlers, {})
    assert list(asyncio.run(describe_to(visitor)).operations) == ["a", "b"]
    assert asked == [visitor]


@pytest.mark.parametrize("error", [OperationError("no"), RetryLater(1000, "later"), ZeroDivisionError()])
def test_check_that_fails(error, caplog):
    """What it is of is not told; the others are. The log has what nobody expected."""
    handlers = Handlers()

    def fail(peer):
        raise error

    handlers.request("a", requires=fail)(lambda: None)
    handlers.request("b")(lambda: None)
    assert list(asyncio.run(describe_to(Visitor(handlers, {}))).operations) == ["b"]
    assert ("ZeroDivisionError" in caplog.text) == isinstance(error, ZeroDivisionError)
