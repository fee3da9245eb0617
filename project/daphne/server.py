"""
Daphne, hardened: one connection's trouble stays its own, and an end is announced.

What the stock server lacks, and what each override here is for, stands in docs/architecture.md. Flow control
has its place in `project.daphne.frames` and `project.daphne.inbox`.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from autobahn.util import encode_truncate
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from project.daphne.frames import SocketFrames
from rpc import CloseCode

logger = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that may wait to be accepted: everyone comes back at once after a restart."""
MAX_REASON_BYTES = 123
"""Of a close frame: RFC 6455, section 5.5, less the code."""
CLOSED_GRACE = 5.0
"""Seconds that a closed WebSocket may take to vanish: a peer that stops reading could stay for ever."""
DRAIN_TIMEOUT = 9.0
"""Seconds from the first signal to the end, at the most."""
GOODBYE_TIMEOUT = 1.0
"""Seconds for the peers' own close frames."""


class HubtalkRequest(WebRequest):  # type: ignore[misc]
    def handle_exception(self, exception: Exception) -> None:
        if self._response_started and not self.finished:
            # Half an answer went out: only a broken connection tells the client so.
            self.channel.forceAbortClient()
        else:
            super().handle_exception(exception)


class HubtalkHTTPFactory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = HubtalkRequest
        return protocol


class HubtalkWebSocket(WebSocketProtocol):  # type: ignore[misc]
    frames: SocketFrames
    _closed_since: float | None = None

    def processData(self) -> bool:
        # What was read at once may hold more messages than may wait.
        if self.state == self.STATE_OPEN and self.frames.inbox.full:
            return False
        return bool(super().processData())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # After our close nothing counts any more.
        if self.state == self.STATE_OPEN:
            super().onMessage(payload, isBinary)

    def onAutoPingTimeout(self) -> None:
        if self.frames.reading:
            super().onAutoPingTimeout()
        else:
            # The pong may have come: it is us who do not look.
            self.autoPingTimeoutCall = None

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            self.say_close(message.get("code") or CloseCode.NORMAL, message.get("reason") or "")
        else:
            super().handle_reply(message)

    def say_close(self, code: int, reason: str) -> None:
        """Send a close frame, unless one was sent, and read on for that of the other end."""
        # Not `sendClose`, which refuses the codes below 3000 that RFC 6455 keeps for servers too.
        self.sendCloseFrame(code=code, reasonUtf8=encode_truncate(reason, MAX_REASON_BYTES))
        self.frames.read_to_the_end()

    def serverSend(self, content: Any, binary: bool = False) -> None:
        if self.state == self.STATE_OPEN:
            super().serverSend(content, binary)

    def handle_exception(self, exception: Exception) -> None:
        if self.state == self.STATE_CONNECTING and not hasattr(self, "handshake_deferred"):
            # An accept that failed half-way, such as with a subprotocol that was not offered.
            self.transport.abortConnection()
        else:
            super().handle_exception(exception)

    def dropConnection(self, abort: bool = False) -> None:
        # After a clean close nothing may be thrown away: our own close frame may still wait to be written.
        super().dropConnection(abort=abort and not self.wasClean)

    def check_timeouts(self) -> None:
        super().check_timeouts()
        if self.state != self.STATE_CLOSED:
            return
        now = time.monotonic()
        if self._closed_since is None:
            self._closed_since = now
        elif now - self._closed_since > CLOSED_GRACE:
            self.transport.abortConnection()


class HubtalkWebSocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = HubtalkWebSocket


