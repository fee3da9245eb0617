"""The page of the operations in a browser: filtering, trying, and what it looks like on a phone."""

import json
import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import Visitor
from tests.server import Server

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
STREAMING = {"RATE_LIMITS": "off", "DJANGO_SETTINGS_MODULE": "tests.browser.streaming.settings"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The chat, and two operations that are streams."""
    with Server(tmp_path_factory.mktemp("site") / "data", environment=STREAMING) as server:
        yield server


@dataclass
class Operation:
    article: Locator

    def opened(self) -> "Operation":
        """With its form."""
        self.article.locator(".try summary").click()
        expect(self.form).to_be_visible()
        return self

    @property
    def form(self) -> Locator:
        return self.article.locator(".try form")

    @property
    def verdict(self) -> Locator:
        return self.article.get_by_role("status")

    @property
    def answer(self) -> Locator:
        return self.article.get_by_role("log")

    def field(self, name: str) -> Locator:
        return self.form.get_by_label(re.compile(rf"^{re.escape(name)}( |$)"))

    def send(self, outcome: str) -> None:
        self.form.get_by_role("button", name="Send").click()
        expect(self.verdict).to_have_text(re.compile(rf"^{outcome}.*\d+ ms"))

    def answered(self) -> object:
        self.send("Answered")
        return json.loads(self.answer.inner_text())


@pytest.fixture
def page(arrive, site) -> Page:
    return on_page(arrive(), site)


def on_page(visitor: Visitor, site: Server) -> Page:
    visitor.page.goto(f"{site.url}/rpc/")
    expect(visitor.page.locator(".try").first).to_be_visible()
    return visitor.page


def operation(page: Page, name: str) -> Operation:
    return Operation(page.locator(f'.operation[data-name="{name}"]')).opened()


def test_without_parameters(page):
    """One press tells who one is."""
    assert operation(page, "whoami").answered()["is_guest"] is True


def test_text(page):
    """What is raw goes and comes as it is."""
    echo = operation(page, "echo")
    echo.field("params").fill("Grüße 猫 😀")
    echo.send("Answered")
    expect(echo.answer).to_have_text("Grüße 猫 😀")


def test_fields(page):
    """Each parameter has its input."""
    greet = operation(page, "greet")
    greet.field("name").fill("Rasmus")
    assert greet.answered() == {"greeting": "Hello Rasmus"}


def test_fields_of_a_field(page):
    """So has what lies within a parameter; what is left empty is left out."""
    send = operation(page, "send-message")
    send.field("room").fill("animals")
    send.field("message.body").fill("from the form")
    assert send.answered()["seq"] > 0
    listed = operation(page, "list-messages")
    listed.field("room").fill("animals")
    listed.field("limit").fill("1")
    assert [message["body"] for message in listed.answered()] == ["from the form"]


def test_json_instead_of_fields(page):
    """The switch shows what the fields say, and takes what they cannot."""
    listed = operation(page, "list-messages")
    listed.field("room").fill("jokes")
    listed.form.get_by_role("switch", name="as JSON").check()
    expect(listed.field("params")).to_have_value('{\n  "room": "jokes"\n}')
    listed.field("params").fill('"jokes"')
    assert isinstance(listed.answered(), list)


def test_choice(page):
    """Of a few values one is chosen."""
    create = operation(page, "create-room")
    create.field("name").fill("chosen")
    create.field("kind").select_option("private")
    assert create.answered()["kind"] == "private"


def test_error_of_the_server(page):
    """Its words, its code and the field at fault, which is marked."""
    edit = operation(page, "edit-message")
    edit.field("room").fill("animals")
    edit.field("seq").fill("-1")
    edit.send("bad parameters: ")
    expect(edit.article.locator(".fault-code")).to_have_text("bad_params")
    expect(edit.article.locator(".fault-field")).to_have_text("seq")
    expect(edit.field("seq")).to_have_attribute("aria-invalid", "true")
    expect(edit.answer).to_be_hidden()


def test_error_of_the_form(page):
    """What cannot be sent is said at once, and the focus goes there."""
    edit = operation(page, "edit-message")
    edit.form.get_by_role("button", name="Send").click()
    expect(edit.verdict).to_have_text("seq: a number is required.")
    expect(edit.field("seq")).to_be_focused()
    expect(edit.field("seq")).to_have_attribute("aria-invalid", "true")


def test_what_is_no_json(page):
    """The sentence names the field."""
    sync = operation(page, "sync")
    sync.field("rooms").fill("{")
    sync.form.get_by_role("button", name="Send").click()
    expect(sync.verdict).to_have_text("rooms: this is not JSON.")


def test_notification(page):
    """It is sent, and nothing comes back."""
    typing = operation(page, "typing")
    typing.field("room").fill("animals")
    typing.send("Sent")
    expect(typing.answer).to_be_hidden()


def test_stream(page):
    """A line is a part; the parts of the result stand below each other."""
    double = operation(page, "double")
    double.form.get_by_label("Parts").fill("1\n\n20\n")
    double.send("Ended")
    expect(double.answer.locator("div")).to_have_text(["2", "40"])


def test_part_that_is_no_json(page):
    """Nothing of the stream is sent."""
    double = operation(page, "double")
    double.form.get_by_label("Parts").fill("1\n{")
    double.form.get_by_role("button", name="Send").click()
    expect(double.verdict).to_have_text("Part 2 is not JSON.")
    expect(double.answer).to_be_hidden()


def test_cancel(page):
    """A stream without an end ends when one has seen enough; what came stays."""
    count = operation(page, "count")
    count.form.get_by_role("button", name="Send").click()
    expect(count.answer.locator("div").first).to_have_text("0")
    count.form.get_by_role("button", name="Cancel").click()
    expect(count.verdict).to_have_text(re.compile(r"^cancelled"))
    expect(count.form.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(count.form.get_by_role("button", name="Send")).to_be_focused()
    expect(count.answer.locator("div").first).to_have_text("0")


def test_filter(page):
    """Words of the name or the doc line leave what has all of them, here and in the list of links."""
    page.get_by_label("Filter").fill("message moderators any")
    expect(page.get_by_role("status").first).to_have_text(re.compile(r"^2 of \d+$"))
    expect(page.locator(".operation:visible h3")).to_have_text(["delete-message", "edit-message"])
    expect(page.locator("nav li:visible")).to_have_text(["delete-message", "edit-message", "Types"])
    page.get_by_label("Filter").fill("")
    expect(page.locator(".operation[data-name=echo]")).to_be_visible()


def test_without_javascript(browser, site):
    """All is there to read, and nothing that would not work."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/rpc/#operation-echo")
        expect(page.locator("#operation-echo")).to_be_in_viewport()
        expect(page.locator("#operation-echo")).to_contain_text("The same bytes back.")
        expect(page.locator(".try, #filter, form").locator("visible=true")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(arrive, site, scheme):
    """Nothing is wider than the window, neither types nor forms nor answers."""
    page = on_page(arrive(color_scheme=scheme, **PHONE), site)
    send = operation(page, "list-messages")
    send.field("room").fill("animals")
    send.answered()
    for details in page.locator("details:not(.try)").all()[:8]:
        details.locator("summary").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_connection_that_is_lost(arrive, cable):
    """The page says so, and goes on when it is back."""
    visitor = arrive(url=cable.url)
    visitor.page.goto(f"{cable.url}/rpc/")
    whoami = operation(visitor.page, "whoami")
    cable.cut()
    expect(visitor.page.locator("#connection")).to_contain_text("The connection is lost.")
    cable.mend()
    expect(visitor.page.locator("#connection")).to_be_hidden()
    whoami.answered()
