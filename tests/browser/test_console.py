"""The console: open a door, send by hand, see what goes through it."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from chat.web.console import DOORS
from tests.browser.stand_in import stand_in
from tests.browser.visitor import complaints_of
from tests.server import Server

pytestmark = pytest.mark.browser

STREAMING = "tests.browser.streaming.settings"
NAMELESS = """() => [...document.querySelectorAll("button, a, input, select, textarea, [role=log]")]
  .filter((each) => !each.textContent.trim() || each.matches("select"))
  .filter((each) => !each.ariaLabel && !each.labels?.length)
  .map((each) => each.outerHTML)"""


@dataclass
class Console:
    page: Page

    def open(self) -> None:
        self.page.get_by_role("button", name="Open").click()
        expect(self.page.locator("#state")).to_have_text("Open")

    def send(self) -> None:
        self.page.get_by_role("button", name="Send").click()

    def choose(self, label: str, option: str) -> None:
        self.page.get_by_label(label, exact=True).select_option(option)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def reach(self, address: str, wire: str) -> None:
        """Open an address of one's own."""
        self.choose("Door", "another address")
        self.fill("Address", address)
        self.choose("Wire", wire)
        self.open()

    def entry(self, kind: str, *words: str) -> Locator:
        """The last entry of a kind with these words."""
        found = self.page.locator(f'#entries [data-kind="{kind}"]')
        for word in words:
            found = found.filter(has_text=word)
        return found.last

    def sees(self, kind: str, *words: str) -> None:
        expect(self.entry(kind, *words)).to_be_visible()


@pytest.fixture
def opened(browser, site):
    """Opens the console for another person; at the end no browser may have complained."""
    contexts, complaints = [], []

    def open_console(link="", url=site.url, **window):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **window})
        contexts.append(context)
        page = context.new_page()
        complaints.append(complaints_of(page))
        page.goto(f"{url}/console/{link}")
        expect(page.locator("#state")).not_to_be_empty()
        return Console(page)

    yield open_console
    for context in contexts:
        context.close()
    assert [complaint for each in complaints for complaint in each] == []


@pytest.fixture
def console(opened):
    return opened()


def echo(connection):
    for frame in connection:
        connection.send(frame)


def push(connection):
    """Answers 111, then pushes a notice."""
    assert connection.recv() == b"\x00\x00\x00\x6fAnna"
    connection.send(b'\x00\x00\x00\x6f{"user": "Anna"}')
    connection.send(b"\x00\x00\x00\x64{}")
    connection.recv()


def hub(connection):
    connection.recv()
    connection.send("hello\nyou")
    connection.close(4404, "no such room")


@pytest.fixture(scope="module")
def crowded(site):
    """The site, with doors of the other wires."""
    with stand_in(site.port, {"/stand-in/echo": echo, "/stand-in/push": push, "/stand-in/hub": hub}) as url:
        yield url


@pytest.fixture
def streaming(tmp_path):
    """A site that has streams."""
    with Server(tmp_path / "data", environment={"DJANGO_SETTINGS_MODULE": STREAMING}) as server:
        yield server.url


@pytest.mark.parametrize("door", [door.name for door in DOORS])
def test_every_offered_door_opens(console, door):
    """No door of the list leads nowhere."""
    console.page.get_by_label("Door").select_option(value=door)
    console.open()
    console.sees("OPEN")
    expect(console.page.locator('[data-kind="CLOSE"], [data-kind="ERROR"]')).to_have_count(0)


def test_opening_gotalk_says_version_and_hello(console):
    """Both sides' first messages are shown."""
    console.open()
    for kind in ("SEND", "RESPONSE"):
        console.sees(kind, "version01")
        console.sees(kind, "name$hello", '"features"')


def test_request_is_answered_and_both_are_shown_field_by_field(console):
    """Type, id, operation, size and payload."""
    console.open()
    console.fill("Operation", "echo")
    console.choose("Payload from", "text")
    console.fill("Payload", '{"cat":"猫"}')
    console.send()
    console.sees("SEND", "typer (request)", "operationecho", "size13", '"cat": "猫"')
    console.sees("RESPONSE", "typeR (result)", "size13", "answersecho", '"cat": "猫"')


def test_operation_has_a_form(console):
    """The form comes from what the server says of its operations."""
    console.open()
    console.fill("Operation", "greet")
    console.page.get_by_label("name", exact=False).and_(console.page.locator("#operation-form input")).fill("Anna")
    console.page.keyboard.press("Enter")
    console.sees("SEND", "operationgreet", '"name": "Anna"')
    console.sees("RESPONSE", "answersgreet", "Anna")


