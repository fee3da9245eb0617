"""Two browsers on a fresh site: all that a first evening of talk needs."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SEEDS = ["animals", "golang", "jokes"]


def test_both_get_names_and_see_the_three_rooms(arrive):
    """A visitor is someone at once, and has something to read."""
    tess, ulysses = arrive(), arrive()
    assert tess.name and ulysses.name and tess.name != ulysses.name
    for visitor in (tess, ulysses):
        assert sorted(visitor.rooms) == SEEDS
        for room in SEEDS:
            visitor.go(room)
            expect(visitor.page.locator("#messages li.message .body").first).not_to_be_empty()


def test_they_talk_both_ways(arrive):
    """What one says the other sees, under the name of who said it."""
    tess, ulysses = arrive("animals"), arrive("animals")
    tess.say("I like cats")
    ulysses.sees("I like cats")
    ulysses.say("Then you will like this one")
    tess.sees("Then you will like this one")
    expect(tess.line("Then you will like this one").locator(".by b")).to_have_text(ulysses.name)
    assert tess.shown == ulysses.shown


def test_a_room_that_one_creates_appears_for_the_other(arrive):
    """A new public room is in everyone's list without a reload; any name is an address."""
    tess, ulysses = arrive(), arrive()
    name = "小猫 #1/2 & cats"
    tess.page.locator("#create-room").click()
    tess.page.get_by_label("Name", exact=True).fill(name)
    tess.page.get_by_role("button", name="Create", exact=True).click()
    expect(tess.page.locator("#room-name")).to_contain_text(name)
    tess.say("the first word")
    ulysses.go(name)
    ulysses.sees("the first word")
    ulysses.reload()
    expect(ulysses.page.locator("#room-name")).to_contain_text(name)


def test_a_room_whose_name_is_taken_is_not_created(arrive):
    """The dialog says so, and stays; nobody finds themselves in a room that they did not mean."""
    tess = arrive("animals")
    tess.page.locator("#create-room").click()
    dialog = tess.page.get_by_role("dialog", name="Create a room")
    dialog.get_by_label("Name", exact=True).fill("Jokes")
    dialog.get_by_label("Topic").fill("only mine")
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("This name is taken.")
    expect(tess.page.locator("#room-name")).to_contain_text("animals")


def test_unseen_messages_count_until_they_are_seen(arrive):
    """Each message in another room counts one, in the list and in the title."""
    tess, ulysses = arrive("jokes"), arrive("animals")
    for text in ("one", "two", "three"):
        tess.say(text)
    expect(ulysses.count_at("jokes")).to_have_text("3")
    expect(ulysses.page).to_have_title("(3) #animals · Hubtalk")
    ulysses.go("jokes")
    expect(ulysses.count_at("jokes")).to_have_count(0)
    expect(ulysses.page).to_have_title("#jokes · Hubtalk")
    expect(ulysses.page.get_by_role("separator", name="New since you left")).to_be_visible()


