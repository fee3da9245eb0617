"""
Every name of Daphne, Autobahn, Twisted, channels_redis and redis-py that the site uses though it is not documented,
each behind a name that says what it means.

`tests/project/daphne/test_internals.py` tries each of them, and requirements.txt allows no version beyond those
that were tried.
"""

import asyncio
import socket
from typing import Any

OVERRIDDEN = {
    "autobahn.twisted.websocket.WebSocketAdapterProtocol": {"connectionLost", "connectionMade"},
    "autobahn.websocket.protocol.WebSocketProtocol": {
        "_fail_connection",
        "consumeData",
        "onAutoPingTimeout",
        "onCloseFrame",
        "onFrameBegin",
        "processData",
    },
    "channels_redis.pubsub.RedisPubSubChannelLayer": {"_get_layer"},
    "channels_redis.pubsub.RedisSingleShardConnection": {"_do_receiving", "flush"},
    "daphne.http_protocol.HTTPFactory": {"buildProtocol"},
    "daphne.http_protocol.WebRequest": {"check_timeouts", "handle_exception", "handle_reply", "process"},
    "daphne.server.Server": {"create_application", "handle_reply", "run"},
    "daphne.ws_protocol.WebSocketFactory": {"protocol"},
    "daphne.ws_protocol.WebSocketProtocol": {
        "handle_exception",
        "handle_reply",
        "onClose",
        "onConnect",
        "onMessage",
        "onOpen",
        "serverSend",
    },
    "twisted.protocols.basic.LineReceiver": {"lineLengthExceeded"},
    "twisted.web.http.HTTPChannel": {
        "_respondToBadRequestAndDisconnect",
        "allContentReceived",
        "allHeadersReceived",
        "connectionLost",
        "connectionMade",
        "dataReceived",
        "pauseProducing",
        "rawDataReceived",
        "requestDone",
        "resumeProducing",
        "write",
        "writeHeaders",
        "writeSequence",
    },
    "twisted.web.http.Request": {"gotLength", "handleContentChunk"},
}
"""What subclasses of ours replace, by the class that it is a part of."""

MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5, less the code."""


# --- Twisted -----------------------------------------------------------------------------------------------


def event_loop(reactor: Any) -> asyncio.AbstractEventLoop:
    """The loop that the reactor runs on, before it runs."""
    return reactor._asyncioEventloop


def kernel_socket(transport: Any) -> socket.socket | None:
    """The socket of a transport that writes to it what it is given; None for TLS, which encrypts that first."""
    return transport.socket if hasattr(transport, "dataBuffer") and hasattr(transport, "socket") else None


def break_connection(request: Any) -> None:
    """End the connection of an HTTP request at once."""
    request.channel.forceAbortClient()


def request_line(channel: Any) -> tuple[bytes, bytes]:
    """Method and target of the request whose head or body an HTTP channel reads, as far as they have come."""
    return getattr(channel, "_command", b""), getattr(channel, "_path", b"/")


def head_is_too_large(channel: Any) -> bool:
    """Whether the head that an HTTP channel reads has more bytes or more headers than it may."""
    size, count = channel._receivedHeaderSize, channel._receivedHeaderCount
    return bool(size > channel.totalHeadersSize or count > channel.maxHeaders)


def read_ahead(channel: Any) -> int:
    """Bytes of further requests that an HTTP channel has read while one is answered."""
    return sum(map(len, channel._dataBuffer))


def unsent(transport: Any) -> int:
    """Bytes written to a transport, other than of TLS, that the kernel has not taken yet."""
    return len(transport.dataBuffer) - transport.offset + transport._tempDataLen


def is_taken_over(transport: Any, kind: type) -> bool:
    """Whether a connection is still there, and now that of a protocol of this kind."""
    return isinstance(transport.protocol, kind) and not transport.disconnected


class FrameWriter:
    """
    Writes whole frames past Autobahn: straight to the kernel while nothing waits in Twisted's buffer, and else into
    that buffer, which keeps the order.

    A class, unlike all else here: `write` is called for each frame, and a function around each name would be felt
    in every fan-out.

    Args:
        protocol: the WebSocket.
        kernel: `kernel_socket` of its transport.
    """

    __slots__ = ("_protocol", "_send", "_transport")

    def __init__(self, protocol: Any, kernel: socket.socket | None) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self._send = None if kernel is None else kernel.send

    def write(self, frame: bytes) -> None:
        """Send one or more whole, unmasked frames. Ignored when the WebSocket is not open."""
        if self._protocol.state != self._protocol.STATE_OPEN:
            return
        transport = self._transport
        if self._send is None or transport.dataBuffer or transport._tempDataBuffer:
            transport.write(frame)
            return
        try:
            sent = self._send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The peer is gone; Twisted finds out by itself when it writes, and tells the application.
            sent = 0
        if sent < len(frame):
            transport.write(frame[sent:])

    @property
    def buffered(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return 0 if self._send is None else unsent(self._transport)


# --- Daphne ------------------------------------------------------------------------------------------------


def answer_has_begun(request: Any) -> bool:
    """Whether some of the answer to an HTTP request was sent."""
    return request._response_started


def handshake_is_answered(protocol: Any) -> bool:
    """Whether a WebSocket was accepted or refused, whatever became of that."""
    return not hasattr(protocol, "handshake_deferred")


def application_of(connection: dict[str, Any]) -> asyncio.Future[Any] | None:
    """The application that serves an entry of `Server.connections`, until it was forgotten."""
    return connection.get("application_instance")


def set_application(connection: dict[str, Any], application: asyncio.Future[Any]) -> None:
    connection["application_instance"] = application


def forget_application(connection: dict[str, Any]) -> None:
    del connection["application_instance"]


def lost_at(connection: dict[str, Any]) -> float | None:
    """When an entry of `Server.connections` lost its peer, as `time.time()`; None while it has one."""
    return connection.get("disconnected")


# --- Autobahn ----------------------------------------------------------------------------------------------


def named_subprotocols(protocol: Any) -> list[str]:
    """The subprotocols that the client of a WebSocket names, in its order, as they stand in the header."""
    return protocol.websocket_protocols


def is_connecting(protocol: Any) -> bool:
    """Whether a WebSocket's handshake is under way."""
    return protocol.state == protocol.STATE_CONNECTING


