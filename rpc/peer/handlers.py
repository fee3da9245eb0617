"""What an end can do for the other: functions by the name of an operation or notification."""

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from rpc.limits import MAX_NAME_BYTES
from rpc.messages import Heartbeat
from rpc.protocol.payloads import encoder, params_decoder

if TYPE_CHECKING:
    from rpc.peer.peer import Peer

Function = TypeVar("Function", bound=Callable[..., Any])
Hook = Callable[["Peer"], Awaitable[None]]
HookFunction = TypeVar("HookFunction", bound=Callable[..., Awaitable[None]])
HeartbeatHook = Callable[["Peer", Heartbeat], None]
HeartbeatFunction = TypeVar("HeartbeatFunction", bound=HeartbeatHook)

Operation = Union["Handler", "StreamHandler"]
Found = TypeVar("Found", "Handler", "Operation")

FALLBACK = ""
"""The name that stands for every name without a handler."""


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

    __slots__ = ("arguments", "doc", "encode", "function", "params_type", "result_type", "runs")

    arguments: Callable[["Peer", str, bytes], tuple[Any, ...]]
    params_type: Any
    result_type: Any

    def __init__(self, function: Callable[..., Any], *, inline: bool, fallback: bool) -> None:
        is_async = inspect.iscoroutinefunction(function)
        if inline and is_async:
            raise TypeError(f"{function!r} is async: it cannot run inline")
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


class StreamHandler:
    """
    A registered function of a stream: `function(*arguments(peer, parts))` is an async iterator of result
    parts if `yields`, else awaits to the single result; `decode` and `encode` are for each part.

    The two types are those of a part, from the annotations: Any without one.
    """

    __slots__ = ("arguments", "decode", "doc", "encode", "function", "part_type", "result_type", "yields")

    arguments: Callable[["Peer", AsyncIterator[Any]], tuple[Any, ...]]

    def __init__(self, function: Callable[..., Any]) -> None:
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


def _name_and_payload(wants_peer: bool) -> Callable[["Peer", str, bytes], tuple[Any, ...]]:
    if wants_peer:
        return lambda peer, name, payload: (peer, name, payload)
    return lambda peer, name, payload: (name, payload)


def _params(wants_peer: bool, type: Any) -> Callable[["Peer", str, bytes], tuple[Any, ...]]:
    decode = params_decoder(type)
    if wants_peer:
        return lambda peer, name, payload: (peer, decode(payload))
    return lambda peer, name, payload: (decode(payload),)


