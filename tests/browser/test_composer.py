"""Writing: the keys, the input methods, the limits."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

COLOUR = """(token) => {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}"""


def test_enter_sends_and_shift_enter_breaks_the_line(arrive):
    """Two lines are one message."""
    tess = arrive("animals")
    tess.field.press_sequentially("one line")
    tess.field.press("Shift+Enter")
    tess.field.press_sequentially("two lines")
    expect(tess.field).to_have_value("one line\ntwo lines")
    tess.field.press("Enter")
    expect(tess.field).to_have_value("")
    expect(tess.line("two lines").locator(".body")).to_have_text("one line\ntwo lines", use_inner_text=True)


def test_enter_that_ends_an_input_method_does_not_send(arrive):
    """Whoever writes 猫 with pinyin chooses it with Enter, and sends with the next one."""
    tess = arrive("animals")
    keyboard = tess.page.context.new_cdp_session(tess.page)
    tess.field.focus()
    keyboard.send("Input.imeSetComposition", {"text": "mao", "selectionStart": 3, "selectionEnd": 3})
    keyboard.send(
        "Input.dispatchKeyEvent",
        {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229},
    )
    tess.field.evaluate(
        "(field) => field.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))"
    )
    expect(tess.field).to_have_value("mao")
    keyboard.send("Input.insertText", {"text": "猫"})
    expect(tess.field).to_have_value("猫")
    assert "猫" not in [line["text"] for line in tess.shown]
    tess.field.press("Enter")
    expect(tess.line("猫")).to_be_visible()
    expect(tess.field).to_have_value("")


def test_blank_text_is_not_sent(arrive):
    """Spaces are no message."""
    tess = arrive("animals")
    before = tess.shown
    tess.write("  \n ")
    expect(tess.page.get_by_role("button", name="Send")).to_be_disabled()
    assert tess.shown == before


def test_too_long_a_text_is_told_before_it_is_sent(arrive):
    """The page counts as the server does: characters, not code units, and bytes of UTF-8."""
    tess = arrive("animals")
    tess.field.fill("é" * 16_001)
    expect(tess.page.locator("#composer-note")).to_have_text("1 character too long")
    tess.field.fill("😀" * 12_001)
    expect(tess.page.locator("#composer-note")).to_have_text("1 character too long")
    expect(tess.page.get_by_role("button", name="Send")).to_be_disabled()
    tess.field.press("Enter")
    expect(tess.field).to_have_value("😀" * 12_001)
    tess.field.fill("😀" * 12_000)
    tess.field.press("Enter")
    expect(tess.line("😀" * 100)).to_have_attribute("data-state", "sent")


def test_too_long_a_text_looks_like_an_error(arrive):
    """The note and the field are in the colours of errors, as long as the text is too long."""
    tess = arrive("animals")
    note, box = tess.page.locator("#composer-note"), tess.page.locator("#compose .box")
    bad = tess.page.evaluate(COLOUR, "--bad")
    tess.field.fill("x" * 16_001)
    expect(note).to_have_css("color", bad)
    expect(note).to_have_css("background-color", tess.page.evaluate(COLOUR, "--bad-soft"))
    expect(box).to_have_css("border-color", bad)
    tess.field.fill("x" * 16_000)
    expect(note).not_to_have_css("color", bad)
    expect(box).not_to_have_css("border-color", bad)


def test_arrow_up_edits_the_last_own_message(arrive):
    """In an empty field; Escape gives it up and brings back what was being written."""
    tess = arrive("animals")
    tess.say("a tpyo")
    tess.field.press("ArrowUp")
    expect(tess.field).to_have_value("a tpyo")
    tess.field.press("Escape")
    expect(tess.field).to_have_value("")
    tess.field.press("ArrowUp")
    tess.field.fill("a typo")
    tess.field.press("Enter")
    expect(tess.line("a typo").locator(".edited")).to_be_visible()
    expect(tess.field).to_have_value("")


GROW_WHILE_SCROLLING = """() => {
  const field = document.querySelector("#body");
  document.querySelector("#log").scrollTop -= 1;
  field.value = "line\\n".repeat(100);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  return frame().then(frame);
}"""


def test_the_field_that_grows_while_the_conversation_scrolls(arrive):
    """Whoever read the newest message goes on doing so."""
    tess = arrive("animals")
    tess.post_many("animals", [f"line {number}" for number in range(40)])
    tess.say("the newest")
    tess.page.evaluate(GROW_WHILE_SCROLLING)
    expect(tess.line("the newest")).to_be_in_viewport()


def test_the_field_grows_with_its_text_up_to_a_limit(arrive):
    """The conversation keeps its place above it."""
    tess = arrive("animals")
    one = tess.field.bounding_box()["height"]
    tess.field.fill("line\n" * 4)
    assert tess.field.bounding_box()["height"] > one * 2
    tess.field.fill("line\n" * 100)
    assert tess.field.bounding_box()["height"] < 400
    expect(tess.page.locator("#messages li.message").last).to_be_in_viewport()


def test_letters_with_control_go_to_rooms(arrive):
    """The underlined letter leads to its room, also while one is writing; the browser's own keys are left alone."""
    tess = arrive("animals")
    expect(tess.page.locator(".room u")).to_have_text(["i", "j", "g"])
    tess.field.press_sequentially("half a word")
    tess.field.press("Control+j")
    expect(tess.page.locator("#room-name")).to_contain_text("jokes")
    tess.field.press("Control+i")
    expect(tess.page.locator("#room-name")).to_contain_text("animals")
    tess.field.press("Control+a")
    tess.field.press("Control+x")
    expect(tess.field).to_have_value("")
    tess.field.press("Alt+ArrowDown")
    expect(tess.page.locator("#room-name")).to_contain_text("jokes")


def test_everything_on_a_message_can_be_reached_by_keys(arrive):
    """From the field to the messages and back, with a reaction on the way."""
    tess = arrive("golang")
    tess.say("reach me")
    tess.field.press("Shift+Tab")
    expect(tess.line("reach me")).to_be_focused()
    tess.page.keyboard.press("+")
    tess.page.keyboard.press("ArrowRight")
    tess.page.keyboard.press("Enter")
    expect(tess.line("reach me").locator(".reactions [data-emoji]")).to_have_text("❤️ 1")
    tess.line("reach me").focus()
    tess.page.keyboard.press("r")
    expect(tess.field).to_be_focused()
    expect(tess.page.locator("#context")).to_be_visible()
    tess.page.keyboard.press("Escape")
    expect(tess.page.locator("#context")).to_be_hidden()
    tess.line("reach me").focus()
    tess.page.keyboard.press("Delete")
    expect(tess.page.locator("#delete-dialog")).to_be_visible()
    tess.page.keyboard.press("Escape")
    expect(tess.page.locator("#delete-dialog")).to_be_hidden()
    tess.line("reach me").focus()
    tess.page.keyboard.press("Escape")
    expect(tess.field).to_be_focused()
