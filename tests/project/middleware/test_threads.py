"""Requests share a few threads: none starts one, and none has to wait for another that only waits."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from project.middleware import threads
from project.middleware.threads import FewThreads
from tests.deadlines import DEADLINE

SCOPE = {"type": "http", "path": "/"}


async def busy(scope, receive, send):
    await send({"type": "http.response.start", "status": 503, "headers": []})


class Request:
    """One request: which threads its sync code ran on, and what was answered."""

    def __init__(self, application):
        self.application = application
        self.ran_on = []
        self.answer = []

    async def run(self):
        await self.application(SCOPE | {"request": self}, self.receive, self.send)

    async def receive(self):
        return {"type": "http.request"}

    async def send(self, event):
        self.answer.append(event)


async def three_steps(scope, receive, send):
    """Sync code, and others that come between."""
    for _ in range(3):
        scope["request"].ran_on.append(await sync_to_async(threading.get_ident)())
        await asyncio.sleep(0)


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario, DEADLINE))


def test_requests_at_once_run_on_few_threads():
    """However many come, all of the threads are used and no other."""
    requests = [Request(FewThreads(three_steps, 3, busy))]
    requests += [Request(requests[0].application) for _ in range(49)]

    async def scenario():
        await asyncio.gather(*(request.run() for request in requests))

    run(scenario())
    assert len({thread for request in requests for thread in request.ran_on}) == 3


def test_sync_code_of_a_request_stays_on_one_thread():
    """As Django asks for: its connections to the database belong to a thread."""
    application = FewThreads(three_steps, 3, busy)
    requests = [Request(application) for _ in range(20)]

    async def scenario():
        await asyncio.gather(*(request.run() for request in requests))

    run(scenario())
    assert [len(request.ran_on) for request in requests] == 20 * [3]
    assert [len(set(request.ran_on)) for request in requests] == 20 * [1]


def test_request_that_waits_holds_no_thread():
    """Someone who reads slowly, or a view that waits, does not keep others from the only thread."""
    go_on = asyncio.Event()

    async def waits_first(scope, receive, send):
        await sync_to_async(threading.get_ident)()
        await go_on.wait()

    async def scenario():
        few = FewThreads(lambda scope, receive, send: scope["view"](scope, receive, send), 1, busy)
        waiting, other = Request(few), Request(few)
        task = asyncio.create_task(few(SCOPE | {"view": waits_first}, waiting.receive, waiting.send))
        await few(SCOPE | {"view": three_steps, "request": other}, other.receive, other.send)
        assert len(other.ran_on) == 3
        go_on.set()
        await task

    run(scenario())


def test_request_takes_the_thread_with_the_fewest():
    """Sync code that takes long delays nobody while another thread is free."""
    slow = threading.Event()

    async def blocks(scope, receive, send):
        await sync_to_async(slow.wait)(DEADLINE)

    async def scenario():
        few = FewThreads(lambda scope, receive, send: scope["view"](scope, receive, send), 2, busy)
        blocked = Request(few)
        task = asyncio.create_task(few(SCOPE | {"view": blocks}, blocked.receive, blocked.send))
        for _ in range(10):
            other = Request(few)
            await few(SCOPE | {"view": three_steps, "request": other}, other.receive, other.send)
        slow.set()
        await task

    run(scenario())


def test_request_beyond_the_most_is_told_to_come_back(monkeypatch):
    """A place that is free again is given to the next one."""
    monkeypatch.setattr(threads, "MAX_REQUESTS", 2)
    go_on = asyncio.Event()

    async def wait(scope, receive, send):
        await go_on.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def scenario():
        few = FewThreads(wait, 1, busy)
        under_way = [Request(few) for _ in range(2)]
        tasks = [asyncio.create_task(request.run()) for request in under_way]
        await asyncio.sleep(0)
        refused, later = Request(few), Request(few)
        await refused.run()
        assert [event["status"] for event in refused.answer] == [503]
        go_on.set()
        await asyncio.gather(*tasks)
        await later.run()
        assert [event["status"] for request in (*under_way, later) for event in request.answer] == 3 * [200]

    run(scenario())


@pytest.mark.parametrize("ending", [RuntimeError, asyncio.CancelledError])
def test_request_that_fails_gives_its_place_back(monkeypatch, ending):
    """However it ends."""
    monkeypatch.setattr(threads, "MAX_REQUESTS", 1)
    endings = [ending, None]

    async def fail_once(scope, receive, send):
        if error := endings.pop(0):
            raise error
        await three_steps(scope, receive, send)

    async def scenario():
        request = Request(FewThreads(fail_once, 1, busy))
        with pytest.raises(ending):
            await request.run()
        await request.run()
        assert len(request.ran_on) == 3

    run(scenario())
