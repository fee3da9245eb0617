"""What a peer can do for its remote: functions by the name of an operation or notification."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from rpc.failures import log_failure
from rpc.limits import MAX_NAME_BYTES
from rpc.messages import Heartbeat
from rpc.peer.handler import Access, AnyPeer, Check, Handler, Operation, StreamHandler, Wrapper

Function = TypeVar("Function", bound=Callable[..., Any])
Hook = Callable[[AnyPeer], Awaitable[None]]
HookFunction = TypeVar("HookFunction", bound=Callable[..., Awaitable[None]])
MissedHook = Callable[[AnyPeer], None]
MissedFunction = TypeVar("MissedFunction", bound=Callable[..., None])
HeartbeatHook = Callable[[AnyPeer, Heartbeat], None]
HeartbeatFunction = TypeVar("HeartbeatFunction", bound=HeartbeatHook)
WrapperFunction = TypeVar("WrapperFunction", bound=Callable[..., Awaitable[Any]])
Guard = Callable[[str], Check]
GuardFunction = TypeVar("GuardFunction", bound=Guard)
Requirement = str | Check
Requirements = Requirement | tuple[Requirement, ...]

Found = TypeVar("Found", Handler, Operation)

FALLBACK = ""
"""The name that stands for every name without a handler."""


class Hooks:
    """What is called when a connection opens and ends, at heartbeats, and after something was left out."""

    def __init__(self, parent: "Hooks | None") -> None:
        self._parent = parent
        self._opened: list[Hook] = []
        self._closed: list[Hook] = []
        self._heartbeat: list[HeartbeatHook] = []
        self._missed: list[MissedHook] = []

    def opened(self, hook: HookFunction) -> HookFunction:
        """
        Register an `async def` of the peer that is awaited before the connection's first message is handled.

        It may raise `Refused`, which closes the connection.

        Raises:
            TypeError: the function is not async.
        """
        _check_awaitable(hook)
        self._opened.append(hook)
        return hook

    def closed(self, hook: HookFunction) -> HookFunction:
        """
        Register an `async def` of the peer that is awaited when the connection is over, however it ended.

        Raises:
            TypeError: the function is not async.
        """
        _check_awaitable(hook)
        self._closed.append(hook)
        return hook

    def heartbeat(self, hook: HeartbeatFunction) -> HeartbeatFunction:
        """
        Register a plain function of the peer and a `Heartbeat` that is called at each heartbeat of the remote.
        It runs inline, so it must not block.

        Raises:
            TypeError: the function is async.
        """
        _check_plain(hook)
        self._heartbeat.append(hook)
        return hook

    def missed(self, hook: MissedFunction) -> MissedFunction:
        """
        Register a plain function of the peer that is called when the remote reads again, after notifications for
        it were left out because it was behind by more than the limit `max_outbox_bytes`. It must not block.

        Raises:
            TypeError: the function is async.
        """
        _check_plain(hook)
        self._missed.append(hook)
        return hook

    def opened_hooks(self) -> list[Hook]:
        """In the order in which they run: the parent's first."""
        return [*(self._parent.opened_hooks() if self._parent is not None else ()), *self._opened]

    async def run_closed_hooks(self, peer: AnyPeer, timeout: float) -> None:
        """Await each for at most so many seconds: the parent's last, and each set's in reverse."""
        for hook in reversed(self._closed):
            try:
                async with asyncio.timeout(timeout):
                    await hook(peer)
            except Exception as error:
                log_failure("a closed hook", error)
        if self._parent is not None:
            await self._parent.run_closed_hooks(peer, timeout)

    def heartbeat_hooks(self) -> list[HeartbeatHook]:
        """In the order in which they run: the parent's first."""
        return [*(self._parent.heartbeat_hooks() if self._parent is not None else ()), *self._heartbeat]

    def run_missed_hooks(self, peer: AnyPeer) -> None:
        """The parent's first."""
        if self._parent is not None:
            self._parent.run_missed_hooks(peer)
        for hook in self._missed:
            try:
                hook(peer)
            except Exception as error:
                log_failure("a missed hook", error)


