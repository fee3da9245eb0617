"""
Daphne, hardened: a fault in one connection affects no other, and peers are told of a restart.

docs/architecture.md says what each override is for.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from daphne.server import Server
from twisted.internet import reactor
from twisted.logger import globalLogBeginner

from project.daphne import internals
from project.daphne.frames import SocketFrames
from project.daphne.http import HubtalkHTTPFactory, HubtalkRequest, Refusal, bare_refusal, no_body, own_address
from project.daphne.protocols import HubtalkWebSocket, HubtalkWebSocketFactory
from project.daphne.turns import Turns
from project.process import Ending, bound_threads, forget_cancelled
from rpc.admission import Admission, Place
from rpc.close_codes import CloseCode
from rpc.limits import Limits

logger = logging.getLogger(__name__)

BACKLOG = 1024
"""Connections that may wait to be accepted: after a restart everyone comes back at once."""
PING_INTERVAL, PONG_TIMEOUT = 20, 15
"""Seconds. A pong must be due before the next ping, which replaces the timer of the first."""
HANDSHAKE_TIMEOUT = 40.0
"""Seconds for the application to accept a WebSocket, whose head has come; the deadlines of doors are shorter."""
CHECK_SECONDS = 1.0
"""Between two rounds of the checks; every second round looks at timeouts too."""
CLOSED_GRACE = 5.0
"""Seconds for a closed WebSocket to disconnect: a peer that does not read could stay for ever."""
LOST_GRACE = 10.0
"""Seconds that an application may go on after its connection was lost."""
GOODBYE_TIMEOUT = 1.0
"""Seconds for the peers' own close frames."""


