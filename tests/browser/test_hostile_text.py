"""Whatever people write is shown as they wrote it, and does nothing."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CORPUS = json.loads((Path(__file__).parent.parent / "js" / "lib" / "hostile.json").read_text())
NAMES = ["<img src=x onerror=alert(1)>", "'\"><script>alert(1)", "javascript:alert(1)", "__proto__", "&lt;b&gt;"]

MADE = """() => {
  const allowed = new Set("LI SPAN DIV TIME B BDI A CODE PRE BUTTON svg use I P UL U SMALL H2".split(" "));
  const roots = ["#messages", "#room-list", "#people-list", "#room-name", "#me", "#typing", "#context p", "#empty"];
  const nodes = roots.flatMap((root) => [...document.querySelectorAll(`${root} *`)]);
  return {
    strange: nodes.filter((node) => !allowed.has(node.tagName)).map((node) => node.outerHTML),
    handlers: nodes.flatMap((node) => node.getAttributeNames().filter((name) => name.startsWith("on"))),
    addresses: [...document.querySelectorAll(".body a")]
      .map((link) => [new URL(link.href).protocol, link.rel, link.target]),
  };
}"""


def test_hostile_messages_are_shown_as_text(arrive):
    """No element, no handler, no address but http(s); nothing runs, the policy is not even asked."""
    tess, mallory = arrive("animals"), arrive("animals")
    for visitor in (tess, mallory):
        visitor.page.on("dialog", lambda dialog, to=visitor: to.complaints.append(dialog.message))
    mallory.post_many("animals", [*CORPUS, "the end"])
    tess.sees("the end")
    made = tess.page.evaluate(MADE)
    assert made["strange"] == []
    assert made["handlers"] == []
    assert {tuple(each) for each in made["addresses"]} == {("https:", "noopener noreferrer", "_blank")}
    shown = [line["text"] for line in tess.shown]
    for text in CORPUS:
        if "`" not in text:
            assert text.replace("\0", "").strip() in shown


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_shown_as_text(arrive, name):
    """In the list of rooms, the head, the list of people, over a message, in a quote, while typing."""
    tess, mallory = arrive("animals"), arrive("animals")
    mallory.page.locator("#me").click()
    mallory.page.get_by_label("Another name").fill(name)
    mallory.page.get_by_role("button", name="Rename").click()
    expect(mallory.page.locator("#me bdi")).to_have_text(name)
    mallory.page.locator("#create-room").click()
    mallory.page.get_by_label("Name", exact=True).fill(f"{name} room")
    mallory.page.locator("#create-topic").fill(name)
    mallory.page.get_by_role("button", name="Create", exact=True).click()
    expect(mallory.page.locator("#room-name")).to_contain_text(name)
    tess.go(f"{name} room")
    expect(tess.page.locator("#room-topic")).to_have_text(name)
    expect(tess.page.locator("#people-list")).to_contain_text(name)
    mallory.field.press_sequentially("hello")
    expect(tess.page.locator("#typing")).to_contain_text(name)
    mallory.say("hello there")
    tess.act("hello there", "reply")
    tess.say("hello back")
    expect(tess.line("hello back").locator(".reply")).to_have_text(f"{name}: hello there")
    for visitor in (tess, mallory):
        made = visitor.page.evaluate(MADE)
        assert made["strange"] == [] and made["handlers"] == []


def test_the_page_asks_no_other_host_for_anything(arrive, site):
    """A conversation full of addresses makes no request but to its own server."""
    tess = arrive("jokes")
    asked: list[str] = []
    tess.page.on("request", lambda request: asked.append(request.url))
    tess.post_many("jokes", ["https://elsewhere.example/x.png", "![x](https://elsewhere.example/y.png)"])
    tess.sees("y.png")
    tess.reload()
    tess.sees("y.png")
    assert asked
    assert [url for url in asked if not url.startswith((site.url, site.websocket_url))] == []