class Handlers(Hooks):
    """
    A set of handlers, shared by any number of peers.

    A handler takes, in this order, both optional: `peer`, the connection, if its first parameter has that
    name; and the parameters, read from JSON into the type of its annotation (any JSON without one), or the
    payload itself where that is `bytes`. What it returns becomes JSON, or the payload where the return
    annotation is `bytes`. An `async def` runs as a task, a `def` in a worker thread, and with `inline=True`
    a `def` that never blocks runs on the loop and costs no task.

    A lookup that finds nothing goes on in `parent`, and only then to the fallbacks.

    Anyone may call everything, unless the set or its parent has a guard, or a handler requires something. What
    a handler requires is asked before its parameters are read. All that is required must hold: each is a word
    that the guard knows, or a function of the peer, async or quick, which returns True or raises an
    `OperationError`.
    """

    def __init__(self, parent: "Handlers | None" = None) -> None:
        super().__init__(parent)
        self.parent = parent
        self._requests: dict[str, Operation] = {}
        self._notifications: dict[str, Handler] = {}
        self._guard: Guard | None = None
        self._wrappers: list[Wrapper] = []

    def child(self) -> "Handlers":
        """A new set that falls back to this one."""
        return Handlers(self)

    def request(
        self, operation: str, *, inline: bool = False, public: bool = False, requires: Requirements = ()
    ) -> Callable[[Function], Function]:
        """
        Register the decorated function for an operation. An empty name is the fallback: the function then
        takes `(operation: str, payload: bytes)`, after an optional `peer`.

        A handler fails its request with `OperationError` or `RetryLater`. Of any other exception the remote
        learns only an id, by which it is found in the log.

        Args:
            public: also for a peer that the guard has not admitted.
            requires: what must hold for the peer, beyond that it was admitted.

        Raises:
            ValueError: the name is too long, reserved (`$`) or taken; what it requires is unknown, or it is public.
            TypeError: the function's parameters do not fit; what it requires is neither a word nor a function, or
                is awaited although it is inline.
        """
        access = self._access(public, requires)
        return self._register(
            self._requests, operation, lambda function: _handler(function, access, operation, inline)
        )

    def stream(
        self, operation: str, *, public: bool = False, requires: Requirements = ()
    ) -> Callable[[Function], Function]:
        """
        Register the decorated function for a stream: an `async def` of an async iterator of parts, after an
        optional `peer`. If it yields, each value is a part of the result; else what it returns is the result.

        The types of the parts are those of its annotations, such as `AsyncIterator[int]`; `bytes` are raw.
        The sender waits while 16 parts are unread, and so does a handler while those of its result are.
        When the remote gives up, the function is cancelled.

        Raises:
            ValueError, TypeError: as `request` does.
        """
        access = self._access(public, requires)
        return self._register(self._requests, operation, lambda function: StreamHandler(function, access))

    def notification(
        self, name: str, *, inline: bool = False, public: bool = False, requires: Requirements = ()
    ) -> Callable[[Function], Function]:
        """
        The same for a notification. Results are ignored, and so is the notification of a peer that may not send it;
        one connection's notifications keep their order.
        """
        access = self._access(public, requires)
        return self._register(self._notifications, name, lambda function: _handler(function, access, name, inline))

    def guard(self, guard: GuardFunction) -> GuardFunction:
        """
        Register the function that knows what the words in `requires` mean: it takes one, and returns a function of
        the peer. From now on a new peer of this set or its children is a stranger, for whom only public handlers
        are called, until somebody sets its `admitted`, such as an `opened` hook.

        The function raises ValueError for a word that it does not know. It must be there before handlers that
        require words.

        Raises:
            ValueError: there is a guard already.
        """
        if self.guarded:
            raise ValueError("there is a guard already")
        self._guard = guard
        return guard

    def use(self, wrapper: WrapperFunction) -> WrapperFunction:
        """
        Register an `async def` of the peer, a name and a call, within which every handler is called, whether of a
        request, a stream or a notification: `return await call()`. For connections that open from now on.

        A wrapper runs after what the handler requires was asked, and before the parameters are read. Those of the
        parent are outermost, then the first of a set. What it returns is the result; for a stream that yields and
        for a notification it is ignored. An error in it is one in the handler. Handlers that are registered as
        inline run in tasks.

        Raises:
            TypeError: the function is not async.
        """
        _check_awaitable(wrapper)
        self._wrappers.append(wrapper)
        return wrapper

    def find_request(self, operation: str) -> Operation | None:
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

    def operations(self) -> dict[str, Operation]:
        """What can be requested by name, sorted; the parent's too."""
        return self._named(lambda handlers: handlers._requests)

    def notifications(self) -> dict[str, Handler]:
        """What can be notified by name, sorted; the parent's too."""
        return self._named(lambda handlers: handlers._notifications)

    @property
    def guarded(self) -> bool:
        """Whether this set or its parent has a guard."""
        return self._find_guard() is not None

    def wrappers(self) -> tuple[Wrapper, ...]:
        """From the outermost on: the parent's first."""
        return (*(self.parent.wrappers() if self.parent is not None else ()), *self._wrappers)

    def _find_guard(self) -> Guard | None:
        if self._guard is not None or self.parent is None:
            return self._guard
        return self.parent._find_guard()

    def _access(self, public: bool, requires: Requirements) -> Access:
        wanted = requires if isinstance(requires, tuple) else (requires,)
        if public and wanted:
            raise ValueError("what is public requires nothing")
        return Access(public, tuple(self._check(each) for each in wanted))

    def _check(self, requirement: Requirement) -> Check:
        if callable(requirement):
            return requirement
        if not isinstance(requirement, str):
            raise TypeError(f"a handler requires words and functions: {requirement!r}")
        guard = self._find_guard()
        if guard is None:
            raise ValueError(f"no guard of these handlers knows what {requirement!r} means")
        return guard(requirement)

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


def _check_awaitable(hook: Callable[..., Awaitable[Any]]) -> None:
    if not inspect.iscoroutinefunction(hook):
        raise TypeError(f"{hook!r} is not async, but it is awaited")


def _check_plain(hook: Callable[..., None]) -> None:
    if inspect.iscoroutinefunction(hook):
        raise TypeError(f"{hook!r} is async: this hook runs inline")


def _handler(function: Callable[..., Any], access: Access, name: str, inline: bool) -> Handler:
    return Handler(function, access, inline=inline, fallback=name == FALLBACK)


def reserved_request(operation: str) -> Callable[[Function], Function]:
    """Register what every peer answers to anyone, whatever its handlers, under a name with `$`."""

    def register(function: Function) -> Function:
        _RESERVED[operation] = Handler(function, Access(public=True), inline=False, fallback=False)
        return function

    return register


_RESERVED: dict[str, Operation] = {}


default_handlers = Handlers()
"""The set that the `operations` module of every installed Django app registers into."""
