"""The operation `$ops`: what a peer can be asked for, described by JSON Schema 2020-12 for programs and people."""

from typing import Any, Literal
from weakref import WeakKeyDictionary

import msgspec

from rpc.peer.handler import Handler, Operation, StreamHandler
from rpc.peer.handlers import Handlers, reserved_request
from rpc.peer.peer import Peer

Schema = dict[str, Any]

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


@reserved_request("$ops")
def ops(peer: Peer) -> Description:
    """Every operation and notification with its doc line and the JSON Schemas of what it takes and returns."""
    return describe(peer.handlers)


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
