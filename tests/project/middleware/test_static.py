"""Static files: as ServeStatic answers, and without a thread for each."""

import asyncio
import threading

import pytest
from django.core.handlers.asgi import ASGIHandler

from project.middleware.threads import FewThreads
from tests.deadlines import DEADLINE
from tests.server import ROOT

PATH = "/static/chat/page.js"
FILE = ROOT / "chat/static/chat/page.js"
LARGE = "/static/admin/js/vendor/jquery/jquery.js"
"""More than a block."""


class Client:
    """Someone who asks, and who reads the answer only once they are told to."""

    def __init__(self, path, *, method="GET", **headers):
        sent = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers.items())]
        self.scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": sent}
        self.requests = [{"type": "http.request", "body": b"", "more_body": False}]
        self.reading = asyncio.Event()
        self.gone = asyncio.Event()
        self.body = b""

    async def receive(self):
        if self.requests:
            return self.requests.pop()
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event):
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in event["headers"]}
        else:
            self.body += event.get("body", b"")
            await self.reading.wait()


async def ask(application, client):
    async with asyncio.timeout(DEADLINE):
        await application(client.scope, client.receive, client.send)


def asked(path, **how):
    client = Client(path, **how)
    client.reading.set()
    asyncio.run(ask(ASGIHandler(), client))
    return client


@pytest.mark.parametrize("path", [PATH, LARGE])
def test_file_arrives_whole(path):
    """With its length and its type."""
    client = asked(path)
    assert (client.status, client.headers["content-type"]) == (200, 'text/javascript; charset="utf-8"')
    assert int(client.headers["content-length"]) == len(client.body) > 0
    if path == PATH:
        assert client.body == FILE.read_bytes()


def test_head_is_answered_without_the_file():
    """The same headers."""
    client = asked(PATH, method="HEAD")
    assert (client.status, client.body) == (200, b"")
    assert int(client.headers["content-length"]) == FILE.stat().st_size


def test_part_of_a_file():
    """Those bytes, and no others."""
    client = asked(PATH, range="bytes=3-9")
    assert (client.status, client.body) == (206, FILE.read_bytes()[3:10])


def test_file_that_the_browser_has():
    """304, so that it is not sent again."""
    etag = asked(PATH).headers["etag"]
    client = asked(PATH, **{"if-none-match": etag})
    assert (client.status, client.body) == (304, b"")


def test_readers_who_stop_hold_no_thread():
    """Twenty who take nothing of a file, beside one who does, on one thread."""
    before = set(threading.enumerate())

    async def scenario():
        application = FewThreads(ASGIHandler(), 1, None)
        stopped, reader = [Client(LARGE) for _ in range(20)], Client(LARGE)
        tasks = [asyncio.create_task(ask(application, client)) for client in stopped]
        reader.reading.set()
        await ask(application, reader)
        assert int(reader.headers["content-length"]) == len(reader.body)
        started = set(threading.enumerate()) - before
        assert [thread.name for thread in started] == ["web-0_0"]
        for client in stopped:
            client.gone.set()
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
