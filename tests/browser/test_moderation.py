"""Moderation on the page: what moderators do, what they are shown, and what the person concerned sees."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_touch import assert_large
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

A_SECOND = 1000
PASSWORD = "a long enough phrase 42"
OBJECTIONS = "help@example.org"
PHONE = {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def admin(site, browser):
    """The first visitor became the admin, and said where one objects."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(site.setup_url)
    page.locator("[name=username]").fill("boss")
    for field in ("password1", "password2"):
        page.locator(f"[name={field}]").fill(PASSWORD)
    page.locator("form [type=submit]").click()
    page.wait_for_url(f"{site.url}/**")
    settings = f"from chat.services.site import change_settings; change_settings(objections={OBJECTIONS!r})"
    site.manage("shell", "-v0", "-c", settings)
    yield page
    page.context.close()


@pytest.fixture
def boss(admin, site):
    visitor = Visitor.arrive(admin.context.new_page(), site.url, "animals")
    yield visitor
    visitor.page.close()
    assert visitor.complaints == []


def card(visitor: Visitor, text: str) -> Locator:
    """The card of the author of a message, opened by their name over it."""
    visitor.line(text).get_by_role("button", name=re.compile(".")).first.click()
    return visitor.page.locator("#person-dialog")


def answer(page: Page, verb: str, reason: str = "", **choices: str) -> None:
    """Fill in the dialog that is open, and do what it asks about."""
    dialog = page.locator("#deed-dialog")
    expect(dialog).to_be_visible()
    for name, value in choices.items():
        dialog.locator(f"[name={name}]").select_option(value)
    dialog.locator("[name=reason]").fill(reason)
    dialog.get_by_role("button", name=verb, exact=True).click()
    expect(dialog).to_be_hidden()


def test_who_is_muted_sees_why_until_when_and_where_to_object(arrive, boss):
    """The field makes room for it, at once and after a reload; and comes back when the moderator ends it."""
    mallory = arrive("animals")
    mallory.say("buy cheap cats")
    mallory.field.fill("and more")
    card(boss, "buy cheap cats").get_by_role("button", name="Mute…").click()
    answer(boss.page, "Mute", "spam", place="room", end="10080")
    closed = mallory.page.locator("#closed")
    expect(closed).to_contain_text("You are muted until", timeout=A_SECOND)
    expect(closed).to_contain_text(f"Objections: \u2068{OBJECTIONS}")
    expect(mallory.page.locator("#notice")).to_contain_text("You were muted in #")
    expect(mallory.page.locator("#notice")).to_contain_text("spam")
    expect(mallory.field).to_be_hidden()
    mallory.page.reload()
    expect(closed).to_contain_text("You are muted until")
    shown = card(boss, "buy cheap cats")
    expect(shown.locator(".sanctions")).to_contain_text("Muted in this room until")
    shown.get_by_role("button", name="End it…").click()
    answer(boss.page, "End it")
    expect(mallory.field).to_be_visible(timeout=A_SECOND)
    expect(mallory.field).to_have_value("and more")
    expect(mallory.page.locator("#notice")).to_contain_text("again")


