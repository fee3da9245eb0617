"""README.md's example, as it stands there."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import complaints_of
from tests.documents import address_in, read, site_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_of("README.md", tmp_path_factory.mktemp("readme")) as site:
        yield site


def test_die_shows_each_of_its_sides(site, browser):
    """It is a die: twenty rolls of twenty sides are not one number."""
    page = browser.new_page()
    complaints = complaints_of(page)
    page.goto(site.url + address_in(read("README.md")))
    eyes = set()
    for _ in range(20):
        page.click("#roll")
        expect(page.locator("#eyes")).not_to_be_empty()
        eyes.add(int(page.locator("#eyes").inner_text()))
        page.evaluate("eyes.textContent = ''")
    assert complaints == []
    assert len(eyes) > 1
    assert eyes <= set(range(1, 21))
