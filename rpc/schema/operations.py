"""The operation `$ops`: what a peer can be asked for, described by JSON Schema 2020-12 for programs and people."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from rpc.errors import OperationError, RetryLater
from rpc.failures import log_failure
from rpc.peer.handler import Check, Handler, Operation, StreamHandler, says_true
from rpc.peer.handlers import Handlers, reserved_request
from rpc.peer.peer import Peer

Schema = dict[str, Any]
Entry = TypeVar("Entry", "OperationEntry", "NotificationEntry")

RAW: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}
"""The schema of a payload that is bytes as they are, not JSON."""


class OperationEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    For a stream `params` describes one part of the request, and `result` the single result or, if it `yields`,
    one part of it.
    """

    kind: Literal["request", "stream"]
    doc: str
    params: Schema
    result: Schema
    yields: bool = False


class NotificationEntry(msgspec.Struct, frozen=True):
    doc: str
    params: Schema


class Description(msgspec.Struct, frozen=True):
    """What a set of handlers answers and takes, by name; `defs` are the types that its schemas refer to."""

    operations: dict[str, OperationEntry]
    notifications: dict[str, NotificationEntry]
    defs: dict[str, Schema] = msgspec.field(name="$defs")


def describe(handlers: Handlers) -> Description:
    """
    The operations and notifications of `handlers` and its parents, made anew only when there are others.

    Raises:
        TypeError: there is no JSON Schema for what a handler takes or returns; it names the operation and the type.
    """
    registered = handlers.operations(), handlers.notifications()
    known = _KNOWN.get(handlers)
    if known is None or known[0] != registered:
        known = _KNOWN[handlers] = registered, _described(*registered)
    return known[1]


class Visitor:
    """
    Who asks without a connection, such as for a page: as far as what handlers require is asked of a `Peer`.

    Args:
        handlers, scope, data, admitted: as a peer has them; what is left out, as a new peer has it.
    """

    def __init__(
        self,
        handlers: Handlers,
        scope: Mapping[str, Any],
        data: Any = None,
        *,
        admitted: bool | None = None,
    ) -> None:
        self.handlers = handlers
        self.scope = scope
        self.data = data
        self.admitted = not handlers.guarded if admitted is None else admitted


@reserved_request("$ops")
async def ops(peer: Peer) -> Description:
    """What you may call here, with its doc line and the JSON Schemas of what it takes and returns."""
    return await describe_to(peer)


async def describe_to(peer: Peer | Visitor) -> Description:
    """
    What a peer may call of its handlers, and the types of that alone.

    Raises:
        TypeError: as `describe` does.
    """
    every = describe(peer.handlers)
    rights = _Rights(peer)
    operations = await rights.select(every.operations, peer.handlers.operations())
    notifications = await rights.select(every.notifications, peer.handlers.notifications())
    if (len(operations), len(notifications)) == (len(every.operations), len(every.notifications)):
        return every
    return Description(
        operations, notifications, _referred_to([*operations.values(), *notifications.values()], every.defs)
    )


class _Rights:
    """What a peer may call now: each check is asked once, however many handlers it is of."""

    def __init__(self, peer: Peer | Visitor) -> None:
        self._peer = peer
        self._passed: dict[Check, bool] = {}

    async def select(self, entries: dict[str, Entry], handlers: Mapping[str, Operation]) -> dict[str, Entry]:
        """Those entries whose handler may be called."""
        return {name: entry for name, entry in entries.items() if await self._may_call(handlers[name])}

    async def _may_call(self, handler: Operation) -> bool:
        if not (self._peer.admitted or handler.public):
            return False
        for check in handler.checks:
            if check not in self._passed:
                self._passed[check] = await self._passes(check)
            if not self._passed[check]:
                return False
        return True

    async def _passes(self, check: Check) -> bool:
        try:
            return await says_true(check(self._peer))
        except (OperationError, RetryLater):
            return False
        except Exception as error:
            log_failure("what a handler requires", error)
            return False


def _referred_to(entries: Iterable[Any], defs: dict[str, Schema]) -> dict[str, Schema]:
    """The types that entries refer to, and those that these refer to, in their order."""
    found: set[str] = set()
    unread = list(msgspec.to_builtins(list(entries)))
    while unread:
        match unread.pop():
            case {"$ref": str(reference)} if (name := reference.rpartition("/")[2]) not in found:
                found.add(name)
                unread.append(defs[name])
            case dict(parts):
                unread += parts.values()
            case list(parts):
                unread += parts
    return {name: schema for name, schema in defs.items() if name in found}


Registered = tuple[dict[str, Operation], dict[str, Handler]]

_KNOWN: WeakKeyDictionary[Handlers, tuple[Registered, Description]] = WeakKeyDictionary()


def _described(operations: dict[str, Operation], notifications: dict[str, Handler]) -> Description:
    asked = [
        (f"operation {name!r}", type)
        for name, operation in operations.items()
        for type in (_params_type(operation), operation.result_type)
    ]
    heard = [(f"notification {name!r}", handler.params_type) for name, handler in notifications.items()]
    found, defs = _schemas([*asked, *heard])
    schemas = iter(found)
    return Description(
        {name: _entry(operation, next(schemas), next(schemas)) for name, operation in operations.items()},
        {name: NotificationEntry(handler.doc, next(schemas)) for name, handler in notifications.items()},
        defs,
    )


def _entry(operation: Operation, params: Schema, result: Schema) -> OperationEntry:
    if isinstance(operation, StreamHandler):
        return OperationEntry("stream", operation.doc, params, result, operation.yields)
    return OperationEntry("request", operation.doc, params, result)


def _params_type(operation: Operation) -> Any:
    return operation.part_type if isinstance(operation, StreamHandler) else operation.params_type


def _schemas(types: list[tuple[str, Any]]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, in order, and those they refer to. Each type comes with the name of its owner."""
    try:
        # In one call: only then does msgspec give two names to two types of one name.
        schemas, defs = _components([type for _, type in types])
    except TypeError:
        for owner, type in types:
            try:
                _components([type])
            except TypeError as error:
                raise TypeError(f"{owner}: there is no JSON Schema for {type!r}") from error
        raise
    return [RAW if type is bytes else schema for (_, type), schema in zip(types, schemas, strict=True)], defs


def _components(types: list[Any]) -> tuple[tuple[Schema, ...], dict[str, Schema]]:
    return msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
