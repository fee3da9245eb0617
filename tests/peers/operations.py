"""What the site of these tests answers: the operations of tests/js/behaviours.js, and a relay between peers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from rpc import Handlers, OperationError, Peer, RequestFailed, RetryLater

handlers = Handlers()
present: dict[str, Peer] = {}
"""Peers by the name under which they are here."""
busy_once: set[str] = set()


# --- behaviours --------------------------------------------------------------------------------------------


@handlers.request("echo", inline=True)
def echo(payload: bytes) -> bytes:
    return payload


class Failure(msgspec.Struct):
    text: str
    code: str = "failed"
    field: str | None = None


@handlers.request("fail", inline=True)
def fail(params: Failure) -> None:
    raise OperationError(params.text, params.code, params.field)


@handlers.request("hang")
async def hang() -> None:
    await asyncio.Event().wait()


@handlers.request("busy-once", inline=True)
def answer_later(params: dict[str, str]) -> str:
    if params["key"] not in busy_once:
        busy_once.add(params["key"])
        raise RetryLater(250, "busy", "busy")
    return "done"


@handlers.stream("sum")
async def sum_(parts: AsyncIterator[int]) -> AsyncIterator[int]:
    total = 0
    async for part in parts:
        total += part
        yield total


@handlers.stream("echo-parts")
async def echo_parts(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part


@handlers.stream("count")
async def count(parts: AsyncIterator[dict[str, int]]) -> AsyncIterator[int]:
    async for part in parts:
        for number in range(1, part["to"] + 1):
            yield number


@handlers.stream("take-two")
async def take_two(parts: AsyncIterator[Any]) -> list[Any]:
    return [await anext(parts), await anext(parts)]


@handlers.stream("fail-midway")
async def fail_midway(parts: AsyncIterator[Any]) -> AsyncIterator[int]:
    yield 1
    raise OperationError("enough", "midway")


@handlers.stream("never")
async def never(peer: Peer, parts: AsyncIterator[Any]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        peer.data = "cancelled"


@handlers.request("was-cancelled", inline=True)
def was_cancelled(peer: Peer) -> bool:
    return peer.data == "cancelled"


class Call(msgspec.Struct):
    operation: str
    params: Any = None
    to: str = ""


@handlers.request("call-me")
async def call_me(peer: Peer, params: Call) -> Any:
    return await peer.request(params.operation, params.params)


class Parts(msgspec.Struct):
    operation: str
    parts: list[Any]


@handlers.request("stream-me")
async def stream_me(peer: Peer, params: Parts) -> list[Any]:
    async with peer.stream(params.operation) as stream, asyncio.TaskGroup() as sending:

        async def send() -> None:
            for part in params.parts:
                await stream.send(part)
            await stream.end()

        sending.create_task(send())
        return [part async for part in stream]


class Told(msgspec.Struct):
    name: str
    params: Any = None
    to: str = ""


@handlers.request("notify-me", inline=True)
def notify_me(peer: Peer, params: Told) -> None:
    peer.notify(params.name, params.params)


# --- the relay ---------------------------------------------------------------------------------------------


@handlers.request("here-is", inline=True)
def here_is(peer: Peer, name: str) -> None:
    present[name] = peer


@handlers.closed
async def left(peer: Peer) -> None:
    for name in [name for name, each in present.items() if each is peer]:
        del present[name]


@handlers.request("who", inline=True)
def who() -> list[str]:
    return sorted(present)


@handlers.request("relay")
async def relay(params: Call) -> Any:
    try:
        return await present[params.to].request(params.operation, params.params)
    except RequestFailed as failure:
        raise OperationError(failure.text, failure.code or "failed", failure.field) from None


@handlers.request("relay-notification", inline=True)
def relay_notification(params: Told) -> None:
    present[params.to].notify(params.name, params.params)


@handlers.stream("relay-stream")
async def relay_stream(parts: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The first part says to whom and what; what follows goes there, and its results come back."""
    call = msgspec.convert(await anext(parts), Call)
    async with present[call.to].stream(call.operation) as stream:

        async def forward() -> None:
            async for part in parts:
                await stream.send(part)
            await stream.end()

        forwarding = asyncio.create_task(forward())
        try:
            async for result in stream:
                yield result
        except RequestFailed as failure:
            raise OperationError(failure.text, failure.code or "failed", failure.field) from None
        finally:
            forwarding.cancel()
            await asyncio.gather(forwarding, return_exceptions=True)
