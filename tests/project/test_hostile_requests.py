"""Whatever stands in a request, for whatever the site serves: no answer is 500, and the log has no error."""

import re
import socket

import pytest
from django.urls import URLResolver, get_resolver

from project.routing import DOORS
from tests.deadlines import DEADLINE
from tests.server import Server

HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"
UPGRADE = (
    b"Host: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)

PARTS = (
    *("x", "0", "-1", "9" * 30, "..", "%2e%2e%2f", "%", "%zz", "%00", "%0a", "%ff", "%ed%a0%80", "%e2%80%ae"),
    *("%f0%9f%98%80", "x" * 3000),
)
"""Of a path, in the place of what a route wants there."""
QUERIES = (
    *("?", "?%", "?a=%zz", "?a=%ff", "?a=%ed%a0%80", "?%00=%00", "?next=%00&invitation=%00", "?" + "a&" * 2000),
    *("?since=1e400&heartbeat=NaN&limit=9" + "9" * 400, "?name=%00&names=%ff&format=%00", "?q=%00&o=9" + "9" * 30),
)
HEADERS = (
    b"Accept: \xff",
    b"Accept-Encoding: gzip;q=\xff",
    b"Accept-Language: \xff,*;q=x",
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: \xff",
    b"Cookie: \xff=\xff",
    b"Cookie: hubtalk=\xff; sessionid=%00",
    b"Cookie: hubtalk=" + b"x" * 8000,
    b"Cookie: ;;=;",
    b"Daphne-Root-Path: /\xff%00",
    b"If-Modified-Since: \xff",
    b"If-None-Match: \xff",
    b"Origin: \xff",
    b"Origin: http://[::1",
    b"Origin: http://a:99999999",
    b"Range: bytes=9-1",
    b"Referer: \xff",
    b"Sec-WebSocket-Extensions: \xff",
    b"Sec-WebSocket-Protocol: \xff",
    b"X-CSRFToken: \xff",
    b"X-Forwarded-For: \xff",
    b"X-Forwarded-Proto: \xff",
    b"X_Y: 1",
)
BAD_HOSTS = (b"Host: \xff", b"Host: a b", b"Host: evil.example", b"Host:", b"Host: [::1", b"Host: a\r\nHost: b")
BODIES = (b"{", b"\xff", b"[" * 10_000, b"a=%FF&b=%00", b"1" + b"0" * 400, b"a&" * 5000)
KINDS = (
    b"application/json; charset=utf-7",
    b"application/x-www-form-urlencoded; charset=\xff",
    b"multipart/form-data; boundary=x",
    b"multipart/form-data",
    b"\xff/\xff",
)


def routes(resolver=None, prefix=""):
    """The path of every view, with `{}` for what it wants there."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + re.sub(r"<[^>]+>|\(\?P<\w+>[^)]+\)|\.\+", "{}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, path)
        else:
            yield "/" + path.replace("(?:/|\\Z)", "").translate({ord(char): None for char in "^$\\"})


OWN_ROUTES = {re.sub(r"/admin/chat/\w+/", "/admin/chat/user/", route) for route in routes()}
"""The admin has the same for each table, and none of them for a visitor."""
ROUTES = sorted(OWN_ROUTES | {"/static/{}", "/nowhere"})
SOCKETS = [re.sub(r"\(\?P<\w+>[^)]+\)", "{}", str(door.pattern)).strip("^$").rstrip("/?") for door in DOORS]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One site for all of these tests: the last one reads its log."""
    environment = {"RATE_LIMITS": "off", "METRICS_TOKEN": "figures", "LOG_LEVEL": "INFO"}
    with Server(tmp_path_factory.mktemp("site") / "data", environment=environment) as server:
        yield server


@pytest.fixture
def ask(site):
    """Sends a request's bytes as they are; returns the status of the answer."""

    def ask(line, head, body=b""):
        with socket.create_connection(("127.0.0.1", site.port), timeout=DEADLINE) as connection:
            connection.sendall(line + b" HTTP/1.1\r\n" + head + b"\r\n" + body)
            answer = b""
            while b"\r\n" not in answer and (data := connection.recv(4096)):
                answer += data
        return int(answer[9:12] or 0)

    return ask


def wrong(answers):
    return [(*request, status) for request, status in answers if not 200 <= status < 500 and status != 101]


def test_paths(ask):
    """Also with what a route cannot take in the place of its own."""
    answers = []
    for route in ROUTES:
        for part in PARTS if "{}" in route else ("",):
            path = route.replace("{}", part).encode()
            answers.append(((path[:60],), ask(b"GET " + path, HOST)))
    assert wrong(answers) == []


def test_methods(ask):
    """Those that a route does not know, too."""
    answers = []
    for route in ROUTES:
        path = route.replace("{}", "1").encode()
        for method in (b"POST", b"PUT", b"OPTIONS", b"PROPFIND"):
            answers.append(((method, path), ask(method + b" " + path, HOST + b"Content-Length: 0\r\n")))
    assert wrong(answers) == []


def test_query_strings(ask):
    """Whoever reads the query, or does not."""
    answers = []
    for route in ROUTES:
        for query in QUERIES:
            line = f"GET {route.replace('{}', '1')}{query}".encode()
            answers.append(((line[:70],), ask(line, HOST)))
    assert wrong(answers) == []


PAGES = [
    "/",
    "/accounts/login/",
    "/admin/login/",
    "/api/push",
    "/gotalk/gotalk.js",
    "/healthz",
    "/static/chat/page.js",
]


@pytest.mark.parametrize("path", PAGES)
def test_headers(ask, path):
    """Each by itself."""
    line = f"GET {path}".encode()
    answers = [((header[:40],), ask(line, HOST + header + b"\r\n")) for header in HEADERS]
    answers += [((header,), ask(line, b"Connection: close\r\n" + header + b"\r\n")) for header in BAD_HOSTS]
    assert wrong(answers) == []


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/signup/", "/admin/login/", "/api/push", "/settings/"]
)
def test_bodies(ask, path):
    """Of whatever kind they say that they are."""
    answers = []
    for kind in KINDS:
        for body in BODIES:
            head = b"%bContent-Type: %b\r\nContent-Length: %d\r\n" % (HOST, kind, len(body))
            answers.append(((kind, body[:20]), ask(f"POST {path}".encode(), head, body)))
    assert wrong(answers) == []


