"""Which threads run the sync code of Django: a few that stay, whatever the number of requests."""

from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter

from asgiref.sync import ThreadSensitiveContext
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

MAX_REQUESTS = 1000
"""Under way at the same time; the next one is told to come back."""


class _Thread(ThreadPoolExecutor):
    """One thread, and with it one connection to the database."""

    def __init__(self, number: int) -> None:
        super().__init__(1, thread_name_prefix=f"web-{number}")
        self.requests = 0
        """Those under way that are bound to it."""


class FewThreads:
    """
    Binds each request to one of `count` threads, the one with the fewest requests, for as long as it lasts.

    Sync views, middleware and signals of a request then run on that thread, one at a time. Django asks for one
    thread, to which its connections to the database belong; without this, asgiref starts one for every request.
    Requests share a thread and do not hold it, because one may wait for long without running sync code: for the
    writer, or for a client that reads slowly.

    Args:
        busy: answers in place of the application when `MAX_REQUESTS` are under way.
    """

    def __init__(self, application: ASGI3Application, count: int, busy: ASGI3Application) -> None:
        self._application = application
        self._busy = busy
        self._threads = [_Thread(number) for number in range(count)]

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if sum(thread.requests for thread in self._threads) >= MAX_REQUESTS:
            await self._busy(scope, receive, send)
            return
        thread = min(self._threads, key=attrgetter("requests"))
        thread.requests += 1
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            thread.requests -= 1
