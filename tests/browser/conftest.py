from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.cable import Cable
from tests.browser.chromium import launch
from tests.browser.visitor import Visitor
from tests.deadlines import DEADLINE_MS
from tests.server import Server

expect.set_options(timeout=DEADLINE_MS)

Arrive = Callable[..., Visitor]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One site for the tests of a file; each takes a room of its own where that matters."""
    with Server(tmp_path_factory.mktemp("site") / "data", environment={"RATE_LIMITS": "off"}) as server:
        yield server


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for the tests of this folder, closed behind them: while it is open, nothing else runs a loop here."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def arrive(site: Server, browser: Browser) -> Iterator[Arrive]:
    """Opens the page as another person; at the end nobody's browser may have complained."""
    visitors: list[Visitor] = []

    def arrive(room: str = "", *, url: str = "", **window: object) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **window})
        visitor = Visitor.arrive(context.new_page(), url or site.url, room)
        visitors.append(visitor)
        return visitor

    yield arrive
    for visitor in visitors:
        visitor.page.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def cable(site: Server) -> Iterator[Cable]:
    """The way to the site of one browser, which can be cut or clogged."""
    cable = Cable(site.port)
    yield cable
    cable.close()
