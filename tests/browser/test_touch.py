"""What a finger has to hit is large enough for one."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

# A target is hit 21 px off its middle in each direction. Links in a text are as high as its lines, and a checkbox
# is hit by its label (WCAG 2.2, 2.5.5).
SMALL = """() => {
  const controls = "button, a, select, label.choice, input:not([type=checkbox], [type=hidden])";
  const at = (x, y) => document.elementFromPoint(x, y)?.closest(controls);
  return [...document.querySelectorAll(controls)].flatMap((each) => {
    const box = each.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const isText = each.matches(".body a, p:not(.actions, .links) > a");
    if (isText || !each.checkVisibility({ visibilityProperty: true }) || at(x, y) !== each) return [];
    const around = [[-21, 0], [21, 0], [0, -21], [0, 21]].map(([dx, dy]) => [x + dx, y + dy]);
    // What scrolled away is hit when it has scrolled back.
    const place = each.closest(".log")?.getBoundingClientRect() ?? new DOMRect(0, 0, innerWidth, innerHeight);
    const isSeen = ([x, y]) => x >= place.left && y >= place.top && x < place.right && y < place.bottom;
    const missed = around.filter(isSeen).filter(([x, y]) => at(x, y) !== each);
    return missed.length > 0 ? [`${each.outerHTML.slice(0, 120)}: ${box.width} × ${box.height}`] : [];
  });
}"""


def assert_large(page: Page) -> None:
    assert page.evaluate(SMALL) == []


def test_targets_of_the_conversation(arrive):
    """The head, replies, reactions, the toolbar of a message, and the composer."""
    tess, ulysses = arrive("animals", **PHONE), arrive("animals")
    ulysses.write("what a long day\n" * 30)
    ulysses.sent("what a long day")
    # So that the toolbar of the next one does not lie on what opens the first.
    ulysses.say("not yet")
    ulysses.say("and now?")
    ulysses.act("and now?", "reply")
    ulysses.say("now this")
    ulysses.act("now this", "react")
    ulysses.page.locator("#reaction-picker").get_by_role("menuitem", name="👍").click()
    expect(tess.line("now this").locator(".reactions [data-emoji]")).to_have_text("👍 1")
    assert_large(tess.page)
    tess.line("and now?").locator(".body").first.tap()
    expect(tess.page.locator("#message-actions")).to_be_visible()
    assert_large(tess.page)
    tess.page.locator('#message-actions [data-action="react"]').tap()
    assert_large(tess.page)
    tess.page.keyboard.press("Escape")
    tess.page.locator('#message-actions [data-action="reply"]').tap()
    expect(tess.page.locator("#context")).to_be_visible()
    assert_large(tess.page)


def test_targets_of_the_lists_at_the_side(arrive):
    """Rooms, people, and one's own name."""
    tess, ulysses = arrive("animals", **PHONE), arrive("animals")
    ulysses.say("I am here")
    tess.say("me too")
    tess.page.get_by_role("button", name=re.compile("^Rooms")).tap()
    expect(tess.page.locator("#rooms")).to_be_in_viewport()
    assert_large(tess.page)
    tess.page.get_by_role("button", name="Close the list of rooms").tap()
    tess.page.get_by_role("button", name=re.compile("^People")).tap()
    tess.page.locator("#people-list").get_by_role("button", name=ulysses.name).tap()
    expect(tess.page.get_by_role("dialog", name=ulysses.name)).to_be_visible()
    assert_large(tess.page)


@pytest.mark.parametrize("name", ["create", "me", "details", "add-contact", "invite", "deed", "delete"])
def test_targets_of_a_dialog(arrive, name):
    """Fields, buttons and links."""
    tess = arrive("animals", **PHONE)
    tess.page.evaluate("name => document.getElementById(`${name}-dialog`).showModal()", name)
    tess.page.evaluate("for (const each of document.querySelectorAll('dialog [hidden]')) each.hidden = false")
    assert_large(tess.page)


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/nowhere"])
def test_targets_of_a_page_with_a_form(arrive, site, path):
    """And of an error."""
    tess = arrive("animals", **PHONE)
    tess.page.goto(site.url + path)
    assert_large(tess.page)
    tess.complaints.clear()


def test_targets_of_a_post_that_failed(arrive):
    """Its links, and that of the banner."""
    tess = arrive("animals", **PHONE)
    tess.page.context.set_offline(True)
    tess.page.evaluate("dispatchEvent(new Event('offline'))")
    expect(tess.page.locator("#connection")).to_be_visible()
    tess.write("does it go?")
    expect(tess.line("does it go?")).to_be_visible()
    assert_large(tess.page)
