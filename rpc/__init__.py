"""gotalk v1 in Python: requests and notifications both ways over one connection. See docs/protocol.md."""

from rpc.errors import (
    ConnectionClosed,
    LocalProtocolError,
    MessageTooBig,
    OperationError,
    Refused,
    RemoteProtocolError,
    RequestFailed,
    RequestTimeout,
    RetryLater,
    RpcError,
)
from rpc.handlers import Handlers
from rpc.limits import Limits
from rpc.messages import Notification
from rpc.ops import describe
from rpc.peer import Peer
from rpc.prepared import Prepared
from rpc.stream import Stream

__all__ = [
    "ConnectionClosed",
    "Handlers",
    "Limits",
    "LocalProtocolError",
    "MessageTooBig",
    "Notification",
    "OperationError",
    "Peer",
    "Prepared",
    "Refused",
    "RemoteProtocolError",
    "RequestFailed",
    "RequestTimeout",
    "RetryLater",
    "RpcError",
    "Stream",
    "describe",
]
