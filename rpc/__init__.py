"""gotalk v1 in Python: requests, streams and notifications both ways over one connection. See docs/rpc.md."""

from rpc.client import Client, connect
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
from rpc.memory import pipe
from rpc.messages import Heartbeat, Notification
from rpc.ops import describe
from rpc.peer import Peer
from rpc.prepared import Prepared
from rpc.server import Server, serve
from rpc.stream import Stream

__all__ = [
    "Client",
    "ConnectionClosed",
    "Handlers",
    "Heartbeat",
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
    "Server",
    "Stream",
    "connect",
    "describe",
    "pipe",
    "serve",
]
