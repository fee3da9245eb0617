"""People's own door: the page in a browser, over https, at the root of a host and under a path of one."""

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.nginx, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


def test_page_talks_over_wss(site, browser):
    """It finds its own WebSocket, of its own scheme, host and path; two people hear each other."""
    visitors = []
    sockets = []
    for _ in range(2):
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.on("websocket", lambda socket: sockets.append(socket.url))
        visitors.append(Visitor.arrive(page, site.url, "jokes"))
    first, second = visitors
    first.say("a horse walks into a bar")
    second.sees("a horse walks into a bar")
    assert set(sockets) == {f"{site.websocket_url}/gotalk/"}
    assert [visitor.complaints for visitor in visitors] == [[], []]