def test_an_end_that_is_over_is_refused_in_the_dialog(arrive, boss):
    """It stays open, and nothing was done."""
    mallory = arrive("animals")
    mallory.say("a time that is over")
    card(boss, "a time that is over").get_by_role("button", name="Ban…").click()
    dialog = boss.page.locator("#deed-dialog")
    dialog.locator("[name=end]").select_option("time")
    then = datetime.now() - timedelta(days=2)
    dialog.get_by_label("Until when").fill(then.strftime("%Y-%m-%dT%H:%M"))
    dialog.get_by_role("button", name="Ban", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("This time is over already.")
    boss.page.keyboard.press("Escape")
    mallory.say("still here")


def test_a_report_goes_to_the_moderators_and_its_answer_back(arrive, boss):
    """It counts in the head until it is answered; by keyboard, and what it is about goes with the answer."""
    mallory, tess = arrive("animals"), arrive("animals")
    mallory.say("something rude")
    tess.sees("something rude")
    tess.line("something rude").focus()
    tess.page.keyboard.press("!")
    answer(tess.page, "Report", "rude")
    expect(tess.page.locator("#composer-note")).to_have_text("Reported to the moderators")
    expect(mallory.page.locator("#open-reports")).to_be_hidden()
    badge = boss.page.get_by_role("button", name="1 report", exact=True)
    expect(badge).to_be_visible(timeout=A_SECOND)
    boss.go("jokes")
    expect(boss.page.locator(".room", has_text="animals").get_by_text("1 report")).to_be_attached()
    expect(boss.page.locator("#open-rooms")).to_have_attribute("aria-label", re.compile("1 report$"))
    boss.go("animals")
    badge.focus()
    boss.page.keyboard.press("Enter")
    reports = boss.page.get_by_role("dialog", name=re.compile("^Reports in"))
    expect(reports.locator(".reported")).to_contain_text("something rude")
    expect(reports.get_by_role("blockquote")).to_have_text("rude")
    reports.get_by_label("Remove the message").check()
    reports.get_by_label("Answer to the person").fill("thank you")
    reports.get_by_role("button", name="Answer", exact=True).click()
    expect(reports).to_contain_text("Nothing waits for an answer.")
    boss.page.keyboard.press("Escape")
    expect(badge).to_be_hidden()
    told = "Your report in #\u2068animals\u2069 was answered.The message was removed. thank you"
    expect(tess.page.locator("#notice span")).to_have_text(
        re.compile(re.escape(told).replace(r"answered\.", r"answered\.\s*"))
    )
    tess.sees("message removed")


def test_switches_of_a_room_and_of_the_site(arrive, boss):
    """Read-only and calm say why and until when; only whoever may is shown them."""
    tess = arrive("jokes")
    boss.go("jokes")
    for name, verb, words in (
        ("read-only", "Make read-only", "Only moderators may post in this room until"),
        ("calm", "Calm", "Guests may only read until"),
    ):
        boss.page.locator("#open-details").click()
        boss.page.locator(f"[data-switch={name}]").click()
        answer(boss.page, verb, "a raid", end="60")
        closed = tess.page.locator("#closed")
        expect(closed).to_contain_text(words, timeout=A_SECOND)
        expect(closed).to_contain_text("a raid")
        boss.page.locator("#open-details").click()
        boss.page.locator("[data-switch=end-calm], [data-switch=write-again]").first.click()
        boss.page.locator("#deed-dialog [type=submit]").click()
        expect(tess.field).to_be_visible(timeout=A_SECOND)
    tess.page.locator("#open-details").click()
    expect(tess.page.locator("#details-dialog")).to_be_visible()
    expect(tess.page.locator("[data-switch]")).to_have_count(0)


def test_all_messages_of_a_person_and_the_way_out(arrive, boss):
    """What they said is gone, and they see why they are out."""
    mallory = arrive("animals")
    for text in ("spam one", "spam two"):
        mallory.say(text)
    boss.sees("spam two")
    card(boss, "spam one").get_by_role("button", name="Remove messages…").click()
    answer(boss.page, "Remove", "spam", place="room", since="60")
    expect(boss.page.get_by_text("spam one")).to_have_count(0)
    expect(boss.page.get_by_text("spam two")).to_have_count(0)
    person = boss.page.locator("#people-list").get_by_role("button", name=mallory.name)
    person.focus()
    boss.page.keyboard.press("Enter")
    boss.page.locator("#person-dialog").get_by_role("button", name="Remove from room…").click()
    answer(boss.page, "Remove", "spam")
    expect(mallory.page.locator("#empty")).to_contain_text("you may no longer see it", timeout=A_SECOND)
    expect(mallory.page.locator("#notice")).to_contain_text("You were removed from")
    expect(mallory.page.locator("#notice")).to_contain_text(OBJECTIONS)


def test_on_a_narrow_phone(arrive, boss):
    """Targets are large enough for a finger, and nothing is wider than the window."""
    tess = arrive("animals", **PHONE)
    boss.say("a word of the boss")
    name = tess.line("a word of the boss").locator("[data-author]")
    expect(name).to_be_visible()
    assert_large(tess.page)
    name.tap()
    expect(tess.page.locator("#person-dialog [data-role]")).to_contain_text("here now")
    assert_large(tess.page)
    for dialog in ("#person-dialog", "#deed-dialog"):
        box = tess.page.locator(dialog).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320
        if dialog == "#person-dialog":
            tess.page.keyboard.press("Escape")
            expect(name).to_be_focused()
            tess.line("a word of the boss").locator(".body").tap()
            tess.page.locator('#message-actions [data-action="report"]').tap()
            assert_large(tess.page)
    assert tess.page.evaluate("document.documentElement.scrollWidth") == 320
