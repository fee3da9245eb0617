"""Static files: texts joined and gzipped, others as they are, before Django is asked."""

import asyncio
import gzip

import pytest
from django.templatetags.static import static

from project.assets.files import ASK_AGAIN, KEEP, StaticFiles
from project.assets.release import release
from tests.deadlines import DEADLINE

PATH = "/static/shop/look.css"
LOOK = b"a { color: red }\n" * 100
SCRIPT = "/static/shop/page.js"
PICTURE = "/static/shop/picture.png"
"""Not a text, and more than a block."""
PIXELS = bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def shop(tmp_path, settings):
    """The static files of an app."""
    (tmp_path / "look.css").write_bytes(LOOK)
    (tmp_path / "picture.png").write_bytes(PIXELS)
    (tmp_path / "page.js").write_text('import { tea } from "./tea.js";\nconsole.log(tea);\n')
    (tmp_path / "tea.js").write_text('export const tea = "tea";\n')
    settings.STATICFILES_DIRS = [("shop", tmp_path)]
    settings.JOINED_SCRIPTS = ("shop/page.js",)
    release.cache_clear()
    yield tmp_path
    release.cache_clear()


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


@pytest.mark.parametrize(
    ("path", "kind", "content"), [(PATH, "text/css; charset=utf-8", LOOK), (PICTURE, "image/png", PIXELS)]
)
def test_file_arrives_whole(path, kind, content):
    """With its length and its type."""
    client = asked(path)
    assert (client.status, client.headers["content-type"], client.body) == (200, kind, content)
    assert int(client.headers["content-length"]) == len(content)


@pytest.mark.parametrize(("path", "content"), [(PATH, LOOK), (PICTURE, PIXELS)])
def test_head_is_answered_without_the_file(path, content):
    """The same headers."""
    client = asked(path, method="HEAD")
    assert (client.status, client.body) == (200, b"")
    assert int(client.headers["content-length"]) == len(content)


@pytest.mark.parametrize("path", [PATH, PICTURE])
def test_nothing_is_posted_to_a_file(path):
    """It says what may be done."""
    client = asked(path, method="POST")
    assert (client.status, client.headers["allow"], client.body) == (405, "GET, HEAD", b"")


def test_part_of_a_file():
    """Those bytes, and no others."""
    client = asked(PICTURE, range="bytes=3-9")
    assert (client.status, client.body) == (206, PIXELS[3:10])


@pytest.mark.parametrize("path", [PATH, PICTURE])
def test_file_that_the_browser_has(path):
    """304, so that it is not sent again."""
    etag = asked(path).headers["etag"]
    client = asked(path, **{"if-none-match": etag})
    assert (client.status, client.body) == (304, b"")


def test_text_is_gzipped_for_who_takes_that():
    """With a tag of its own, for the bytes differ."""
    client, plain = asked(PATH, **{"accept-encoding": "gzip, br"}), asked(PATH)
    assert client.headers["content-encoding"] == "gzip"
    assert gzip.decompress(client.body) == LOOK
    assert int(client.headers["content-length"]) == len(client.body) < len(LOOK)
    assert client.headers["etag"] != plain.headers["etag"]
    assert client.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_script_of_a_page_comes_with_what_it_imports():
    """In one answer, in the order in which it runs."""
    body = asked(SCRIPT).body.decode()
    assert body.index('const tea = "tea";') < body.index("console.log(tea);")
    assert "import" not in body


def test_module_by_itself_stays_a_module():
    """Other modules may import it."""
    assert asked("/static/shop/tea.js").body == b'export const tea = "tea";\n'


@pytest.mark.parametrize("name", ["shop/look.css", "shop/picture.png"])
def test_address_in_a_page_names_the_release(name):
    """What is there never changes, so browsers keep it."""
    address = static(name)
    assert address == f"/static/{release()}/{name}"
    assert asked(address).headers["cache-control"] == KEEP
    assert asked(f"/static/{name}").headers["cache-control"] == ASK_AGAIN


def test_address_of_another_release():
    """A page of before the upgrade, or of a server that has it already, gets the file, but does not keep it."""
    client = asked("/static/0123456789abcdef/shop/look.css")
    assert (client.body, client.headers["cache-control"]) == (LOOK, ASK_AGAIN)


def test_release_changes_with_any_file(shop):
    """Also one that only another file names."""
    before = release()
    (shop / "tea.js").write_text('export const tea = "mint tea";\n')
    release.cache_clear()
    assert release() != before


@pytest.mark.filterwarnings("ignore:Django checks for ServeStatic")
def test_files_of_who_develops(settings, shop):
    """As they are now, module by module, under addresses without a release."""
    settings.DEBUG = True
    assert static("shop/look.css") == PATH
    assert asked(SCRIPT).body.startswith(b"import")
    (shop / "look.css").write_bytes(b"a {}")
    assert asked(PATH).body == b"a {}"


@pytest.mark.parametrize("path", ["/", "/static/", "/static/chat/nowhere.js", "/static/../manage.py"])
def test_what_is_no_file(path):
    """The application answers it."""
    assert asked(path).body == b"no file"


def test_file_below_the_path_of_a_proxy(settings):
    """Where the site is, and nowhere else."""
    settings.ROOT_PATH = "/talk"
    assert asked(f"/talk{PATH}", root_path="/talk").body == LOOK
    assert asked(f"/talks{PATH}", root_path="/talk").body == b"no file"


def test_file_comes_with_the_rules_of_every_answer():
    """Its kind is not guessed, a page that it is runs nothing inline, and pages elsewhere may load it."""
    headers = asked(PATH).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    policy = headers["content-security-policy"].split("; ")
    assert {"script-src 'self'", "connect-src 'self' ws://localhost"} <= set(policy)


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
        stopped, reader = [Client(PICTURE) for _ in range(20)], Client(PICTURE)
        tasks = [asyncio.create_task(ask(application, client)) for client in stopped]
        reader.reading.set()
        await ask(application, reader)
        assert int(reader.headers["content-length"]) == len(reader.body)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(scenario())
