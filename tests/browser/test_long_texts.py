"""No text, however it is made, takes the page's time."""

import pytest

from chat.services.posts import MAX_BODY_BYTES, MAX_BODY_CHARS
from tests.browser.rendering import FORMS, MAX_BYTES, MAX_CHARS, longest, show

pytestmark = pytest.mark.browser

RATIO = 10
"""How much longer than lines of a letter each; what grows with the square of the length takes twenty times."""
USUAL = "lines"
MOST_NODES = 800
MOST_CHARACTERS = 24 * 80


@pytest.fixture(scope="module")
def page(site, browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{site.url}/#animals")
    page.locator("#messages li.message, #empty .big").first.wait_for()
    yield page
    page.close()


def test_the_texts_are_as_long_as_may_be():
    """Each has as many characters, or as many bytes, as a message may have."""
    assert (MAX_CHARS, MAX_BYTES) == (MAX_BODY_CHARS, MAX_BODY_BYTES)
    for form in FORMS.values():
        text, unit = longest(form), form[1]
        assert len(text) <= MAX_CHARS and len(text.encode()) <= MAX_BYTES
        assert len(text + unit) > MAX_CHARS or len((text + unit).encode()) > MAX_BYTES


def test_a_long_text_is_made_into_few_nodes(page):
    """As many as its beginning needs, until the reader asks for all of it."""
    shown = {name: show(page, longest(form), is_open=False, times=1) for name, form in FORMS.items()}
    assert {name: each for name, each in shown.items() if each.nodes > MOST_NODES} == {}
    assert {name: each for name, each in shown.items() if each.characters > MOST_CHARACTERS} == {}


def test_the_whole_of_a_long_text_is_shown_in_linear_time(page):
    """Whatever it is made of, it takes about as long as any other."""
    most = RATIO * show(page, longest(FORMS[USUAL]), is_open=True, times=3).time
    slow = [name for name, form in FORMS.items() if show(page, longest(form), is_open=True, times=1).time > most]
    # Something else may have taken the machine.
    assert [name for name in slow if show(page, longest(FORMS[name]), is_open=True, times=3).time > most] == []
