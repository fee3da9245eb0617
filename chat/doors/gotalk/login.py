"""Whose a gotalk connection is: its hooks, which let people in, and the operation `login`."""

import asyncio

import msgspec

from chat.actions.caller import Caller
from chat.actions.people import WhoAmI, who_am_i
from chat.actions.roles import Verb
from chat.doors.gotalk.caller import caller_of
from chat.doors.gotalk.wire import GOTALK, GotalkLink
from chat.queries.tokens import RPC, bearer_of
from chat.realtime import runtime
from rpc import CloseCode, OperationError, Peer, Refused
from rpc import default_handlers as handlers

LOGIN_TIMEOUT = 5.0
"""Seconds for a connection that shows no token to say whose it is, where guests are not allowed."""


@handlers.opened
async def opened(peer: Peer) -> None:
    running = await runtime.start()
    try:
        _let_in(peer, Caller(running, await running.connections.connect(GotalkLink(peer), needs=RPC)))
    except Refused as refusal:
        if refusal.close_code != CloseCode.LOG_IN or bearer_of(peer.scope) is not None:
            raise
        peer.data = UnauthenticatedPeer(peer, refusal)


@handlers.missed
def missed(peer: Peer) -> None:
    """The peer reads again: it learns that something was left out, and by its rooms what to ask for."""
    if isinstance(peer.data, Caller):
        person = peer.data.person
        peer.send(GOTALK.missed())
        peer.send(GOTALK.name(person.identity.name))
        if peer.data.client.may_read:
            peer.send(GOTALK.rooms(person, peer.data.runtime.directory))


@handlers.closed
async def closed(peer: Peer) -> None:
    if isinstance(peer.data, Caller):
        await peer.data.runtime.connections.disconnect(peer.data.client)
    elif isinstance(peer.data, UnauthenticatedPeer):
        peer.data.stop()


def _let_in(peer: Peer, caller: Caller) -> None:
    peer.data = caller
    peer.admitted = True


class UnauthenticatedPeer:
    """It shows no token, as a page and a byte stream cannot, and may not be a guest: it logs in, or is closed."""

    def __init__(self, peer: Peer, refusal: Refused) -> None:
        self._peer = peer
        self._refusal = refusal
        self.logs_in = False
        self._wait()

    def stop(self) -> None:
        self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOGIN_TIMEOUT, self._reject)

    def _reject(self) -> None:
        if self.logs_in:
            self._wait()
        else:
            self._peer.close(self._refusal.close_code, self._refusal.text)


@handlers.request("whoami", requires=Verb.LIST.scopes)
async def whoami(peer: Peer) -> WhoAmI:
    """Who you are here, and what you may do."""
    return who_am_i(caller_of(peer))


class Login(msgspec.Struct):
    token: str


@handlers.request("login", public=True)
async def login(peer: Peer, params: str | Login) -> WhoAmI:
    """Log in: the connection belongs to the token's person from now on."""
    secret = params if isinstance(params, str) else params.token
    try:
        if isinstance(peer.data, UnauthenticatedPeer):
            await _enter(peer, peer.data, secret)
        else:
            caller: Caller = peer.data
            await caller.runtime.connections.log_in(caller.client, secret, needs=RPC)
    except Refused as refusal:
        raise OperationError(refusal.text, code="log_in") from None
    return who_am_i(caller_of(peer))


async def _enter(peer: Peer, unauthenticated: UnauthenticatedPeer, secret: str) -> None:
    if unauthenticated.logs_in:
        raise OperationError("one login at a time", code="log_in")
    unauthenticated.logs_in = True
    try:
        running = await runtime.start()
        client = await running.connections.connect(GotalkLink(peer), secret=secret, needs=RPC)
    finally:
        unauthenticated.logs_in = False
    unauthenticated.stop()
    _let_in(peer, Caller(running, client))
