"""What the page puts on the clipboard."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_copying_the_link_of_a_room_says_so(arrive, site, has_clipboard):
    """Also on a page over plain http, which has no clipboard of its own."""
    tess = arrive("golang", permissions=["clipboard-read", "clipboard-write"])
    if not has_clipboard:
        tess.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tess.page.locator("#open-details").click()
    tess.page.get_by_role("button", name="Copy link").click()
    expect(tess.page.locator("#composer-note")).to_have_text("Link copied")
    tess.field.focus()
    tess.page.keyboard.press("Control+V")
    expect(tess.field).to_have_value(f"{site.url}/#golang")
