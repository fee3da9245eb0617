"""What the browser keeps over a reload, a lost connection and a second page."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.gotalk_client import Client
from tests.server import STOP_TIMEOUT, Server

pytestmark = pytest.mark.browser

SEQ = re.compile(r"\d+")

LEAD_ASTRAY = """(body) => {
  const stringify = JSON.stringify;
  JSON.stringify = (value, ...rest) =>
    stringify(value?.message?.body === body ? { ...value, room: "nowhere" } : value, ...rest);
  globalThis.honest = () => { JSON.stringify = stringify; };
}"""
"""Sends the post with this text to a room that does not exist, as if it had gone this moment."""


def test_a_room_that_is_opened_offline_says_so(arrive):
    """Instead of loading for ever; what was said there comes with the connection."""
    tess, ulysses = arrive("animals"), arrive("golang")
    ulysses.say("are you there?")
    tess.page.context.set_offline(True)
    expect(tess.page.locator("#connection")).to_contain_text("offline")
    tess.page.locator(".room", has_text="golang").click()
    expect(tess.page.locator("#empty")).to_contain_text("The messages of this room come with the connection.")
    tess.page.context.set_offline(False)
    tess.sees("are you there?")
    expect(tess.page.locator("#empty")).to_be_hidden()


def test_each_room_keeps_its_draft(arrive):
    """What was written and not sent is there again, in its room, also after a reload."""
    tess = arrive("animals")
    tess.field.fill("half a thought\nabout cats")
    tess.go("jokes")
    expect(tess.field).to_have_value("")
    tess.field.fill("a cat walks into")
    tess.reload()
    expect(tess.field).to_have_value("a cat walks into")
    tess.go("animals")
    expect(tess.field).to_have_value("half a thought\nabout cats")


def test_unseen_messages_still_count_after_a_reload(arrive):
    """A guest without an account does not lose their place either."""
    tess, ulysses = arrive("jokes"), arrive("animals")
    tess.say("one")
    tess.say("two")
    expect(ulysses.count_at("jokes")).to_have_text("2")
    ulysses.reload()
    expect(ulysses.count_at("jokes")).to_have_text("2")
    tess.say("three")
    expect(ulysses.count_at("jokes")).to_have_text("3")


def test_unseen_messages_of_a_known_guest_still_count_after_a_reload(arrive):
    """The server knows a guest who has posted, and keeps their read marker."""
    tess, ulysses = arrive("jokes"), arrive("animals")
    ulysses.say("hello")
    tess.say("one more")
    expect(ulysses.count_at("jokes")).to_have_text("1")
    ulysses.reload()
    expect(ulysses.count_at("jokes")).to_have_text("1")
    ulysses.go("jokes")
    expect(ulysses.count_at("jokes")).to_have_count(0)
    ulysses.reload()
    expect(ulysses.page).to_have_title("#jokes · Hubtalk")


def test_posts_that_could_not_go_out_survive_a_reload_and_go_out_once(arrive, cable):
    """Written offline, closed, opened again: everyone sees each once and in the order of writing."""
    tess, ulysses = arrive("animals"), arrive("animals", url=cable.url)
    cable.cut()
    expect(ulysses.page.locator("#connection")).to_be_visible()
    for text in ("offline one", "offline two", "offline three"):
        ulysses.write(text)
    expect(ulysses.line("offline three")).to_contain_text("Waiting for the connection")
    cable.mend()
    ulysses.page.reload()
    tess.sees("offline three")
    ulysses.sees("offline three")
    expect(ulysses.line("offline three")).to_have_attribute("data-seq", SEQ)
    texts = [line["text"] for line in tess.shown if str(line["text"]).startswith("offline")]
    assert texts == ["offline one", "offline two", "offline three"]
    assert ulysses.shown == tess.shown


def test_a_post_whose_answer_was_lost_is_there_once(arrive, cable):
    """The connection goes between the post and its receipt: the repeat is known by its client id."""
    tess, ulysses = arrive("golang"), arrive("golang", url=cable.url)
    ulysses.page.evaluate(
        # The server gets the post; its answer never reaches the page.
        """() => {
          const send = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            send.call(this, data);
            const text = typeof data === "string" ? data : new TextDecoder().decode(data);
            if (!text.includes("sent into the dark")) return;
            WebSocket.prototype.send = send;
            this.onmessage = null;
          };
        }"""
    )
    ulysses.write("sent into the dark")
    tess.sees("sent into the dark")
    expect(ulysses.line("sent into the dark")).to_have_attribute("data-state", "sending")
    cable.cut()
    expect(ulysses.page.locator("#connection")).to_contain_text("Not connected")
    cable.mend()
    expect(ulysses.line("sent into the dark")).to_have_attribute("data-seq", SEQ)
    tess.say("heard you")
    ulysses.sees("heard you")
    assert [line["text"] for line in tess.shown].count("sent into the dark") == 1
    assert ulysses.shown == tess.shown


def test_a_refused_post_says_why_and_can_be_tried_again(arrive):
    """The text is not lost: it waits with the reason and goes out when the reason is gone."""
    tess = arrive("jokes")
    tess.page.evaluate(LEAD_ASTRAY, "knock")
    tess.write("knock")
    line = tess.line("knock")
    expect(line).to_have_attribute("data-state", "failed")
    expect(line).to_contain_text("Not sent: there is no such room.")
    tess.say("something else")
    tess.page.evaluate("honest()")
    line.get_by_role("button", name="Try again").click()
    expect(tess.line("knock")).to_have_attribute("data-seq", SEQ)


def test_a_discarded_post_is_gone(arrive):
    """Who thinks better of it can take it back."""
    tess = arrive("jokes")
    tess.page.evaluate(LEAD_ASTRAY, "rash")
    tess.write("rash")
    tess.line("rash").get_by_role("button", name="Discard").click()
    expect(tess.line("rash")).to_have_count(0)
    tess.reload()
    expect(tess.line("rash")).to_have_count(0)


def test_two_pages_of_one_person_agree(arrive):
    """What one page says or reads is so in the other."""
    tess = arrive("jokes")
    first = arrive("animals")
    second = Visitor.arrive(first.page.context.new_page(), first.page.url.split("#")[0].rstrip("/"), "golang")
    assert second.name == first.name
    first.say("from the first page")
    second.go("animals")
    second.sees("from the first page")
    expect(second.line("from the first page")).to_have_class(re.compile("mine"))
    tess.say("news")
    expect(first.count_at("jokes")).to_have_text("1")
    expect(second.count_at("jokes")).to_have_text("1")
    first.go("jokes")
    expect(second.count_at("jokes")).to_have_count(0)
    assert second.complaints == []


def test_a_server_that_restarts_is_told_apart_and_found_again(arrive, tmp_path):
    """The page says what happens, and goes on with the server that comes."""
    with Server(tmp_path / "data") as first:
        tess = arrive("animals", url=first.url)
        tess.say("before the restart")
        first.process.terminate()
        # At once: when a first attempt has failed, the page no longer knows that it is a restart.
        expect(tess.page.locator("#connection")).to_contain_text("The server is restarting")
        assert first.process.wait(STOP_TIMEOUT) == 0
        tess.write("during the restart")
    with Server(tmp_path / "data", port=first.port):
        expect(tess.line("during the restart")).to_have_attribute("data-seq", SEQ)
        expect(tess.page.locator("#connection")).to_be_hidden()
        tess.sees("before the restart")


async def post_much(site, room):
    """More than the server keeps for one page."""
    async with Client(site.websocket_url) as author:
        post = {"room": room, "message": {"body": "x" * 15_000}}
        for _ in range(4):
            await asyncio.gather(*(author.request("send-message", post) for _ in range(40)))


def test_page_on_a_line_that_was_too_slow_catches_up(arrive, cable, site):
    """It was not told of every message and of who came, and shows all of it as soon as it can."""
    tess = arrive("jokes", url=cable.url)
    people = tess.page.locator("#people-list")
    expect(people).to_contain_text(tess.name)
    cable.clog()
    xenia = arrive("jokes")
    with ThreadPoolExecutor() as beside:
        # As fast as possible: the page is dropped when it has read nothing for ten seconds.
        beside.submit(asyncio.run, post_much(site, "jokes")).result()
    xenia.say("the last word")
    expect(people).not_to_contain_text(xenia.name)
    cable.unclog()
    expect(tess.line("the last word")).to_be_visible()
    expect(people).to_contain_text(xenia.name)
    tess.say("and mine")
