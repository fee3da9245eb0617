"""The page on a phone, in the dark, by keyboard and for a screen reader."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
NAMELESS = """() => {
  const controls = "button, a, input:not([type=hidden]), textarea, [role=toolbar], [role=menu], dialog, aside, nav";
  return [...document.querySelectorAll(controls)]
    .filter((each) => !each.hidden && !each.textContent.trim())
    .filter((each) => !each.ariaLabel && !each.hasAttribute("aria-labelledby") && !each.labels?.length)
    .map((each) => each.outerHTML);
}"""
LISTEN = """() => {
  globalThis.loud = [];
  const log = document.querySelector("#log");
  new MutationObserver((records) => {
    if (log.getAttribute("aria-live") !== "polite" || log.hasAttribute("aria-busy")) return;
    loud.push(...records.flatMap(({ addedNodes }) => [...addedNodes]).map((node) => node.textContent));
  }).observe(document.querySelector("#messages"), { childList: true });
}"""
LONG = "a_name_without_any_place_to_break_" * 12


def test_on_a_phone_there_is_one_column(arrive):
    """Rooms and people come from the side and go again; nothing is wider than the window."""
    tess = arrive("animals", **PHONE)
    tess.write(f"{LONG}\n```\n{LONG}\n```")
    tess.sees(LONG)
    assert tess.page.evaluate("document.documentElement.scrollWidth") == 390
    expect(tess.page.locator("#rooms")).not_to_be_in_viewport()

    tess.page.get_by_role("button", name=re.compile("^Rooms")).tap()
    expect(tess.page.locator("#rooms")).to_be_in_viewport()
    tess.page.locator(".room", has_text="jokes").tap()
    expect(tess.page.locator("#rooms")).not_to_be_in_viewport()
    expect(tess.page.locator("#room-name")).to_contain_text("jokes")

    tess.page.get_by_role("button", name=re.compile("^People")).tap()
    expect(tess.page.locator("#people")).to_be_in_viewport()
    tess.page.get_by_role("button", name="Close the list of people").tap()
    expect(tess.page.locator("#people")).not_to_be_in_viewport()


def test_on_a_phone_a_tap_brings_the_toolbar(arrive):
    """What a pointer finds by hovering, a finger finds by tapping."""
    tess = arrive("animals", **PHONE)
    tess.say("tap me")
    tess.line("tap me").locator(".body").tap()
    tess.page.locator('#message-actions [data-action="react"]').tap()
    tess.page.locator("#reaction-picker").get_by_role("menuitem", name="👍").tap()
    expect(tess.line("tap me").locator(".reactions [data-emoji]")).to_have_text("👍 1")


@pytest.mark.parametrize(("window", "has_keys"), [(PHONE, False), ({}, True)])
def test_keys_are_told_of_where_there_are_some(arrive, window, has_keys):
    """Neither the list of keys nor the letters of rooms are shown to a finger."""
    tess = arrive("animals", **window)
    lines = {False: "none", True: "underline"}
    expect(tess.page.locator("#open-keys")).to_be_visible(visible=has_keys)
    expect(tess.page.locator(".room u").first).to_have_css("text-decoration-line", lines[has_keys])


def test_on_a_phone_other_rooms_count_at_the_way_to_them(arrive):
    """The list is hidden, its news are not."""
    tess, ulysses = arrive("jokes"), arrive("animals", **PHONE)
    tess.say("psst")
    expect(ulysses.page.get_by_role("button", name="Rooms, 1 unread message")).to_be_visible()
    count, name = (ulysses.page.locator(each).bounding_box() for each in ("#open-rooms .count", "#room-name"))
    assert count["x"] + count["width"] < name["x"]


@pytest.mark.parametrize(("scheme", "darkest"), [("light", False), ("dark", True)])
def test_the_theme_is_the_viewers(arrive, scheme, darkest):
    """Light or dark, as the system says."""
    tess = arrive("animals", color_scheme=scheme)
    red = tess.page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])")
    assert (red < 64) is darkest


def test_every_control_has_a_name(arrive):
    """For who hears the page instead of seeing it."""
    tess = arrive("animals")
    tess.say("hello")
    tess.line("hello").hover()
    nameless = tess.page.evaluate(NAMELESS)
    assert nameless == []


def test_the_conversation_is_a_log_that_is_silent_about_its_past(arrive):
    """News are read aloud, pages of history are not."""
    tess, ulysses = arrive("animals"), arrive("animals")
    log = tess.page.get_by_role("log", name="Messages in animals")
    expect(log).to_have_attribute("aria-live", "polite")
    tess.page.evaluate(LISTEN)
    tess.go("jokes")
    tess.go("animals")
    expect(log).to_have_attribute("aria-live", "polite")
    assert tess.page.evaluate("loud") == []
    ulysses.say("hear, hear")
    tess.sees("hear, hear")
    assert "hear, hear" in tess.page.evaluate("loud.join()")


def test_focus_goes_back_where_a_dialog_was_opened(arrive):
    """A dialog that closes gives the focus back."""
    tess = arrive("animals")
    tess.page.locator("#create-room").focus()
    tess.page.keyboard.press("Enter")
    expect(tess.page.get_by_label("Name", exact=True)).to_be_focused()
    tess.page.keyboard.press("Escape")
    expect(tess.page.locator("#create-room")).to_be_focused()


def test_an_address_of_no_room_is_explained(arrive):
    """And offers to create it."""
    tess = arrive("animals")
    tess.page.evaluate("location.hash = '#nowhere'")
    expect(tess.page.locator("#empty")).to_contain_text("There is no room called")
    expect(tess.page.locator("#compose")).to_be_hidden()
    tess.page.get_by_role("button", name="Create it").click()
    expect(tess.page.get_by_label("Name", exact=True)).to_have_value("nowhere")


@pytest.mark.parametrize("path", ["/nowhere", "/static/chat/nowhere.js"])
def test_an_error_page_has_the_look_and_a_way_out(arrive, site, path):
    """Plain words, and a link to the rooms."""
    tess = arrive()
    tess.page.goto(site.url + path)
    expect(tess.page.get_by_role("heading", name="Not found")).to_be_visible()
    tess.page.get_by_role("link", name="To the rooms").click()
    tess.settled()
    tess.complaints.clear()
