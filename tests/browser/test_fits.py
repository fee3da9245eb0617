"""Nothing on the page is wider than its place, however narrow the window and however long the words."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 768, 1440, 2560)
HEIGHT = 844
UNBROKEN = "without_any_place_to_break_" * 12
LONG_NAME = UNBROKEN[:40]

OUTSIDE = """() => {
  const shown = (each) => each.checkVisibility({ visibilityProperty: true });
  const panes = [...document.querySelectorAll("aside, main, dialog, [popover], .log, nav")].filter(shown);
  const wide = [document.documentElement, ...panes].filter((each) => each.scrollWidth > each.clientWidth);
  const inWindow = panes.map((each) => [each, { left: 0, right: innerWidth }]);
  const controls = [...document.querySelectorAll("button, a, input, textarea, select")].filter(shown);
  const paneOf = (each) => each.closest("dialog, [popover], aside, main");
  const inPane = controls.map((each) => [each, paneOf(each).getBoundingClientRect()]);
  const outside = [...inWindow, ...inPane].filter(([each, { left, right }]) => {
    const box = each.getBoundingClientRect();
    return box.left < left - 1 || box.right > right + 1;
  });
  const words = (each) => `${each.tagName} ${each.id || each.className}`;
  return [
    ...wide.map((each) => `${words(each)} is too wide`),
    ...outside.map(([each]) => `${words(each)} lies outside`),
  ];
}"""

IN_CHARACTERS = """(element) => {
  const ruler = document.createElement("div");
  ruler.style.cssText = "position: absolute; inline-size: 1ch";
  element.append(ruler);
  const width = ruler.getBoundingClientRect().width;
  ruler.remove();
  return element.getBoundingClientRect().width / width;
}"""

CREATE = """async ([name, topic]) => {
  const other = gotalk.connection();
  await new Promise((resolve) => other.on("open", resolve));
  await other.requestp("create-room", { name, topic });
  other.end();
}"""


def fits(visitor: Visitor, widths: tuple[int, ...] = WIDTHS) -> None:
    """At each width, in both directions of writing."""
    for direction in ("rtl", "ltr"):
        visitor.page.evaluate("dir => { document.documentElement.dir = dir; }", direction)
        for width in widths:
            visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
            assert (width, direction, visitor.page.evaluate(OUTSIDE)) == (width, direction, [])


@pytest.mark.parametrize("length", [30, 153, 200])
def test_a_topic_of_any_length(arrive, length):
    """What does not fit of it is left out; the button that sends stays in the window."""
    tess = arrive("animals", reduced_motion="reduce")
    tess.page.evaluate(CREATE, [f"topic {length}", UNBROKEN[:length]])
    tess.go(f"topic {length}")
    fits(tess)


def test_a_room_without_messages(arrive):
    """And with the longest name."""
    tess = arrive("animals", reduced_motion="reduce")
    tess.page.evaluate(CREATE, [LONG_NAME, UNBROKEN[:200]])
    tess.go(LONG_NAME)
    expect(tess.page.locator("#empty .big")).to_be_visible()
    fits(tess)


def test_long_words_of_a_person_with_a_long_name(arrive):
    """In text, in code, in an address, under reactions, and in what somebody replies to."""
    tess = arrive("golang", reduced_motion="reduce")
    rename(tess, LONG_NAME)
    tess.post_many("golang", [UNBROKEN, f"```\n{UNBROKEN}\n```", f"`{UNBROKEN}`", f"https://a.example/{UNBROKEN}"])
    tess.sees("https://a.example/")
    tess.act("https://a.example/", "reply")
    fits(tess)
    tess.say("so it is")
    expect(tess.line("so it is").locator(".reply")).to_contain_text("https://a.example/")
    tess.line("so it is").hover()
    fits(tess)


def test_what_is_being_edited_and_deleted(arrive):
    """The composer and the dialog that asks."""
    tess = arrive("jokes", reduced_motion="reduce")
    tess.say(UNBROKEN)
    tess.act(UNBROKEN, "edit")
    fits(tess)
    tess.page.keyboard.press("Escape")
    tess.act(UNBROKEN, "delete")
    expect(tess.page.locator("#delete-dialog")).to_be_visible()
    fits(tess)


@pytest.mark.parametrize("name", ["create", "me", "details", "add-contact", "invite", "keys"])
def test_a_dialog(arrive, name):
    """Each is as wide as the window lets it be."""
    tess = arrive("animals", reduced_motion="reduce")
    tess.page.evaluate("name => document.getElementById(`${name}-dialog`).showModal()", name)
    fits(tess)


@pytest.mark.parametrize(("name", "widths"), [("rooms", (320, 390)), ("people", (320, 390, 768))])
def test_a_list_from_the_side(arrive, name, widths):
    """It covers the conversation and leaves a strip of it."""
    tess = arrive("animals", reduced_motion="reduce")
    tess.say("here I am")
    rename(tess, f"{name}_{LONG_NAME}"[:38])
    tess.page.set_viewport_size({"width": widths[-1], "height": HEIGHT})
    tess.page.locator(f"#open-{name}").click()
    expect(tess.page.locator(f"#{name}")).to_be_in_viewport()
    fits(tess, widths)


def test_the_banner_of_a_lost_connection(arrive):
    """With what waits beneath it."""
    tess = arrive("animals", reduced_motion="reduce")
    tess.page.context.set_offline(True)
    expect(tess.page.locator("#connection")).to_contain_text("offline")
    tess.write(UNBROKEN)
    expect(tess.line(UNBROKEN)).to_have_attribute("data-state", "sending")
    fits(tess)


def test_text_on_a_wide_window(arrive):
    """A line that is longer than 80 characters is hard to follow."""
    tess = arrive("animals", viewport={"width": 2560, "height": HEIGHT})
    tess.say("the cat walks over the keyboard " * 20)
    characters = tess.line("the cat walks").locator(".body").evaluate(IN_CHARACTERS)
    assert 60 < characters < 81


def rename(visitor: Visitor, name: str) -> None:
    visitor.page.locator("#me").click()
    visitor.page.get_by_label("Another name").fill(name)
    visitor.page.get_by_role("button", name="Rename").click()
    expect(visitor.page.locator("#me bdi")).to_have_text(name)
