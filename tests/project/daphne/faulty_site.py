"""Applications that do what none should, under our server: `python -m tests.project.daphne.faulty_site`."""

import asyncio
import gc
import weakref
from typing import Any

from project.daphne.server import HubtalkServer


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/watched":
        # What `send` is bound to: the connection.
        weakref.finalize(send.args[0], print, "forgotten", flush=True)
    await FAULTS[scope["path"]](receive, send)


async def fail_amid_an_answer(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("amid an answer")


async def accept_what_was_not_offered(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "never-offered"})
    raise RuntimeError("after a bad accept")


async def fail_on_an_open_socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise RuntimeError("on an open socket")


async def return_without_closing(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})


async def answer(receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})


async def collect_regularly() -> None:
    """Let go of what only refers to itself."""
    while True:
        await asyncio.sleep(0.2)
        gc.collect()


async def never_end(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


tasks: list[asyncio.Task[None]] = []
FAULTS = {
    "/amid": fail_amid_an_answer,
    "/subprotocol": accept_what_was_not_offered,
    "/open": fail_on_an_open_socket,
    "/return": return_without_closing,
    "/watched": return_without_closing,
    "/never": never_end,
    "/well": answer,
}


async def start() -> None:
    """Nothing listens beside."""
    tasks.append(asyncio.create_task(collect_regularly()))


async def drain() -> None:
    """Takes for ever, as a disk that hangs would."""
    print("draining", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    HubtalkServer(
        application,
        host="127.0.0.1",
        port=0,
        max_message_bytes=1024,
        start=start,
        drain=drain,
        listening=lambda port: print(port, flush=True),
    ).run()
