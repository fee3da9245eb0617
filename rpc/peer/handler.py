"""One registered function: who may call it, where it runs, what is between it and the bytes of a message."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple, get_args, get_origin

from rpc.errors import OperationError
from rpc.protocol.payloads import encoder, params_decoder

RunBlocking = Callable[..., Awaitable[Any]]
"""Calls a function with arguments in a worker thread; returns what it returns."""

AnyPeer = Any
"""The `rpc.peer.peer.Peer` that a function is called with. That class uses this module, so it is not named here."""

Check = Callable[[AnyPeer], bool | Awaitable[bool]]
"""Says whether a peer may call a handler: only True lets it. `OperationError` refuses in words of its own."""

Call = Callable[[], Awaitable[Any]]
"""Calls a handler, where it runs; returns what it returns, or None once all parts of its stream are sent."""

Wrapper = Callable[[AnyPeer, str, Call], Awaitable[Any]]
"""Gets the peer, the name that was called, and the call; what it returns stands for what the handler returns."""


class Access(NamedTuple):
    """Who may call a handler: anyone at all if `public`, else a peer that was admitted and passes every check."""

    public: bool
    checks: tuple[Check, ...] = ()


class Runs(Enum):
    """Where a handler runs."""

    INLINE = auto()
    """On the loop, within the reading of the message: it must not block."""
    TASK = auto()
    """On the loop, as a task of its own."""
    THREAD = auto()
    """In a worker thread, awaited by a task of its own."""


class Handler:
    """
    A registered function: `encode(function(*arguments(peer, name, payload)))` is the payload of its result,
    with an await or a thread around `function` where `runs` says so.

    `arguments` raises `OperationError` for a payload that does not fit the function's annotation. The two
    types are what the annotations say: Any without one, None for a function without parameters.
    """

    __slots__ = ("arguments", "checks", "doc", "encode", "function", "params_type", "public", "result_type", "runs")

    arguments: Callable[[AnyPeer, str, bytes], tuple[Any, ...]]
    params_type: Any
    result_type: Any

    def __init__(self, function: Callable[..., Any], access: Access, *, inline: bool, fallback: bool) -> None:
        is_async = inspect.iscoroutinefunction(function)
        if inline and is_async:
            raise TypeError(f"{function!r} is async: it cannot run inline")
        self.public, self.checks = access
        if inline and any(map(inspect.iscoroutinefunction, self.checks)):
            raise TypeError(f"{function!r}: what it requires is awaited, so it cannot run inline")
        wants_peer, own, self.result_type = _signature(function)
        self.params_type = Any
        if fallback:
            if len(own) != 2:
                raise TypeError(f"{function!r}: a fallback takes (operation, payload), after an optional peer")
            self.arguments = _name_and_payload(wants_peer)
        elif not own:
            self.params_type = None
            self.arguments = (lambda peer, name, payload: (peer,)) if wants_peer else lambda *_: ()
        elif len(own) == 1:
            self.params_type = own[0]
            self.arguments = _params(wants_peer, own[0])
        else:
            raise TypeError(f"{function!r}: a handler takes at most one parameter, after an optional peer")
        self.function = function
        self.doc = _first_line(function)
        self.encode = encoder(self.result_type)
        self.runs = Runs.INLINE if inline else Runs.TASK if is_async else Runs.THREAD

    async def call(self, peer: AnyPeer, name: str, payload: bytes, run_blocking: RunBlocking) -> Any:
        """Call the function where `runs` says, with a message's name and payload; returns what it returns."""
        arguments = self.arguments(peer, name, payload)
        if self.runs is Runs.TASK:
            return await self.function(*arguments)
        if self.runs is Runs.THREAD:
            return await run_blocking(self.function, *arguments)
        return self.function(*arguments)


class StreamHandler:
    """
    A registered function of a stream: `function(*arguments(peer, parts))` is an async iterator of result
    parts if `yields`, else awaits to the single result; `decode` and `encode` are for each part.

    The two types are those of a part, from the annotations: Any without one.
    """

    __slots__ = (
        *("arguments", "checks", "decode", "doc", "encode"),
        *("function", "part_type", "public", "result_type", "yields"),
    )

    arguments: Callable[[AnyPeer, AsyncIterator[Any]], tuple[Any, ...]]

    def __init__(self, function: Callable[..., Any], access: Access) -> None:
        self.public, self.checks = access
        self.yields = inspect.isasyncgenfunction(function)
        if not self.yields and not inspect.iscoroutinefunction(function):
            raise TypeError(f"{function!r}: a stream handler is async")
        wants_peer, own, result = _signature(function)
        if len(own) != 1:
            raise TypeError(f"{function!r}: a stream handler takes (parts), after an optional peer")
        if wants_peer:
            self.arguments = lambda peer, parts: (peer, parts)
        else:
            self.arguments = lambda peer, parts: (parts,)
        self.function = function
        self.doc = _first_line(function)
        self.part_type = _type_of_parts(own[0])
        self.result_type = _type_of_parts(result) if self.yields else result
        self.decode = params_decoder(self.part_type)
        self.encode = encoder(self.result_type)


Operation = Handler | StreamHandler


def check_inline(handler: Handler, peer: AnyPeer) -> None:
    """
    Raises:
        OperationError: the peer may not call this handler, none of whose checks is awaited.
    """
    for check in handler.checks:
        if check(peer) is not True:
            raise _not_allowed()


async def says_true(answer: bool | Awaitable[bool]) -> bool:
    """Whether a check lets the peer, whose answer may have to be awaited."""
    return (await answer if inspect.isawaitable(answer) else answer) is True


async def enter(handler: Operation, wrappers: tuple[Wrapper, ...], peer: AnyPeer, name: str, call: Call) -> Any:
    """
    Await a handler's checks, in their order, then the call of it within the wrappers, the first of them outermost.

    Raises:
        OperationError: the peer may not call it.
    """
    for check in handler.checks:
        if (answer := check(peer)) is not True and not await says_true(answer):
            raise _not_allowed()
    for wrapper in reversed(wrappers):
        call = partial(wrapper, peer, name, call)
    return await call()


def log_in_first() -> OperationError:
    """What a peer is told that was not admitted."""
    return OperationError("log in first", "log_in")


def _not_allowed() -> OperationError:
    return OperationError("you may not do this", "not_allowed")


def _signature(function: Callable[..., Any]) -> tuple[bool, list[Any], Any]:
    """Whether the first parameter is the peer, the types of the others, and the type of the result."""
    signature = inspect.signature(function, eval_str=True)
    parameters = list(signature.parameters.values())
    wants_peer = bool(parameters) and parameters[0].name == "peer"
    own = [_given(each.annotation) for each in parameters[wants_peer:]]
    return wants_peer, own, _given(signature.return_annotation)


def _given(annotation: Any) -> Any:
    return Any if annotation is inspect.Signature.empty else annotation


def _type_of_parts(annotation: Any) -> Any:
    if get_origin(annotation) in (AsyncIterator, AsyncIterable, AsyncGenerator):
        return get_args(annotation)[0]
    return Any


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _name_and_payload(wants_peer: bool) -> Callable[[AnyPeer, str, bytes], tuple[Any, ...]]:
    if wants_peer:
        return lambda peer, name, payload: (peer, name, payload)
    return lambda peer, name, payload: (name, payload)


def _params(wants_peer: bool, type: Any) -> Callable[[AnyPeer, str, bytes], tuple[Any, ...]]:
    decode = params_decoder(type)
    if wants_peer:
        return lambda peer, name, payload: (peer, decode(payload))
    return lambda peer, name, payload: (decode(payload),)