def test_one_edits_deletes_and_reacts_and_the_other_sees_it(arrive):
    """Every change of a message is seen at once by both."""
    tess, ulysses = arrive("golang"), arrive("golang")
    tess.say("channels are qeueus")
    tess.say("never mind")
    ulysses.sees("never mind")

    tess.act("channels are qeueus", "edit")
    tess.write("channels are queues")
    expect(ulysses.line("channels are queues").locator(".edited")).to_be_visible()

    tess.act("never mind", "delete")
    tess.page.locator("#delete-dialog").get_by_role("button", name="Delete").click()
    ulysses.sees("message removed")

    ulysses.act("channels are queues", "react")
    ulysses.page.locator("#reaction-picker").get_by_role("menuitem", name="🎉").click()
    expect(tess.line("channels are queues").locator(".reactions [data-emoji]")).to_have_text("🎉 1")
    tess.line("channels are queues").locator(".reactions [data-emoji]").click()
    expect(ulysses.line("channels are queues").locator(".reactions [data-emoji]")).to_have_text("🎉 2")
    expect(tess.line("channels are queues").locator(".reactions [data-emoji]")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert tess.shown == ulysses.shown


def test_a_reply_leads_to_what_it_answers(arrive):
    """A reply quotes its message, and a click goes there."""
    tess, ulysses = arrive("animals"), arrive("animals")
    tess.say("who keeps axolotls?")
    ulysses.act("who keeps axolotls?", "reply")
    expect(ulysses.page.locator("#context")).to_contain_text("who keeps axolotls?")
    ulysses.say("I do")
    quote = tess.line("I do").locator(".reply")
    expect(quote).to_have_text(f"{tess.name}: who keeps axolotls?")
    quote.click()
    expect(tess.line("who keeps axolotls?")).to_be_focused()


def test_one_sees_who_is_here_and_who_is_writing(arrive):
    """Presence and typing follow within moments."""
    tess, ulysses = arrive("animals"), arrive("animals")
    expect(tess.page.locator("#people-list .person", has_text=ulysses.name)).to_be_visible()
    ulysses.field.press_sequentially("hm")
    expect(tess.page.locator("#typing")).to_contain_text(f"{ulysses.name} is typing")
    name = ulysses.name
    ulysses.page.close()
    expect(tess.page.locator("#people-list .person", has_text=name)).to_have_count(0)


def test_another_name_is_everyones_at_once(arrive):
    """From then on everyone sees the new name."""
    tess, ulysses = arrive("animals"), arrive("animals")
    ulysses.page.locator("#me").click()
    ulysses.page.get_by_label("Another name").fill("Odysseus")
    ulysses.page.get_by_role("button", name="Rename").click()
    expect(ulysses.page.locator("#me bdi")).to_have_text("Odysseus")
    expect(tess.page.locator("#people-list")).to_contain_text("Odysseus")
    ulysses.say("it is me")
    expect(tess.line("it is me").locator(".by b")).to_have_text("Odysseus")
    ulysses.reload()
    expect(ulysses.page.locator("#me bdi")).to_have_text("Odysseus")


def test_a_name_that_is_taken_is_refused_with_the_reason(arrive):
    """The dialog stays open and says why."""
    tess, ulysses = arrive(), arrive()
    tess.say("I was here first")
    ulysses.page.locator("#me").click()
    ulysses.page.get_by_label("Another name").fill(tess.name)
    ulysses.page.get_by_role("button", name="Rename").click()
    expect(ulysses.page.locator("#me-dialog").get_by_role("alert")).to_have_text(re.compile("name", re.IGNORECASE))


def test_who_was_away_shows_exactly_what_the_others_show(arrive, cable):
    """20 messages, two edits and a deletion that were missed are there after the reconnect, once and in order."""
    tess, ulysses = arrive("animals"), arrive("animals", url=cable.url)
    for text in ("first draft", "second draft", "a slip"):
        tess.say(text)
    ulysses.sees("a slip")

    cable.cut()
    expect(ulysses.page.locator("#connection")).to_contain_text("Not connected")
    tess.post_many("animals", [f"missed {i}" for i in range(20)])
    tess.sees("missed 19")
    for before, after in (("first draft", "first text"), ("second draft", "second text")):
        tess.act(before, "edit")
        tess.write(after)
        expect(tess.line(after).locator(".edited")).to_be_visible()
    tess.act("a slip", "delete")
    tess.page.locator("#delete-dialog").get_by_role("button", name="Delete").click()
    expect(tess.line("a slip")).to_have_count(0)
    ulysses.write("said while away")
    expect(ulysses.line("said while away")).to_have_attribute("data-state", "sending")

    cable.mend()
    ulysses.sees("missed 19")
    tess.sees("said while away")
    expect(ulysses.page.locator("#connection")).to_be_hidden()
    expect(ulysses.line("said while away")).to_have_attribute("data-seq", re.compile(r"\d+"))
    assert ulysses.shown == tess.shown
    texts = [line["text"] for line in ulysses.shown]
    assert [text for text in texts if str(text).startswith("missed")] == [f"missed {i}" for i in range(20)]
    assert texts.count("said while away") == 1
