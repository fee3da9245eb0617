"""Calls an ASGI application as a server would."""

import asyncio


def run(application, headers=(), **scope):
    """Call an ASGI application with one connect event; returns what it sent."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(event):
        sent.append(event)

    asyncio.run(application({"type": "websocket", "headers": list(headers), **scope}, receive, send))
    return sent
