"""The site behind a real nginx with `deploy/nginx.conf`."""

import asyncio
import re
import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect

from tests.deadlines import DEADLINE
from tests.gotalk_client import Client
from tests.ports import wait_until
from tests.proxy.client import Browser
from tests.proxy.conftest import PASSWORD
from tests.proxy.nginx import CONFIGURATION
from tests.server import ROOT

pytestmark = pytest.mark.nginx

JSON = {"Content-Type": "application/json"}
PUSH = b'{"user": "alice", "opcode": 1200, "payload": "hello"}'
MAX_FAILURES = 10
"""Wrong passwords until a name has to wait."""


# --- pages and sockets -------------------------------------------------------------------------------------


def test_plain_http_leads_to_https(root_site):
    """With the path and the query that were asked for."""
    answer = Browser(f"http://127.0.0.1:{root_site.nginx.http_port}").get("/console/?door=gotalk")
    assert (answer.status, answer.headers["Location"]) == (308, "https://127.0.0.1/console/?door=gotalk")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "chat/page.js"),
        ("/gotalk/gotalk.js", "gotalk"),
        ("/static/chat/page.js", "makeApp"),
        ("/accounts/login/", "csrfmiddlewaretoken"),
        ("/jsi18n/", "gettext"),
        ("/healthz", "ok"),
    ],
)
def test_page(site, path, words):
    """Pages, scripts and style sheets."""
    answer = Browser(site.url).get(path)
    assert answer.status == 200
    assert words in answer.text


def test_every_address_in_the_page_leads_somewhere(site):
    """Also under a path: nothing points past it."""
    browser = Browser(site.url)
    addresses = set(re.findall(r'(?:src|href|action)="(/[^"#]*)"', browser.get("/").text))
    assert addresses
    root = Browser(site.nginx.url)
    assert [address for address in addresses if root.get(address).status not in (200, 302, 403, 405)] == []


def test_policy_names_the_scheme_of_the_page(site):
    """A page that came over https opens its WebSocket over wss, and may."""
    answer = Browser(site.url).get("/")
    policy = answer.headers["Content-Security-Policy"].rstrip(";").split("; ")
    assert f"connect-src 'self' {site.nginx.websocket_url}" in policy


def test_log_in_and_connect(site):
    """The session's cookie is for https only, and counts at the WebSocket of the same origin."""
    browser = Browser(site.url)
    answer = browser.log_in("alice", PASSWORD)
    assert answer.status == 302
    assert all("Secure" in cookie for cookie in answer.headers.get_all("Set-Cookie"))

    async def scenario():
        async with Client(site.websocket_url, cookie=browser.cookie) as page:
            assert (await page.request("whoami"))["name"] == "Alice"

    asyncio.run(scenario())


def test_post_from_socket_to_socket(site):
    """Both ways through nginx, with a long text."""

    async def scenario():
        async with Client(site.websocket_url) as alice, Client(site.websocket_url) as bob:
            await bob.wait_for(lambda seen: "username" in dict(seen))
            receipt = await alice.request("send-message", {"room": "animals", "message": {"body": "你好" * 4000}})
            await bob.wait_for(lambda seen: "newmsg" in dict(seen))
            assert bob.values("newmsg")[0]["message"]["id"] == receipt["id"]
            text = "x" * 300_000
            assert await alice.request("echo", text) == text

    asyncio.run(scenario())


def test_plain_text_doors(site):
    """A line in the hub, and a frame back from the echo."""

    async def scenario():
        async with connect(site.websocket_url + "/echo") as echo:
            await echo.send(b"\x00\xff")
            assert await asyncio.wait_for(echo.recv(), DEADLINE) == b"\x00\xff"
        async with connect(site.websocket_url + "/ws/animals") as hub:
            await hub.send("through nginx")
            async with asyncio.timeout(DEADLINE):
                while "through nginx" not in await hub.recv():
                    pass

    asyncio.run(scenario())


def test_push_door(site):
    """A heartbeat there and back, in binary frames, and a word from a script on another way."""
    headers = {"Authorization": f"Bearer {site.token}"}

    async def scenario():
        async with connect(site.websocket_url + "/push", additional_headers=headers) as door:
            await door.send(b"\x00\x00\x00\x64")
            async with asyncio.timeout(DEADLINE):
                assert (await door.recv())[:4] == b"\x00\x00\x00\x64"
                await asyncio.to_thread(Browser(site.url).ask, "POST", "/api/push", PUSH, headers | JSON)
                while await door.recv() != b"\x00\x00\x04\xb0hello":
                    pass

    asyncio.run(scenario())


