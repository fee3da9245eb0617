"""gotalk v1 in Python: requests, streams and notifications both ways over one connection. See docs/rpc.md."""

from rpc.admission import Admission, Caps
from rpc.client import Client, connect
from rpc.close_codes import CloseCode
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
from rpc.limits import Limits
from rpc.messages import Heartbeat, Notification
from rpc.peer.handlers import Handlers, default_handlers
from rpc.peer.peer import Peer
from rpc.peer.prepared import Prepared
from rpc.peer.streams import Stream
from rpc.protocol.payloads import convert_params, decode_params
from rpc.schema.operations import describe
from rpc.server import Server, serve
from rpc.transports.memory import pipe

__all__ = [
    "Admission",
    "Caps",
    "Client",
    "CloseCode",
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
    "convert_params",
    "decode_params",
    "default_handlers",
    "describe",
    "pipe",
    "serve",
]
