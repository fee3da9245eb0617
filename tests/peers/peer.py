"""A peer in Python that others call through the site, and that calls them: the same as peer.js."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from rpc import Client, Handlers, OperationError, RequestFailed, connect

TEXT = "群发 🎉 \x00"


class Peer:
    """Connected under a name: `async with await Peer.arrive(url, name) as peer`."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self._changed = asyncio.Event()

    @classmethod
    async def arrive(cls, url: str, name: str, context: ssl.SSLContext | None = None) -> Client:
        """Raises what `connect` raises."""
        self = cls()
        client = await connect(url, handlers=self.handlers(), ssl=context)
        self.client = client
        await client.request("here-is", name)
        return client

    def handlers(self) -> Handlers:
        handlers = Handlers()

        @handlers.request("greet")
        async def greet(params: dict[str, str]) -> dict[str, str]:
            return {"greeting": f"Hello {params['name']}"}

        @handlers.notification("told")
        async def told(by: str) -> None:
            self.heard[by] += 1
            self._changed.set()

        @handlers.request("has-heard")
        async def has_heard(by: str) -> bool:
            return await self._until(lambda: self.heard.pop(by, 0))

        @handlers.request("refuse")
        async def refuse() -> None:
            raise OperationError("I am a teapot", "teapot", "pot")

        @handlers.request("never")
        async def never(by: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled[by] += 1
                self._changed.set()

        @handlers.request("was-cancelled")
        async def was_cancelled(by: str) -> bool:
            return await self._until(lambda: self.cancelled.pop(by, 0))

        @handlers.stream("totals")
        async def totals(parts: AsyncIterator[int]) -> AsyncIterator[int]:
            total = 0
            async for part in parts:
                if part < 0:
                    raise OperationError("below zero", "negative")
                total += part
                yield total

        @handlers.stream("endless")
        async def endless(parts: AsyncIterator[str]) -> AsyncIterator[int]:
            by = await anext(parts)
            try:
                number = 0
                while True:
                    yield number
                    number += 1
            finally:
                self.cancelled[by] += 1
                self._changed.set()

        @handlers.request("drive")
        async def drive(params: dict[str, str]) -> dict[str, Any]:
            return await self.drive(params["me"], params["to"])

        return handlers

    async def _until(self, condition: Any) -> bool:
        while not condition():
            self._changed.clear()
            await self._changed.wait()
        return True

    async def drive(self, me: str, to: str) -> dict[str, Any]:
        """Call the peer `to` in every way; returns what came of it."""
        call = self.client.request
        outcome: dict[str, Any] = {}
        outcome["request"] = await call("relay", {"to": to, "operation": "greet", "params": {"name": TEXT}})
        await call("relay-notification", {"to": to, "name": "told", "params": me})
        outcome["notification"] = await call("relay", {"to": to, "operation": "has-heard", "params": me})
        try:
            await call("relay", {"to": to, "operation": "refuse"})
        except RequestFailed as error:
            outcome["error"] = [error.text, error.code, error.field]
        waiting = asyncio.create_task(call("relay", {"to": to, "operation": "never", "params": me}))
        await call("relay", {"to": to, "operation": "greet", "params": {"name": ""}})
        waiting.cancel()
        outcome["cancel"] = await call("relay", {"to": to, "operation": "was-cancelled", "params": me})
        outcome["stream"] = await self.totals(to, [1, 2, 3])
        outcome["stream error"] = await self.totals(to, [1, -1])
        async with self.client.stream("relay-stream") as stream:
            await stream.send({"to": to, "operation": "endless"})
            await stream.send(me)
            outcome["left early"] = [await anext(stream) for _ in range(40)][-1]
        outcome["stream cancel"] = await call("relay", {"to": to, "operation": "was-cancelled", "params": me})
        return outcome

    async def totals(self, to: str, numbers: list[int]) -> list[Any]:
        results: list[Any] = []
        async with self.client.stream("relay-stream") as stream:
            await stream.send({"to": to, "operation": "totals"})
            for number in numbers:
                await stream.send(number)
            await stream.end()
            try:
                async for total in stream:
                    results.append(total)
            except RequestFailed as error:
                results.append(error.code)
        return results


EXPECTED = {
    "request": {"greeting": f"Hello {TEXT}"},
    "notification": True,
    "error": ["I am a teapot", "teapot", "pot"],
    "cancel": True,
    "stream": [1, 3, 6],
    "stream error": [1, "negative"],
    "left early": 39,
    "stream cancel": True,
}
"""What every peer reports of every other."""
