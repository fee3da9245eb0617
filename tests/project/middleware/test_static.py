"""Static files: as ServeStatic answers, before Django is asked."""

import asyncio

import pytest

from project.middleware.static import StaticFiles
from tests.deadlines import DEADLINE
from tests.server import ROOT

PATH = "/static/chat/page.js"
FILE = ROOT / "chat/static/chat/page.js"
LARGE = "/static/admin/js/vendor/jquery/jquery.js"
"""More than a block."""


class Client:
    """Someone who asks, and who reads the answer only once they are told to."""

    def __init__(self, path, *, method="GET", root_path="", **headers):
        sent = [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()]
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": root_path,
            "query_string": b"",
            "headers": sent,
        }
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


async def elsewhere(scope, receive, send):
    """The application behind the files."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"no file"})


def asked(path, **how):
    client = Client(path, **how)
    client.reading.set()
    asyncio.run(ask(StaticFiles(elsewhere), client))
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


@pytest.mark.parametrize("path", ["/", "/static/", "/static/chat/nowhere.js", "/static/../manage.py"])
def test_what_is_no_file(path):
    """The application answers it."""
    assert asked(path).body == b"no file"


def test_file_below_the_path_of_a_proxy(settings):
    """Where the site is, and nowhere else."""
    settings.ROOT_PATH = "/talk"
    assert asked(f"/talk{PATH}", root_path="/talk").body == FILE.read_bytes()
    assert asked(f"/talks{PATH}", root_path="/talk").body == b"no file"


def test_file_comes_with_the_rules_of_every_answer():
    """Its kind is not guessed, a page that it is runs nothing inline, and pages elsewhere may load it."""
    headers = asked(PATH).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "script-src 'self';" in headers["content-security-policy"]
    assert "connect-src 'self' ws://localhost;" in headers["content-security-policy"]


def test_file_of_a_site_that_is_reached_over_https(settings):
    """Whoever asks over http is led there, to a name of the site."""
    settings.SECURE_SSL_REDIRECT = True
    client = asked(PATH)
    assert (client.status, client.headers["location"]) == (301, f"https://localhost{PATH}")
    assert asked(PATH, host="evil.example").body == b"no file"


def test_readers_who_stop_hold_up_nobody():
    """Twenty who take nothing of a file, beside one who does; what they had opened is closed when they are gone."""

    async def scenario():
        application = StaticFiles(elsewhere)
        stopped, reader = [Client(LARGE) for _ in range(20)], Client(LARGE)
        tasks = [asyncio.create_task(ask(application, client)) for client in stopped]
        reader.reading.set()
        await ask(application, reader)
        assert int(reader.headers["content-length"]) == len(reader.body)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())
