"""Takes the pictures of the documents: `bin/screenshots`."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.server import ROOT, Server

DOCS = ROOT / "docs"
TALK = [
    (0, "Morning! My cat walked over the keyboard and deployed the site."),
    (1, "Did the tests pass?"),
    (0, "All of them. See https://example.org/builds/1024"),
    (2, "大家好，猫在键盘上睡着了。"),
    (1, "Try it yourself:\n```\nsock.requestp('greet', { name: 'cat' })\n```"),
    (2, "Purr is `idempotent`, as it should be 🐈"),
]
NAMES = ["Tess", "Leonard", "王小明"]


def main() -> None:
    with tempfile.TemporaryDirectory() as data, Server(Path(data)) as server:
        server.manage("shell", "-v0", "-c", SET_TOPIC)
        with sync_playwright() as playwright, launch(playwright) as browser:
            people = [person(browser, server.url, name) for name in NAMES]
            talk(people)
            for theme in ("light", "dark"):
                people[1].emulate_media(color_scheme=theme)
                people[1].screenshot(path=DOCS / f"screenshot-{theme}.png")
            on_phone(browser, people[1]).screenshot(path=DOCS / "screenshot-phone.png", animations="disabled")


SET_TOPIC = (
    "from chat.services.rooms import change_room; from chat.models import Room;"
    "change_room(Room.objects.get(name='animals').pk, topic='Cats, mostly. Be kind to dogs.')"
)


def person(browser: Browser, url: str, name: str) -> Page:
    """Open the page as a new visitor and take a name."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    page.goto(f"{url}/#animals")
    page.locator("#me").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(name)
    dialog.get_by_role("button", name="Rename").click()
    expect(page.locator("#me bdi")).to_have_text(name)
    return page


def on_phone(browser: Browser, page: Page) -> Page:
    """Open the same conversation on a phone of the same person."""
    same = page.context.storage_state()
    size = {"width": 390, "height": 780}
    phone = browser.new_context(storage_state=same, viewport=size, has_touch=True, is_mobile=True, locale="en-GB")
    opened = phone.new_page()
    opened.goto(page.url)
    seen_by_all([opened], TALK[-1][1].split("`")[0])
    return opened


def talk(people: list[Page]) -> None:
    for who, text in TALK:
        box = people[who].locator("#body")
        box.fill(text)
        box.press("Enter")
        seen_by_all(people, text.split("\n")[0].split("`")[0])


def seen_by_all(people: Iterable[Page], text: str) -> None:
    for page in people:
        expect(page.locator("#messages")).to_contain_text(text)


if __name__ == "__main__":
    main()
