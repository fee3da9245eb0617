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


def test_emoji_alone_are_larger(arrive):
    """A message of a few emoji is a gesture, not a line of text."""
    tess = arrive("animals")
    tess.say("🎉❤️")
    tess.say("🎉❤️ hooray")
    alone, beside = (tess.page.locator(".emoji", has_text="🎉❤️").nth(each) for each in (0, 1))
    expect(alone).to_have_css("font-size", "32px")
    expect(beside).to_have_css("font-size", "15px")
