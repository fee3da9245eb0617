"""docs/rpc.md in a browser: its pages, served by its app, print what stands beneath their scripts."""

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError

from tests.browser.visitor import complaints_of
from tests.deadlines import DEADLINE_MS
from tests.documents import address_in, blocks, named, read, site_of

pytestmark = pytest.mark.browser

GUIDE = read("docs/rpc.md")
PAGE = "shop/static/shop/shop.html"
SCRIPTS = [each.name for each in blocks(GUIDE, "js")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site with the guide's app, and with the later scripts beside the first, each named in a page like its."""
    folder = tmp_path_factory.mktemp("guide")
    for name in SCRIPTS:
        if not name.startswith("shop/"):
            script = (folder / PAGE).with_name(name)
            script.parent.mkdir(parents=True, exist_ok=True)
            script.write_text(named(GUIDE, name).source)
            page = named(GUIDE, PAGE).source.replace('src="shop.js"', f'src="{name}"')
            script.with_suffix(".html").write_text(page)
    with site_of("docs/rpc.md", folder) as site:
        yield site


@pytest.mark.parametrize("name", SCRIPTS)
def test_page(name, site, browser):
    """It prints what stands beneath its script, and the browser complains of nothing."""
    expected = named(GUIDE, name).output.splitlines()
    page = browser.new_page()
    complaints = complaints_of(page)
    printed = []
    page.on("console", lambda message: message.type == "log" and printed.append(message.text))
    page.goto(site.url + address_in(GUIDE).replace("shop.html", f"{Path(name).stem}.html"))
    with suppress(TimeoutError):
        while len(printed) < len(expected):
            page.wait_for_event("console", timeout=DEADLINE_MS)
    page.close()
    assert complaints == []
    assert printed == expected
