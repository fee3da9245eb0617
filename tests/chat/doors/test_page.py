"""The page of docs/doors.md in a browser: text in, frames out, split at their newlines."""

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.visitor import complaints_of
from tests.deadlines import DEADLINE_MS
from tests.documents import address_in, read, site_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with site_of("docs/doors.md", tmp_path_factory.mktemp("doors"), RATE_LIMITS="off") as site:
        yield site


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def open_page(site, browser):
    """Opens the page, in a browser of its own; nothing may complain."""
    complaints = []
    contexts = []

    def open_page():
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        complaints.append(complaints_of(page))
        with page.expect_websocket() as opening:
            page.goto(site.url + address_in(read("docs/doors.md")))
        assert opening.value.url == site.websocket_url + "/ws"
        # Not `wait_for_function`, which the policy of the page forbids.
        page.evaluate("new Promise(open => hub.readyState === 1 ? open() : hub.addEventListener('open', open))")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [complaint for each in complaints for complaint in each] == []


def say(page, text):
    page.fill("#text", text)
    page.press("#text", "Enter")


def test_two_browsers_talk(open_page):
    """Each sees its own lines and the other's, in one order."""
    one, other = open_page(), open_page()
    lines = [(one, "hello"), (other, "你好 <b>world</b>"), (one, "two  spaces")]
    for number, (page, text) in enumerate(lines, 1):
        say(page, text)
        for each in (one, other):
            expect(each.locator("#log div")).to_have_count(number, timeout=DEADLINE_MS)
    for each in (one, other):
        assert each.locator("#log div").all_text_contents() == [text for _, text in lines]


def test_page_of_the_chat_and_the_classic_page_share_the_lobby(site, open_page, browser):
    """What one says the other shows."""
    classic = open_page()
    context = browser.new_context()
    page = context.new_page()
    page.goto(site.url + "/#lobby")
    # It is in the list of those only who come to it.
    page.get_by_role("button", name="Look for it").click()
    page.locator("#body").fill("from the page\nin two lines")
    page.locator("#body").press("Enter")
    expect(classic.locator("#log div").last).to_have_text("from the page in two lines", timeout=DEADLINE_MS)
    say(classic, "from the hub")
    expect(page.get_by_role("log")).to_contain_text("from the hub", timeout=DEADLINE_MS)
    context.close()


def test_lines_that_share_a_frame_are_lines_of_their_own(open_page):
    """Nothing is lost or glued together, however many come at once."""
    page = open_page()
    before = page.locator("#log div").count()
    page.evaluate("for (let n = 0; n < 300; n++) hub.send('line ' + n)")
    expect(page.locator("#log div")).to_have_count(before + 300, timeout=DEADLINE_MS)
    assert page.locator("#log div").all_text_contents()[before:] == [f"line {n}" for n in range(300)]