def is_open(protocol: Any) -> bool:
    """Whether neither side of a WebSocket has sent its close."""
    return protocol.state == protocol.STATE_OPEN


def is_closed(protocol: Any) -> bool:
    """Whether a WebSocket is over: nothing is read from it any more, though much may wait to be written."""
    return protocol.state == protocol.STATE_CLOSED


def send_close_frame(protocol: Any, code: int | None, reason: str) -> None:
    """
    Send a close frame, unless one was sent, and end the connection if it is still there some seconds later. The
    documented `sendClose` refuses the codes from 1001 to 2999.
    """
    cut = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
    protocol.sendCloseFrame(code=code, reasonUtf8=cut.encode())


def forget_close_deadline(protocol: Any) -> None:
    """End the timer of `send_close_frame`, which would keep a connection that is over."""
    if protocol.closeHandshakeTimeoutCall is not None:
        protocol.closeHandshakeTimeoutCall.cancel()
        protocol.closeHandshakeTimeoutCall = None


def read_buffered(protocol: Any) -> None:
    """Go on with what was read from the socket and waits in the protocol, until `processData` returns False."""
    protocol.consumeData()


def unprocessed_of_frame(protocol: Any) -> int:
    """Bytes of the frame that is being processed, read from the socket or not; 0 between frames."""
    frame = protocol.current_frame
    return 0 if frame is None else frame.length - protocol.current_frame_masker.pointer()


def buffered(protocol: Any) -> int:
    """Bytes that were read from the socket and are not processed yet."""
    return len(protocol.data)


PIECE_BYTES = 64
"""What Python and Autobahn take for a piece of a message, beside its bytes."""


def brings_little(protocol: Any, small: int) -> bool:
    """Whether the frame that begins is a ping, a pong or a close, or empty, or a fragment below so many bytes."""
    frame = protocol.current_frame
    return bool(frame.opcode > 7 or not frame.length or (frame.length < small and not (frame.fin and frame.opcode)))


def unfinished_of_message(protocol: Any) -> int:
    """About how many bytes are kept of a message that has begun to arrive, once the handshake is over."""
    if not protocol.inside_message or protocol.message_data is None:
        return 0
    frame, pieces = protocol.current_frame, protocol.message_data
    size, count = protocol.message_data_total_length, len(pieces)
    if frame is not None and frame.opcode <= 7:
        size -= unprocessed_of_frame(protocol)
        count += len(protocol.frame_data)
    return size + PIECE_BYTES * count


def forget_message(protocol: Any) -> None:
    """Let go of what has arrived of a message, and of what may come: the connection is at its end."""
    protocol.failedByMe = True
    protocol.message_data, protocol.frame_data = [], []


def forget_buffered(protocol: Any) -> int:
    """Drop what was read from the socket and is not processed yet; returns how many bytes."""
    forgotten, protocol.data = protocol.data, b""
    return len(forgotten)


def forget_missing_pong(protocol: Any) -> None:
    """From `onAutoPingTimeout`, instead of dropping the connection: the next ping has a deadline of its own."""
    protocol.autoPingTimeoutCall = None


# --- channels_redis and redis-py ---------------------------------------------------------------------------


def shards_of(loop_layer: Any) -> list[Any]:
    """What a layer of channels_redis has of each Redis server; the list may be changed before it is used."""
    return loop_layer._shards


def subscription_of(shard: Any) -> Any:
    """The redis-py `PubSub` of a shard, None before the first topic."""
    return shard._pubsub


def deliver(shard: Any, message: dict[str, Any]) -> None:
    """Put a message of `PubSub.get_message` into the queues of the channels that it is for."""
    shard._receive_message(message)


def read_error(pubsub: Any) -> BaseException | None:
    """Why nothing more can be read by a `PubSub`, which may take that for "no message yet"."""
    reader = getattr(pubsub.connection, "_reader", None)
    return None if reader is None else reader.exception()


async def drop_connection(pubsub: Any) -> None:
    """Close the connection of a `PubSub` without waiting for its end; the next read opens another one."""
    await pubsub.connection.disconnect(nowait=True)