def test_handshakes(ask):
    """Of each door: it lets the client in, perhaps to say why not, or it refuses."""
    answers = []
    for door in SOCKETS:
        paths = [f"/{door.replace('{}', part)}" for part in (PARTS if "{}" in door else ("",))]
        for address in (*paths, *(paths[0] + query for query in QUERIES)):
            line = f"GET {address}".encode()
            answers.append(((line[:70],), ask(line, UPGRADE)))
        for header in HEADERS:
            answers.append(((door, header[:40]), ask(f"GET {paths[0]}".encode(), UPGRADE + header + b"\r\n")))
    assert 101 in {status for _, status in answers}
    assert wrong(answers) == []


def test_host_that_is_not_ours_is_a_line_in_the_log(site, ask):
    """The operator may have forgotten it; there is nothing to find out from a traceback."""
    assert ask(b"GET /", b"Host: forgotten.example\r\nConnection: close\r\n") == 400
    site.says("INFO django.security.DisallowedHost: Invalid HTTP_HOST header: 'forgotten.example'")


def test_form_without_its_token_leaves_no_path_in_the_log(site, ask):
    """One of the paths is the link that makes an admin."""
    path = re.sub(r"^http://[^/]+", "", site.setup_url)
    assert ask(f"POST {path}".encode(), HOST + b"Content-Length: 0\r\n") == 403
    assert ask(b"GET /", b"Host: after.it.example\r\nConnection: close\r\n") == 400
    site.says("after.it.example")
    assert [line for line in site.output if path in line and site.setup_url not in line] == []


def test_nothing_of_all_this_is_an_error_in_the_log(site):
    """A client's mistake is not the operator's: this runs when the others have."""
    assert site.stop() == 0
    site.kill()  # and read its output to the end
    assert [line for line in site.output if re.search(r"ERROR|CRITICAL|Traceback", line)] == []
