"""What the chat's operations do not: they stream, ask the client back, hang, and tell what is left of clients."""

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator

import msgspec

from chat.doors.socket import DoorSocket
from project.daphne.http import HubtalkChannel
from project.daphne.protocols import HubtalkWebSocket
from rpc import OperationError, Peer, RpcError
from rpc import default_handlers as handlers


@handlers.request("hang")
async def hang() -> None:
    """Nothing, until it is cancelled."""
    await asyncio.Event().wait()


@handlers.stream("mirror")
async def mirror(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Each part back."""
    async for part in parts:
        yield part


@handlers.stream("measure")
async def measure(parts: AsyncIterator[bytes]) -> list[int]:
    """The sizes of all parts."""
    return [len(part) async for part in parts]


@handlers.stream("take-one")
async def take_one(parts: AsyncIterator[bytes]) -> int:
    """The size of the first part, whatever follows."""
    return len(await anext(parts))


@handlers.stream("fail-midway")
async def fail_midway(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """One part, then an error."""
    yield b"one"
    raise OperationError("enough", "midway")


class Ask(msgspec.Struct):
    operation: str
    size: int
    timeout: float


@handlers.request("ask-me")
async def ask_me(peer: Peer, params: Ask) -> int:
    """Ask the client, twice if it wants that, and say how long its answer is."""
    payload = bytes(params.size)
    try:
        return len(await peer.request(params.operation, payload, bytes, timeout=params.timeout, retries=1))
    except RpcError:
        raise OperationError("the client did not answer", "unanswered") from None


class StreamTo(msgspec.Struct):
    operation: str
    sizes: list[int]


@handlers.request("stream-to-me")
async def stream_to_me(peer: Peer, params: StreamTo) -> list[int]:
    """Send parts of these sizes to the client, and say how long those of its answer are."""
    try:
        async with peer.stream(params.operation, result_type=bytes) as stream, asyncio.TaskGroup() as group:

            async def send() -> None:
                for size in params.sizes:
                    await stream.send(bytes(size))
                await stream.end()

            group.create_task(send())
            return [len(part) async for part in stream]
    except* RpcError:
        raise OperationError("the client did not answer", "unanswered") from None


@handlers.request("left", inline=True)
def left() -> dict[str, int]:
    """What the process still has of clients, the one that asks included: objects, and tasks by what they run."""
    gc.collect()
    kinds = (Peer, DoorSocket, HubtalkWebSocket, HubtalkChannel)
    # `isinstance` would ask lazy objects for what they stand for, and fail where that is gone or in the database.
    objects = Counter(kind.__name__ for each in gc.get_objects() for kind in kinds if issubclass(type(each), kind))
    return objects + Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())