def test_http_door(site):
    """A post with a token, to a room whose name has to be escaped."""
    headers = {"Authorization": f"Bearer {site.token}"} | JSON

    async def make_room():
        async with Client(site.websocket_url) as page:
            await page.request("create-room", "你好 a/b?")

    asyncio.run(make_room())
    path = f"/api/rooms/{quote('你好 a/b?')}/messages"
    answer = Browser(site.url).ask("POST", path, b'{"body": "over HTTP"}', headers)
    assert (answer.status, answer.json["author"]) == (201, "Alice")
    assert Browser(site.url).get(path, headers).json["messages"][-1]["body"] == "over HTTP"


# --- who calls ---------------------------------------------------------------------------------------------


ADDRESSES = "SELECT address FROM chat_connection JOIN chat_user ON chat_user.id = user_id WHERE username = 'alice'"


def address_of_socket(site, url, *, address, headers=None):
    """Connect from an address; returns what the list of connections says of it."""

    def addresses():
        with closing(sqlite3.connect(f"file:{site.server.data}/hubtalk.sqlite3?mode=ro", uri=True)) as database:
            return [row[0] for row in database.execute(ADDRESSES)]

    async def scenario():
        bearer = {"Authorization": f"Bearer {site.token}", **(headers or {})}
        async with connect(url + "/gotalk/", local_addr=(address, 0), additional_headers=bearer) as socket:
            await socket.send("01")
            await asyncio.to_thread(wait_until, addresses, site.server.process)
            return addresses()

    wait_until(lambda: not addresses(), site.server.process)
    return asyncio.run(scenario())


def test_socket_has_the_address_of_its_client(root_site):
    """Not that of nginx."""
    assert address_of_socket(root_site, root_site.websocket_url, address="127.0.0.2") == ["127.0.0.2"]


def test_client_that_tells_another_address(root_site):
    """What nginx did not see itself does not count."""
    lies = {"X-Forwarded-For": "198.51.100.9", "X-Real-IP": "198.51.100.9"}
    found = address_of_socket(root_site, root_site.websocket_url, address="127.0.0.3", headers=lies)
    assert found == ["127.0.0.3"]


def test_client_that_goes_round_nginx(root_site):
    """From an address that is no proxy's the header counts for nothing."""
    lies = {"X-Forwarded-For": "198.51.100.9"}
    url = root_site.server.websocket_url
    assert address_of_socket(root_site, url, address="127.0.0.4", headers=lies) == ["127.0.0.4"]


def test_guesser_delays_nobody_else(root_site):
    """The rate limit of log-ins is by real address, whatever address is claimed."""
    guesser = Browser(root_site.url, address="127.0.0.5")
    for number in range(MAX_FAILURES):
        guesser.log_in("bob", "wrong", {"X-Forwarded-For": f"198.51.100.{number}"})
    assert "Too many wrong passwords" in guesser.log_in("bob", PASSWORD).text
    assert Browser(root_site.url, address="127.0.0.6").log_in("bob", PASSWORD).status == 302


def test_client_does_not_choose_the_root_path(root_site):
    """The header of Daphne's does not get past nginx, nor past the server."""
    assert Browser(root_site.url).get("/x/admin/", {"Daphne-Root-Path": "/x"}).status == 404


# --- limits ------------------------------------------------------------------------------------------------


def test_body_over_the_limit(root_site):
    """nginx does not even pass it on."""
    assert Browser(root_site.url).ask("POST", "/accounts/login/", b"x" * 300_000).status == 413


def test_request_to_the_api_over_the_limit(root_site):
    """Between the server's limit and nginx's it is the server that answers: in JSON."""
    headers = {"Authorization": f"Bearer {root_site.token}"} | JSON
    answer = Browser(root_site.url).ask("POST", "/api/rooms/animals/messages", b" " * 70_000, headers)
    assert (answer.status, answer.json["code"]) == (413, "too_large")


@pytest.mark.parametrize("headers", [{"X-Long": "x" * 10_000}, {f"X-{number}": "x" * 4000 for number in range(6)}])
def test_headers_over_the_limit(root_site, headers):
    """One that is too long, or too many."""
    assert Browser(root_site.url).get("/healthz", headers).status in (400, 431)


def test_nginx_waits_longer_than_the_server_is_silent():
    """An idle WebSocket hears a ping within the time after which nginx would cut it off."""
    read_timeout = int(re.search(r"proxy_read_timeout\s+(\d+)s;", CONFIGURATION.read_text())[1])
    source = (ROOT / "project" / "daphne" / "server.py").read_text()
    interval, timeout = map(int, re.search(r"PING_INTERVAL, PONG_TIMEOUT = (\d+), (\d+)", source).groups())
    assert read_timeout > 2 * (interval + timeout)