class HubtalkServer(Server):  # type: ignore[misc]
    """
    Args:
        application: the ASGI application.
        host, port: where to listen; port 0 takes a free one.
        start: awaited before the port is listened on; what it raises ends `run`.
        drain: awaited at the first signal, while all sockets are still open.
        listening: called with the port once the server accepts connections.
    """

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        max_message_bytes: int,
        start: Callable[[], Awaitable[None]],
        drain: Callable[[], Awaitable[None]],
        listening: Callable[[int], None],
    ) -> None:
        super().__init__(
            application,
            endpoints=[f"tcp:port={port}:interface={host}"],
            signal_handlers=False,
            # A pong must be due before the next ping: a second ping forgets the first one's timer.
            ping_interval=20,
            ping_timeout=15,
            # Pings find dead sockets; a day's end would cut all the live ones at once.
            websocket_timeout=-1,
            websocket_max_message_size=max_message_bytes,
            websocket_max_frame_size=max_message_bytes,
            verbosity=0,
        )
        self._host, self._port = host, port
        self._start = start
        self._drain = drain
        self._listening = listening
        self._ending: asyncio.Task[None] | None = None
        self._listener: Any = None

    def run(self) -> None:
        """
        Serve until a signal ends it.

        Raises:
            CannotListenError: the port is taken.
        """
        self.connections = {}
        self.http_factory = HubtalkHTTPFactory(self)
        self.ws_factory = HubtalkWebSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=CLOSED_GRACE,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        globalLogBeginner.beginLoggingTo([_log_twisted_failures], redirectStandardIO=False, discardBuffer=True)
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        loop.run_until_complete(self._start())
        self._listener = reactor.listenTCP(self._port, self.http_factory, backlog=BACKLOG, interface=self._host)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        reactor.callWhenRunning(self._listening, self._listener.getHost().port)
        reactor.run(installSignalHandlers=False)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        details = self.connections.get(protocol)
        if details is None:
            return None
        protocol.frames = frames = SocketFrames(protocol)
        scope["asgi"] = {"version": "3.0"}
        scope["extensions"] = {"hubtalk.frames": frames}
        application = self.application(scope, frames.inbox.get, partial(self.handle_reply, protocol))
        details["application_instance"] = asyncio.ensure_future(application)
        return frames.inbox

    # --- the periodic checkers, each connection guarded ----------------------------------------------------

    def application_checker(self) -> None:
        self._for_each_connection(self._check_application)
        reactor.callLater(1, self.application_checker)

    def timeout_checker(self) -> None:
        self._for_each_connection(lambda protocol, details: protocol.check_timeouts())
        reactor.callLater(2, self.timeout_checker)

    def _for_each_connection(self, check: Callable[[Any, dict[str, Any]], None]) -> None:
        for protocol, details in list(self.connections.items()):
            try:
                check(protocol, details)
            except Exception:
                logger.exception("a connection could not be checked and is cut off")
                _abort(protocol)

    def _check_application(self, protocol: Any, details: dict[str, Any]) -> None:
        disconnected = details.get("disconnected")
        application = details.get("application_instance")
        if application is not None and not application.done():
            if disconnected and time.time() - disconnected > self.application_close_timeout:
                logger.warning("an application did not end with its connection and is cancelled")
                application.cancel()
            return
        if application is not None:
            del details["application_instance"]
            error = None if application.cancelled() else application.exception()
            if error is not None:
                logger.error("an application failed", exc_info=error)
            if not disconnected:
                self._end_protocol(protocol, error)
        if disconnected:
            self.connections.pop(protocol, None)

    def _end_protocol(self, protocol: Any, error: BaseException | None) -> None:
        """Its application is over: a connection that is still open has nobody to talk to."""
        if error is not None:
            protocol.handle_exception(error)
        elif isinstance(protocol, HubtalkWebSocket) and protocol.state == protocol.STATE_OPEN:
            protocol.say_close(CloseCode.INTERNAL_ERROR, "")

    # --- the end -------------------------------------------------------------------------------------------

    def _end(self) -> None:
        if self._ending is not None:
            logger.warning("second signal: ending at once")
            os._exit(1)
        # Whatever hangs, in a thread that cannot be cancelled or elsewhere, must not keep the process.
        watchdog = threading.Timer(DRAIN_TIMEOUT, os._exit, [0])
        watchdog.daemon = True
        watchdog.start()
        self._ending = asyncio.get_event_loop().create_task(self._say_goodbye())

    async def _say_goodbye(self) -> None:
        await _waited(self._listener.stopListening())
        try:
            await self._drain()
        except Exception:
            logger.exception("the application could not be drained")
        for protocol in list(self.connections):
            if isinstance(protocol, HubtalkWebSocket) and protocol.state == protocol.STATE_OPEN:
                protocol.say_close(CloseCode.RESTARTING, "restarting")
        await self._applications_end(GOODBYE_TIMEOUT)
        for application in self._applications():
            application.cancel()
        await self._applications_end(GOODBYE_TIMEOUT)
        reactor.stop()

    def _applications(self) -> list[asyncio.Future[Any]]:
        running = (details.get("application_instance") for details in self.connections.values())
        return [application for application in running if application is not None and not application.done()]

    async def _applications_end(self, timeout: float) -> None:
        applications = self._applications()
        if applications:
            await asyncio.wait(applications, timeout=timeout)


def _abort(protocol: Any) -> None:
    transport = protocol.transport
    if transport is not None:
        transport.abortConnection()


async def _waited(deferred: Any) -> None:
    if deferred is not None:
        await deferred.asFuture(asyncio.get_running_loop())


def _log_twisted_failures(event: Any) -> None:
    """Twisted's own log is chatter, but for failures that nobody handled."""
    if event.get("log_failure") is not None:
        failure = event["log_failure"]
        logger.error("%s", failure.getErrorMessage(), exc_info=(failure.type, failure.value, failure.tb))
