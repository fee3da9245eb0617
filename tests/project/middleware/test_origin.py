"""Which pages may open a WebSocket here."""

import pytest

from project.middleware.origin import CheckOrigin, origin_allowed
from tests.project.asgi import run


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.ALLOWED_HOSTS = ["chat.example.org", "127.0.0.1", "[::1]"]
    settings.ALLOWED_ORIGINS = []
    settings.HTTPS = False


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://chat.example.org", "chat.example.org"),
        ("http://chat.example.org:80", "chat.example.org"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("HTTP://CHAT.example.org", "chat.example.org"),
    ],
)
def test_own_page_may_connect(origin, host):
    """The default is the page's own host, whatever port it is served on."""
    assert origin_allowed(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "https://chat.example.org",
        "http://chat.example.org:8000",
        "http://evil.example",
        "http://chat.example.org.evil.example",
        "http://chat.example.org@evil.example",
        "http://user@chat.example.org",
        "http://chat.example.org:port",
        "http://chat.example.org:99999",
        "http://chat.example.org/path",
        "ftp://chat.example.org",
        "null",
        "",
        "//chat.example.org",
        "http://",
        "http://[::1",
    ],
)
def test_page_elsewhere_may_not_connect(origin):
    """Scheme, host and port count; what cannot be read is refused, never an error."""
    assert not origin_allowed(origin, "chat.example.org")


def test_host_that_is_not_ours_vouches_for_nothing():
    """A forged Host header does not make a forged Origin ours."""
    assert not origin_allowed("http://evil.example", "evil.example")


def test_listed_origins_replace_the_default(settings):
    """An exact list, for pages on other hosts; the own host counts only if listed."""
    settings.ALLOWED_ORIGINS = ["https://app.example.org"]
    assert origin_allowed("https://app.example.org", "chat.example.org")
    assert origin_allowed("https://app.example.org:443", "chat.example.org")
    assert not origin_allowed("https://app.example.org:8443", "chat.example.org")
    assert not origin_allowed("http://chat.example.org", "chat.example.org")


def test_own_page_behind_https_is_https(settings):
    """Where people come over https a plain page is another origin."""
    settings.HTTPS = True
    assert origin_allowed("https://chat.example.org", "chat.example.org")
    assert not origin_allowed("http://chat.example.org", "chat.example.org")


def test_program_without_an_origin_comes_in_without_its_cookies():
    """Only a browser's page is held to its Origin, so only with one do cookies count."""
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["headers"])

    run(CheckOrigin(application), [(b"host", b"127.0.0.1"), (b"cookie", b"hubtalk=secret")])
    run(CheckOrigin(application), [(b"host", b"127.0.0.1"), (b"cookie", b"c"), (b"origin", b"http://127.0.0.1")])
    assert seen[0] == [(b"host", b"127.0.0.1")]
    assert (b"cookie", b"c") in seen[1]


@pytest.mark.parametrize("origins", [[], ["https://app.example.org"]])
def test_program_with_a_token_comes_in_by_any_name(origins, settings):
    """No page can send a bearer token with a WebSocket, so the Origin does not matter; and cookies do not count."""
    settings.ALLOWED_ORIGINS = origins
    seen = []

    async def application(scope, receive, send):
        seen.append(scope["headers"])

    own = [(b"host", b"10.0.0.5:8000"), (b"origin", b"http://10.0.0.5:8000"), (b"authorization", b"Bearer x")]
    run(CheckOrigin(application), [*own, (b"cookie", b"hubtalk=secret")])
    assert seen == [own]


def test_password_is_no_token():
    """A browser sends those of HTTP's own login by itself, also for a page elsewhere."""
    headers = [(b"host", b"127.0.0.1"), (b"origin", b"http://evil.example"), (b"authorization", b"Basic eDp5")]
    assert run(CheckOrigin(None), headers) == [{"type": "websocket.close", "code": 4403}]


def test_page_elsewhere_is_refused_before_it_is_accepted():
    """A close before the accept is an HTTP 403."""
    sent = run(CheckOrigin(None), [(b"host", b"127.0.0.1"), (b"origin", b"http://evil.example")])
    assert sent == [{"type": "websocket.close", "code": 4403}]
