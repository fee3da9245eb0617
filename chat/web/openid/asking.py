"""
Requests to the provider: few at a time, each bounded in time and in what is read of its answer.

A page holds its thread while it is made, so the provider must not decide how long, nor for how many. The requests
themselves run on the loop, where one deadline ends them wherever they are: at a name, a handshake or a trickle.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from threading import BoundedSemaphore
from typing import Any, TypeVar

import httpx
import msgspec
from asgiref.sync import async_to_sync

from rpc import RetryLater

T = TypeVar("T")

AT_ONCE = 3
"""Of the threads for pages, which are eight unless set."""
DEADLINE_SECONDS = 5.0
"""For all that one page asks the provider."""
MAX_BYTES = 256 * 1024
"""Of an answer; the keys of large providers have some 20 KB."""
RETRY_MS = 2000

_running = BoundedSemaphore(AT_ONCE)


class ProviderFails(Exception):
    """The provider cannot be reached, is too slow, refuses what we ask, or answers what makes no sense."""


def ask(question: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    """
    Let a coroutine ask the provider; to be called in the thread of a page.

    Raises:
        RetryLater: `busy`, `AT_ONCE` other pages wait for it.
        ProviderFails: and whatever else the coroutine raises.
    """
    if not _running.acquire(blocking=False):
        raise RetryLater(RETRY_MS, "too many people log in at this moment", code="busy")
    try:
        return async_to_sync(_asked)(question, _trusted())
    finally:
        _running.release()


async def fetch(client: httpx.AsyncClient, method: str, url: str, shape: type[T], **more: Any) -> T:
    """
    Ask for JSON of a shape.

    Raises:
        ProviderFails: another status than 200, too much, or another shape; redirects are not followed.
    """
    async with client.stream(method, url, **more) as response:
        if response.status_code != httpx.codes.OK:
            raise ProviderFails(f"{url} answered {response.status_code}")
        body = bytearray()
        # As it came: a few bytes that were compressed could become any number.
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise ProviderFails(f"{url} answered more than {MAX_BYTES} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=shape)
    except msgspec.MsgspecError as error:
        raise ProviderFails(f"{url} answered what makes no sense: {error}") from error


async def _asked(question: Callable[[httpx.AsyncClient], Awaitable[T]], trusted: ssl.SSLContext) -> T:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    # Nothing but the settings has a say: no proxy, no password in a file of the account that runs the server.
    options: dict[str, Any] = {"verify": trusted, "trust_env": False, "timeout": DEADLINE_SECONDS}
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), httpx.AsyncClient(headers=headers, **options) as client:
            return await question(client)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise ProviderFails(f"{type(error).__name__}: {error}") from error


@cache
def _trusted() -> ssl.SSLContext:
    """The system's authorities, and those of `SSL_CERT_FILE`; read once, in a thread."""
    return ssl.create_default_context()