def test_operations_are_offered_for_the_chosen_kind(console):
    """Requests and notifications have lists of their own."""
    console.open()
    offered = console.page.locator("#operations option")
    expect(offered.and_(console.page.locator('[value="send-message"]'))).to_have_count(1)
    console.choose("Kind", "notification")
    expect(offered.and_(console.page.locator('[value="send-message"]'))).to_have_count(0)
    expect(offered.and_(console.page.locator('[value="typing"]'))).to_have_count(1)


def test_stream_is_written_part_by_part(opened, streaming):
    """A stream request, a part of it and its end; the id is filled in, and the form is the operation's."""
    console = opened(url=streaming)
    console.open()
    console.choose("Kind", "stream request")
    console.fill("Operation", "double")
    number = console.page.locator("#operation-form input[type=number]")
    for kind, part in (("stream request", "4"), ("part of a stream request", "5")):
        console.choose("Kind", kind)
        number.fill(part)
        number.press("Enter")
    console.sees("RESPONSE", "typeS (part of a result)", "answersdouble", "8")
    console.sees("RESPONSE", "typeS (part of a result)", "answersdouble", "10")
    console.choose("Kind", "end of a stream request")
    console.send()
    console.sees("SEND", "typep (part of a stream request)", "size0")
    console.sees("RESPONSE", "typeS (part of a result)", "size0")


def test_protocol_error_by_hand_is_answered_and_closes(console):
    """Bytes that are no gotalk get `f` 2 and the close code 4002."""
    console.open()
    console.choose("Send as", "binary frame, in hex")
    console.fill("Payload", "7a 7a 7a")
    console.page.get_by_label("Payload", exact=True).press("Control+Enter")
    console.sees("SEND", "binary, 3 bytes", "Not gotalk")
    console.sees("RESPONSE", "typef (protocol error)", "code2 (invalid message)")
    console.sees("CLOSE", "4002")
    expect(console.page.locator("#state")).to_have_text("Closed")


def test_closing_shows_the_code(console):
    """A normal end is 1000, and the door can be opened again."""
    console.open()
    console.page.get_by_role("button", name="Close").click()
    console.sees("CLOSE", "1000")
    expect(console.page.get_by_role("button", name="Open")).to_be_focused()
    console.open()


def test_stock_peer_says_its_version_only_and_sends_two_frames(console):
    """As a browser with the public gotalk.js does."""
    console.page.get_by_label("as a stock peer").check()
    console.open()
    console.fill("Operation", "echo")
    console.fill("Payload", "hello")
    console.send()
    console.sees("SEND", "binary, 20 bytes", "payloadin the next frame")
    console.sees("SEND", "binary, 5 bytes", "hello")
    console.sees("RESPONSE", "answersecho", "hello")
    expect(console.entry("SEND", "$hello")).to_have_count(0)


def test_heartbeats_are_shown_or_hidden(opened, site):
    """Both sides' heartbeats stand in the log, and a switch hides them."""
    console = opened()
    console.page.clock.install()
    console.page.reload()
    console.open()
    console.page.clock.run_for(10_000)
    console.sees("SEND", "typeh (heartbeat)")
    console.page.get_by_label("Hide heartbeats").check()
    expect(console.entry("SEND", "typeh (heartbeat)")).to_be_hidden()
    console.sees("OPEN")


def test_echo_in_text_and_in_bytes(opened, crowded):
    """The echo wire sends what is written, in the kind of frame that was chosen."""
    console = opened(url=crowded)
    console.reach("/stand-in/echo", "echo")
    console.fill("Payload", "大家好")
    console.send()
    console.sees("RESPONSE", "text, 9 bytes", "大家好")
    console.choose("Send as", "binary frame, in hex")
    console.fill("Payload", "00ff")
    console.send()
    console.sees("RESPONSE", "binary, 2 bytes", "00 ff")


def test_push_has_an_opcode_before_its_payload(opened, crowded):
    """Opcodes have names, and what is pushed is read field by field."""
    console = opened(url=crowded)
    console.reach("/stand-in/push", "push: opcode and payload")
    console.fill("Opcode", "111")
    expect(console.page.get_by_text("get info; payload: nothing, or a name")).to_be_visible()
    console.fill("Payload", "Anna")
    console.send()
    console.sees("SEND", "opcode111 (get info)", "size4", "Anna")
    console.sees("RESPONSE", "opcode111 (get info)", '"user": "Anna"')
    console.sees("RESPONSE", "opcode100 (heartbeat)")


def test_hub_tells_messages_of_one_frame_apart(opened, crowded):
    """Lines are messages, and the reason of a close is shown."""
    console = opened(url=crowded)
    console.reach("/stand-in/hub", "text: one message per line")
    console.fill("Payload", "hi")
    console.send()
    console.sees("RESPONSE", "1 of 2", "hello", "2 of 2", "you")
    console.sees("CLOSE", "4404 (no such room)")


