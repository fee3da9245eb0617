"""
The push door: whose a connection is, and the order of its requests.

Requests carry no id. So that a client can tell which answer is to which request, answers to one opcode come in
the order of the requests, each its own opcode's or an error that names it; different opcodes do not wait for
each other. Posts are stored in the order in which they came.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from channels.consumer import AsyncConsumer

from chat.actions.caller import Caller
from chat.doors.push.opcodes import OPCODE_BYTES, Opcode, split
from chat.doors.push.requests import REQUESTS, ROOMS, Request, catch_up, text_of
from chat.doors.push.socket import PushSocket
from chat.doors.socket import Receive
from chat.queries.identity import session_key_of
from chat.queries.structs import PersonCard
from chat.queries.tokens import bearer_of
from chat.realtime import runtime
from chat.realtime.runtime import Runtime
from chat.realtime.writer import WriterBusy
from chat.services.push import MAX_PAYLOAD_BYTES
from rpc import CloseCode, OperationError, Refused, RetryLater
from rpc.contrib.django.conf import site_limits
from rpc.failures import internal_error
from rpc.protocol.session import Chunk
from rpc.transports.websocket_server import AsgiSend

LOGIN_TIMEOUT = 5.0
"""Seconds for a connection without cookie or header to say whose it is."""
MAX_AT_ONCE = 16
"""Requests of one connection that run side by side."""


class LoggedIn(msgspec.Struct):
    user: PersonCard


class PushDoor(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """Opcodes in binary frames: `PushDoor.as_asgi()`."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: AsgiSend) -> None:
        async with PushSocket(scope, receive, send) as socket:
            conversation = Conversation(socket, await runtime.start())
            try:
                await conversation.begin()
                async for message in socket:
                    await conversation.take(message)
                await conversation.finish()
            finally:
                await conversation.end()


class Conversation:
    """One connection: whose it is, and its requests."""

    def __init__(self, socket: PushSocket, runtime: Runtime) -> None:
        self._socket = socket
        self._runtime = runtime
        self._caller: Caller | None = None
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._last: dict[str, asyncio.Task[None]] = {}
        """Queue → the last of its requests."""
        self._login_timer: asyncio.TimerHandle | None = None
        socket.catch_up_with(self._catch_up)

    async def begin(self) -> None:
        """
        Take the person of the header or the cookie; without one, wait for them to log in.

        Raises:
            Refused: the token is not valid, or this person may not be connected.
        """
        has_token = bearer_of(self._socket.scope) is not None
        connections = self._runtime.connections
        if has_token or session_key_of(self._socket.scope) is not None:
            try:
                client = await connections.connect(self._socket, entered=set())
            except Refused as refusal:
                if has_token or refusal.close_code != CloseCode.LOG_IN:
                    raise
            else:
                if client.token is not None or client.session is not None:
                    self._caller = Caller(self._runtime, client)
                    return
                # The cookie of a session that is no more.
                await connections.disconnect(client)
        close = self._socket.close
        loop = asyncio.get_running_loop()
        self._login_timer = loop.call_later(LOGIN_TIMEOUT, close, CloseCode.LOG_IN, "log in")

    async def finish(self) -> None:
        """Wait until what was asked is answered, no longer than a close may take; the client asks nothing more."""
        running = [task for task in self._last.values() if not task.done()]
        if running and not self._socket.closing:
            await asyncio.wait(running, timeout=site_limits().close_timeout)

    async def end(self) -> None:
        self._stop_login_timer()
        if self._caller is not None:
            await self._runtime.connections.disconnect(self._caller.client)

    def _stop_login_timer(self) -> None:
        if self._login_timer is not None:
            self._login_timer.cancel()

    async def take(self, message: Chunk) -> None:
        """Handle a message; returns as soon as there is room for the next request."""
        if isinstance(message, str):
            await self._reject(CloseCode.BAD_MESSAGE, "this door accepts binary frames only")
        elif len(message) > OPCODE_BYTES + MAX_PAYLOAD_BYTES:
            await self._reject(CloseCode.TOO_BIG, f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
        elif len(message) < OPCODE_BYTES:
            error = OperationError(f"a frame must begin with an opcode of {OPCODE_BYTES} bytes", code="bad_message")
            self._socket.refuse(None, error)
        else:
            await self._take_frame(*split(message))

    async def _reject(self, code: CloseCode, text: str) -> None:
        await self.finish()
        self._socket.close(code, text)

    async def _take_frame(self, opcode: int, payload: bytes) -> None:
        request = REQUESTS.get(opcode)
        if opcode == Opcode.HEARTBEAT:
            self._socket.reply(Opcode.HEARTBEAT, {})
        elif opcode == Opcode.LOG_IN:
            # What comes behind it is the new person's.
            await self._log_in(payload)
        elif request is None:
            self._socket.refuse(opcode, OperationError("unknown opcode", code="unknown_opcode"))
        elif self._caller is None:
            self._socket.refuse(opcode, OperationError("log in first", code="log_in"))
        else:
            await self._slots.acquire()
            before = self._last.get(request.queue)
            answer = self._answer(request, self._caller, Opcode(opcode), payload, before)
            self._last[request.queue] = self._socket.spawn(answer)

    async def _log_in(self, payload: bytes) -> None:
        connections = self._runtime.connections
        try:
            secret = text_of(payload).strip()
            if not secret:
                raise Refused(CloseCode.LOG_IN, "the payload must be a token")
            if self._caller is None:
                client = await connections.connect(self._socket, secret=secret, entered=set())
                self._caller = Caller(self._runtime, client)
            else:
                await connections.log_in(self._caller.client, secret)
        except OperationError as error:
            self._socket.refuse(Opcode.LOG_IN, error)
        except Refused as refusal:
            self._socket.refuse(Opcode.LOG_IN, OperationError(refusal.text, code="log_in"))
        else:
            self._stop_login_timer()
            self._socket.reply(Opcode.LOG_IN, LoggedIn(self._caller.person.card))

    async def _answer(
        self, request: Request, caller: Caller, opcode: Opcode, payload: bytes, before: asyncio.Task[None] | None
    ) -> None:
        try:
            if before is not None and not request.beside:
                await asyncio.wait((before,))
            answer = await self._outcome(request, caller, payload)
            if before is not None:
                await asyncio.wait((before,))
            await self._socket.drained()
            if isinstance(answer, OperationError | RetryLater):
                self._socket.refuse(opcode, answer)
            elif answer is not None:
                self._socket.reply(opcode, answer)
        finally:
            self._slots.release()

    def _catch_up(self) -> None:
        if self._caller is not None:
            self._last[ROOMS] = self._socket.spawn(self._catch_up_after(self._caller, self._last.get(ROOMS)))

    async def _catch_up_after(self, caller: Caller, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait((before,))
        await catch_up(self._socket, caller)

    async def _outcome(self, request: Request, caller: Caller, payload: bytes) -> Any:
        try:
            async with asyncio.timeout(request.timeout):
                return await request.handle(self._socket, caller, payload)
        except (OperationError, RetryLater) as error:
            return error
        except TimeoutError:
            return WriterBusy()
        except Exception as error:
            return internal_error("a request of the push door", error)
