"""The ten messages of the wire, one class each; docs/protocol.md has the grammar."""

import msgspec


class Request(msgspec.Struct, frozen=True, gc=False):
    """
    Asks for an operation; answered by a result with the same id.

    `id` is 4 opaque bytes, chosen by the requestor. `text` says that the header came in a text WebSocket
    message, so that the answer may be text too.
    """

    id: bytes
    operation: str
    payload: bytes
    text: bool = False


class StreamRequest(msgspec.Struct, frozen=True, gc=False):
    """A request whose payload is the first of several parts."""

    id: bytes
    operation: str
    payload: bytes
    text: bool = False


class StreamPart(msgspec.Struct, frozen=True, gc=False):
    """One more part of a stream request; an empty payload ends it."""

    id: bytes
    payload: bytes


class Result(msgspec.Struct, frozen=True, gc=False):
    id: bytes
    payload: bytes


class StreamResult(msgspec.Struct, frozen=True, gc=False):
    """A part of a result; an empty payload ends it."""

    id: bytes
    payload: bytes


class ErrorResult(msgspec.Struct, frozen=True, gc=False):
    """The request failed and would fail again."""

    id: bytes
    payload: bytes


class RetryResult(msgspec.Struct, frozen=True, gc=False):
    """The request may be repeated after `retry_after_ms` milliseconds; 0 is at once."""

    id: bytes
    retry_after_ms: int
    payload: bytes


class Notification(msgspec.Struct, frozen=True, gc=False):
    """A message that is never answered."""

    name: str
    payload: bytes


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """`load` is 0 (idle) to 65535; `sent_at` the sender's Unix time in seconds, 32 bits."""

    load: int
    sent_at: int


class Fault(msgspec.Struct, frozen=True, gc=False):
    """The sender ends the connection: 0 abnormal, 1 unsupported version, 2 invalid message, 3 timeout."""

    code: int


Message = (
    Request
    | StreamRequest
    | StreamPart
    | Result
    | StreamResult
    | ErrorResult
    | RetryResult
    | Notification
    | Heartbeat
    | Fault
)
