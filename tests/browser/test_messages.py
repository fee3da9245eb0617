"""How messages stand in the conversation."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_emoji_are_drawn_by_a_font_that_has_colours(arrive):
    """Whatever font draws the words around them, which may have plain ones."""
    tess = arrive("animals")
    tess.say("what a cat 🐈 says")
    emoji = tess.line("what a cat").locator(".emoji")
    expect(emoji).to_have_text("🐈")
    expect(emoji).to_have_css("font-variant-emoji", "emoji")
    assert emoji.evaluate("each => getComputedStyle(each).fontFamily").startswith('"Apple Color Emoji"')


def test_a_long_message_is_folded(arrive):
    """It shows its beginning; all of it where the reader asks for it, who stays at its beginning."""
    tess = arrive("golang")
    tess.write("\n".join(f"line {each}" for each in range(1, 100)))
    tess.sent("line 1")
    line = tess.line("line 1")
    assert line.bounding_box()["height"] < 500
    line.get_by_role("button", name="Show all").click()
    assert line.bounding_box()["height"] > 1500
    expect(line.locator(".by")).to_be_in_viewport()
    line.get_by_role("button", name="Show less").click()
    expect(line.locator(".by")).to_be_in_viewport()
    assert line.bounding_box()["height"] < 500


def test_what_is_folded_is_made_of_its_beginning(arrive):
    """A block that is cut is a block all the same, and all of it is there when it is opened."""
    tess = arrive("golang")
    tess.write("```\n" + "\n".join(f"{each} times" for each in range(1, 100)) + "\n```")
    tess.sent("16 times")
    block = tess.line("16 times").locator("pre")
    expect(block).not_to_contain_text("99 times")
    tess.line("16 times").get_by_role("button", name="Show all").click()
    expect(block).to_contain_text("99 times")
    tess.line("16 times").get_by_role("button", name="Show less").click()
    expect(block).not_to_contain_text("99 times")


def test_an_opened_message_stays_open(arrive):
    """Also when it is drawn anew, with what others put on it."""
    tess, ulysses = arrive("jokes"), arrive("jokes")
    tess.write("a very long story " * 200)
    ulysses.line("a very long story").get_by_role("button", name="Show all").click()
    tess.act("a very long story", "react")
    tess.page.locator("#reaction-picker").get_by_role("menuitem", name="😂").click()
    expect(ulysses.line("a very long story").locator(".reactions [data-emoji]")).to_have_text("😂 1")
    expect(ulysses.line("a very long story").get_by_role("button", name="Show less")).to_be_visible()
    assert ulysses.line("a very long story").bounding_box()["height"] > 700


def test_the_keyboard_opens_what_it_enters(arrive):
    """A link below the fold can be reached, and what the keyboard is at stays so."""
    tess = arrive("golang")
    tess.write("so it went on\n" * 16 + "https://example.org/end" + "\nand on" * 40)
    tess.sent("so it went on")
    tess.line("so it went on").focus()
    tess.page.keyboard.press("Tab")
    expect(tess.page.get_by_role("link", name="https://example.org/end")).to_be_focused()
    expect(tess.page.get_by_role("link", name="https://example.org/end")).to_be_in_viewport()
    expect(tess.line("so it went on").get_by_role("button", name="Show less")).to_be_visible()


def test_removed_messages_that_follow_each_other_are_one_line(arrive):
    """They say nothing more than how many they were; a reply still leads there."""
    tess = arrive("golang")
    for text in ("one of three", "two of three", "three of three"):
        tess.say(text)
    tess.act("two of three", "reply")
    tess.say("I disagree")
    for text in ("two of three", "one of three", "three of three"):
        tess.act(text, "delete")
        tess.page.locator("#delete-dialog").get_by_role("button", name="Delete").click()
        expect(tess.page.locator(".message .body", has_text=text)).to_have_count(0)
    expect(tess.line("3 messages removed")).to_be_visible()
    expect(tess.page.locator(".removed")).to_have_count(1)
    tess.line("I disagree").locator(".reply").click()
    expect(tess.line("3 messages removed")).to_be_focused()


def test_emoji_alone_are_larger(arrive):
    """A message of a few emoji is a gesture, not a line of text."""
    tess = arrive("animals")
    tess.say("🎉❤️")
    tess.say("🎉❤️ hooray")
    alone, beside = (tess.page.locator(".emoji", has_text="🎉❤️").nth(each) for each in (0, 1))
    expect(alone).to_have_css("font-size", "32px")
    expect(beside).to_have_css("font-size", "15px")