class HubtalkServer(Server):
    """
    Args:
        application: the ASGI application.
        host, port: where to listen; port 0 takes a free one.
        start: awaited before the port is listened on; what it raises ends `run`.
        drain: awaited at the first signal, while all sockets are still open.
        listening: called with the port once the server accepts connections.
        max_body_bytes: how long the body of a request for a path may be; none unless given.
        refusal: headers and body of an answer in place of the application's, from the path and the status.
        limits: of these the rate of messages, which frames without one have as well, and the `stall_timeout`, after
            which a client that takes nothing of an answer is dropped.
        admission: counts the connections, together with other servers that it is given to.
        real_address: the address of a client, from that of its connection and X-Forwarded-For.
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
        max_body_bytes: Callable[[str], int] = no_body,
        refusal: Callable[[str, HTTPStatus], Refusal] = bare_refusal,
        limits: Limits | None = None,
        admission: Admission | None = None,
        real_address: Callable[[str, str], str] = own_address,
    ) -> None:
        super().__init__(
            application,
            endpoints=[f"tcp:port={port}:interface={host}"],
            signal_handlers=False,
            ping_interval=PING_INTERVAL,
            # Pings find dead sockets. A lifetime, as Daphne's default of a day, would close live ones too.
            websocket_timeout=-1,
            verbosity=0,
        )
        self.max_body_bytes, self.refusal = max_body_bytes, refusal
        self.limits = Limits() if limits is None else limits
        self.admission = Admission() if admission is None else admission
        self.real_address = real_address
        self.places: dict[Any, Place] = {}
        """Of each open connection, by its transport: it is an HTTP channel's first, then perhaps a WebSocket's."""
        self._turns = Turns()
        self._handshakes: dict[Any, str] = {}
        """The addresses of those under way, by their transports."""
        self._host, self._port = host, port
        self._start = start
        self._drain = drain
        self._listening = listening
        self._listener: Any = None
        self._checks: asyncio.Task[None] | None = None
        self._goodbye: asyncio.Task[None] | None = None
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = HubtalkHTTPFactory(self)
        self.ws_factory = HubtalkWebSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=PONG_TIMEOUT,
            allowNullOrigin=True,
            openHandshakeTimeout=HANDSHAKE_TIMEOUT,
            closeHandshakeTimeout=CLOSED_GRACE,
            maxMessagePayloadSize=max_message_bytes,
            maxFramePayloadSize=max_message_bytes,
        )

    def run(self) -> None:
        """
        Serve until a signal ends it.

        Raises:
            CannotListenError: the port is taken.
        """
        globalLogBeginner.beginLoggingTo([_log_twisted_failures], redirectStandardIO=False, discardBuffer=True)
        loop = internals.event_loop(reactor)
        asyncio.set_event_loop(loop)
        bound_threads(loop)
        forget_cancelled(loop)
        loop.run_until_complete(self._start())
        self._listener = reactor.listenTCP(self._port, self.http_factory, backlog=BACKLOG, interface=self._host)
        self._checks = loop.create_task(self._check_regularly(), name="connection checks")
        Ending(self._begin_goodbye).watch(loop)
        reactor.callWhenRunning(self._listening, self._listener.getHost().port)
        reactor.run(installSignalHandlers=False)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] != "websocket":
            return super().create_application(protocol, scope)
        connection = self.connections.get(protocol)
        if connection is None:
            return None
        protocol.frames = frames = SocketFrames(protocol, protocol.place, self.limits)
        scope["asgi"] = {"version": "3.0"}
        # Daphne decodes percents in them, and Autobahn accepts none that was not named.
        scope["subprotocols"] = internals.named_subprotocols(protocol)
        scope["extensions"] = {"hubtalk.frames": frames}
        application = self.application(scope, frames.inbox.get, partial(self.handle_reply, protocol))
        protocol.application = asyncio.ensure_future(application)
        internals.set_application(connection, protocol.application)
        return frames.inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if isinstance(protocol, HubtalkRequest):
            await protocol.taken()

    def begin_handshake(self, transport: Any, begin: Callable[[], None]) -> None:
        """Let a client shake hands when it is its turn."""
        whose = self.places[transport].network.name

        def begin_turn() -> None:
            self._handshakes[transport] = whose
            begin()
            if not internals.is_taken_over(transport, HubtalkWebSocket):
                self.end_handshake(transport)

        self._turns.take(whose, begin_turn)

    def end_handshake(self, transport: Any) -> None:
        """It is through, or failed; the next one of its address may begin. A second call does nothing."""
        whose = self._handshakes.pop(transport, None)
        if whose is not None:
            self._turns.end(whose)

    def leave(self, transport: Any) -> None:
        """A connection is over."""
        self.end_handshake(transport)
        place = self.places.pop(transport, None)
        if place is not None:
            place.leave()

    # --- the periodic checks, each connection guarded ------------------------------------------------------

    async def _check_regularly(self) -> None:
        for turn in itertools.count():
            await asyncio.sleep(CHECK_SECONDS)
            # A function of its own: a variable here would keep the last connection until the next one comes.
            self._check_all(timeouts=bool(turn % 2))

    def _check_all(self, *, timeouts: bool) -> None:
        for protocol, connection in list(self.connections.items()):
            try:
                self._check_application(protocol, connection)
                if timeouts:
                    protocol.check_timeouts()
            except Exception:
                logger.exception("a connection could not be checked and is dropped")
                _abort(protocol)

    def _check_application(self, protocol: Any, connection: dict[str, Any]) -> None:
        lost_at = internals.lost_at(connection)
        application = internals.application_of(connection)
        if application is not None and not application.done():
            if lost_at is not None and time.time() - lost_at > LOST_GRACE:
                logger.warning("an application did not end with its connection and is cancelled")
                application.cancel()
            return
        if application is not None:
            internals.forget_application(connection)
            error = None if application.cancelled() else application.exception()
            if error is not None:
                logger.error("an application failed", exc_info=error)
            if lost_at is None:
                self._end_protocol(protocol, error)
        if lost_at is not None:
            self.connections.pop(protocol, None)

    def _end_protocol(self, protocol: Any, error: BaseException | None) -> None:
        """Close an open connection whose application has ended."""
        is_websocket = isinstance(protocol, HubtalkWebSocket)
        if is_websocket and protocol.ending:
            # It is about to send its close.
            return
        if error is not None:
            protocol.handle_exception(error)
        elif is_websocket and internals.is_open(protocol):
            protocol.say_close(CloseCode.INTERNAL_ERROR, "")

    # --- the end -------------------------------------------------------------------------------------------

    def _begin_goodbye(self) -> None:
        self._goodbye = asyncio.get_running_loop().create_task(self._say_goodbye(), name="goodbye")

    async def _say_goodbye(self) -> None:
        await _waited(self._listener.stopListening())
        try:
            await self._drain()
        except Exception:
            logger.exception("the application could not be drained")
        for protocol in list(self.connections):
            if isinstance(protocol, HubtalkWebSocket) and internals.is_open(protocol):
                protocol.say_close(CloseCode.RESTARTING, "restarting")
        await self._applications_end(GOODBYE_TIMEOUT)
        for application in self._applications():
            application.cancel()
        await self._applications_end(GOODBYE_TIMEOUT)
        if self._checks is not None:
            self._checks.cancel()
        reactor.stop()

    def _applications(self) -> list[asyncio.Future[Any]]:
        running = map(internals.application_of, self.connections.values())
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
    """Of Twisted's own log only failures that nobody handled are of interest."""
    if event.get("log_failure") is not None:
        failure = event["log_failure"]
        logger.error("%s", failure.getErrorMessage(), exc_info=(failure.type, failure.value, failure.tb))