def test_another_host_is_refused_in_words(console):
    """The page's policy allows its own host only; nothing is tried, and the log says what is possible."""
    console.choose("Door", "another address")
    console.fill("Address", "wss://elsewhere.example/echo")
    console.page.get_by_label("Address").press("Enter")
    console.sees("ERROR", "This page can open sockets to 127.0.0.1:")
    expect(console.page.locator("#setup-problem")).to_contain_text("This page can open sockets to")


def test_mistake_in_hex_is_told_beside_the_field(console):
    """Nothing is sent, and the sentence says what to correct."""
    console.open()
    console.choose("Send as", "binary frame, in hex")
    console.fill("Payload", "7x")
    console.send()
    console.sees("ERROR", "“x” is not a hex digit.")
    expect(console.page.locator("#composer-problem")).to_have_text("“x” is not a hex digit.")


def test_link_brings_the_set_up_back(console, opened):
    """The address of the page holds the set-up; a link fills it in and opens nothing."""
    console.choose("Door", "another address")
    console.fill("Address", "/stand-in/push?x=1")
    console.choose("Wire", "push: opcode and payload")
    console.fill("Opcode", "110")
    console.page.get_by_label("Opcode").blur()
    expect(console.page).to_have_url(re.compile(r"opcode=110"))

    other = opened("#" + console.page.url.partition("#")[2])
    expect(other.page.get_by_label("Address")).to_have_value("/stand-in/push?x=1")
    expect(other.page.get_by_label("Wire")).to_have_value("push")
    expect(other.page.get_by_label("Opcode")).to_have_value("110")
    expect(other.page.locator("#state")).to_have_text("Closed")
    expect(other.page.locator("#entries li")).to_have_count(0)


def test_link_with_what_does_not_exist_changes_nothing(opened):
    """A door, wire, kind or mode that is unknown here leaves what is chosen."""
    console = opened("#door=nowhere&wire=morse&kind=shout&mode=smoke")
    for label, value in (("Door", DOORS[0].name), ("Send as", "message"), ("Kind", "request")):
        expect(console.page.get_by_label(label)).to_have_value(value)


def test_log_is_copied_as_text_and_cleared(opened):
    """What is copied reads like the log."""
    console = opened(permissions=["clipboard-read", "clipboard-write"])
    console.open()
    console.sees("RESPONSE", "$hello")
    console.page.get_by_role("button", name="Copy").click()
    expect(console.page.get_by_text("Copied.")).to_be_visible()
    copied = console.page.evaluate("navigator.clipboard.readText()")
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} OPEN ws://127\.0\.0\.1:\d+/gotalk/\n", copied)
    assert "RESPONSE binary, 2 bytes\n  version: 01\n" in copied
    console.page.get_by_role("button", name="Clear").click()
    expect(console.page.get_by_role("log").locator("li")).to_have_count(0)


def test_payload_of_somebody_else_stays_text(opened, crowded):
    """Markup in a payload is shown, never run."""
    console = opened(url=crowded)
    console.reach("/stand-in/echo", "echo")
    console.fill("Payload", "<img src=x onerror=alert(1)>")
    console.send()
    console.sees("RESPONSE", "<img src=x onerror=alert(1)>")
    expect(console.page.locator("#entries img")).to_have_count(0)


def test_on_a_phone_nothing_is_wider_than_the_window(opened):
    """360 px are enough, with the longest lines in the log."""
    console = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    console.open()
    console.fill("Operation", "echo")
    console.choose("Payload from", "text")
    console.fill("Payload", "long" * 200)
    console.send()
    console.sees("RESPONSE", "answersecho")
    console.entry("RESPONSE", "answersecho").get_by_text("bytes", exact=True).click()
    assert console.page.evaluate("document.documentElement.scrollWidth") == 360
    expect(console.entry("RESPONSE", "answersecho")).to_be_in_viewport()


def test_every_control_of_the_console_has_a_name(console):
    """For who hears the page instead of seeing it."""
    console.open()
    console.fill("Operation", "send-message")
    assert console.page.evaluate(NAMELESS) == []


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_console_has_the_theme_of_the_viewer(opened, scheme, is_dark):
    """Light or dark, as the system says."""
    page = opened(color_scheme=scheme).page
    red = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0])")
    assert (red < 64) is is_dark


def test_console_speaks_the_language_of_the_viewer(opened):
    """Template and scripts, for a browser in 简体中文."""
    page = opened(locale="zh-CN").page
    expect(page.get_by_role("heading", name="控制台")).to_be_visible()
    page.get_by_role("button", name="连接").click()
    expect(page.locator("#state")).to_have_text("已连接")
    expect(page.get_by_role("log")).to_contain_text("类型")