class Handlers:
    """
    A set of handlers, shared by any number of peers.

    A handler takes, in this order, both optional: `peer`, the connection, if its first parameter has that
    name; and the parameters, read from JSON into the type of its annotation (any JSON without one), or the
    payload itself where that is `bytes`. What it returns becomes JSON, or the payload where the return
    annotation is `bytes`. An `async def` runs as a task, a `def` in a worker thread, and with `inline=True`
    a `def` that never blocks runs on the loop and costs no task.

    A lookup that finds nothing goes on in `parent`, and only then to the fallbacks.
    """

    def __init__(self, parent: "Handlers | None" = None) -> None:
        self.parent = parent
        self._requests: dict[str, Operation] = {}
        self._notifications: dict[str, Handler] = {}
        self._opened: list[Hook] = []
        self._closed: list[Hook] = []
        self._heartbeat: list[HeartbeatHook] = []

    def child(self) -> "Handlers":
        """A new set that falls back to this one."""
        return Handlers(self)

    def request(self, operation: str, *, inline: bool = False) -> Callable[[Function], Function]:
        """
        Register the decorated function for an operation. An empty name is the fallback: the function then
        takes `(operation: str, payload: bytes)`, after an optional `peer`.

        A handler fails its request with `OperationError` or `RetryLater`; of any other exception the other
        end learns no more than an id that is in the log.

        Raises:
            ValueError: the name is too long, reserved (`$`) or taken.
            TypeError: the function's parameters do not fit.
        """
        return self._register(self._requests, operation, lambda function: _handler(function, operation, inline))

    def stream(self, operation: str) -> Callable[[Function], Function]:
        """
        Register the decorated function for a stream: an `async def` of an async iterator of parts, after an
        optional `peer`. If it yields, each value is a part of the result; else what it returns is the result.

        The types of the parts are those of its annotations, such as `AsyncIterator[int]`; `bytes` are raw.
        Whoever sends waits while 16 parts are unread, and so does a handler whose results are. When the
        other end gives up, the function is cancelled.

        Raises:
            ValueError, TypeError: as `request` does.
        """
        return self._register(self._requests, operation, StreamHandler)

    def notification(self, name: str, *, inline: bool = False) -> Callable[[Function], Function]:
        """The same for a notification. Results are ignored; one connection's notifications keep their order."""
        return self._register(self._notifications, name, lambda function: _handler(function, name, inline))

    def opened(self, hook: HookFunction) -> HookFunction:
        """
        Register a function of the peer that is awaited before the connection's first message is handled.

        It may raise `Refused`, which closes the connection.
        """
        self._opened.append(hook)
        return hook

    def closed(self, hook: HookFunction) -> HookFunction:
        """Register a function of the peer that is awaited when the connection is over, however it ended."""
        self._closed.append(hook)
        return hook

    def heartbeat(self, hook: HeartbeatFunction) -> HeartbeatFunction:
        """
        Register a function of the peer and a `Heartbeat` that is called at each heartbeat of the other end;
        it must not block.
        """
        self._heartbeat.append(hook)
        return hook

    def find_request(self, operation: str) -> "Operation | None":
        """The handler of an operation, or the fallback."""
        handler = self._requests.get(operation)
        if handler is not None:
            return handler
        if operation.startswith("$"):
            return _RESERVED.get(operation)
        return self._find(lambda handlers: handlers._requests, operation)

    def find_notification(self, name: str) -> Handler | None:
        """The handler of a notification, or the fallback."""
        return self._find(lambda handlers: handlers._notifications, name)

    def operations(self) -> "dict[str, Operation]":
        """What can be asked for by name, sorted; the parent's too."""
        return self._named(lambda handlers: handlers._requests)

    def notifications(self) -> dict[str, Handler]:
        """What can be notified by name, sorted; the parent's too."""
        return self._named(lambda handlers: handlers._notifications)

    def opened_hooks(self) -> list[Hook]:
        """In the order in which they run: the parent's first."""
        return [*(self.parent.opened_hooks() if self.parent is not None else ()), *self._opened]

    def closed_hooks(self) -> list[Hook]:
        """In the order in which they run: the parent's last, and each set's in reverse."""
        return [*reversed(self._closed), *(self.parent.closed_hooks() if self.parent is not None else ())]

    def heartbeat_hooks(self) -> list[HeartbeatHook]:
        """In the order in which they run: the parent's first."""
        return [*(self.parent.heartbeat_hooks() if self.parent is not None else ()), *self._heartbeat]

    def _find(self, registry: Callable[["Handlers"], dict[str, Found]], name: str) -> Found | None:
        for wanted in (name, FALLBACK):
            handlers: Handlers | None = self
            while handlers is not None:
                handler = registry(handlers).get(wanted)
                if handler is not None:
                    return handler
                handlers = handlers.parent
        return None

    def _named(self, registry: Callable[["Handlers"], dict[str, Found]]) -> dict[str, Found]:
        inherited = self.parent._named(registry) if self.parent is not None else {}
        every = {**inherited, **registry(self)}
        return {name: every[name] for name in sorted(every) if name != FALLBACK}

    @staticmethod
    def _register(
        registry: dict[str, Found], name: str, make: Callable[[Callable[..., Any]], Found]
    ) -> Callable[[Function], Function]:
        if len(name.encode()) > MAX_NAME_BYTES:
            raise ValueError(f"a name has at most {MAX_NAME_BYTES} bytes: {name!r}")
        if name.startswith("$"):
            raise ValueError(f"names that begin with $ are reserved: {name!r}")
        if name in registry:
            raise ValueError(f"there is a handler already: {name!r}")

        def register(function: Function) -> Function:
            registry[name] = make(function)
            return function

        return register


def _handler(function: Callable[..., Any], name: str, inline: bool) -> Handler:
    return Handler(function, inline=inline, fallback=name == FALLBACK)


def reserved_request(operation: str) -> Callable[[Function], Function]:
    """Register what every end answers, whatever its handlers: a plain function under a name with `$`."""

    def register(function: Function) -> Function:
        _RESERVED[operation] = Handler(function, inline=True, fallback=False)
        return function

    return register


_RESERVED: "dict[str, Operation]" = {}


default_handlers = Handlers()
"""The set that the `operations` module of every installed Django app registers into."""
