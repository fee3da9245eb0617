"""One person with a browser window, as the tests see it: what stands on the page, and what a hand can do."""

import re
from dataclasses import dataclass

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  console.error("policy violation:", event.violatedDirective, event.blockedURI, event.sample);
});
"""
LOST = ("WebSocket connection to", "Failed to load resource: net::ERR_", "[gotalk] cannot connect to")
"""What stands in the console when the network is gone."""

SHOWN = """() => [...document.querySelectorAll("#messages li.message")].map((line) => ({
  seq: Number(line.dataset.seq),
  text: line.querySelector(".body").textContent,
  reactions: [...line.querySelectorAll(".reactions [data-emoji]")].map((each) => each.textContent),
}))"""

POST = """async ([room, texts]) => {
  const other = gotalk.connection();
  await new Promise((resolve) => other.on("open", resolve));
  for (const body of texts) await other.requestp("send-message", { room, message: { body } });
  other.end();
}"""


def complaints_of(page: Page) -> list[str]:
    """What the browser complains of, from now on: errors, warnings of the console, violations of the policy."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # A browser asks for the icon of a page that names none.
        icon = message.location["url"].endswith("/favicon.ico")
        if message.type in ("error", "warning") and not icon and not message.text.startswith(LOST):
            complaints.append(message.text)

    page.add_init_script(WATCH)
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


@dataclass
class Visitor:
    page: Page
    complaints: list[str]

    @classmethod
    def arrive(cls, page: Page, url: str, room: str = "") -> "Visitor":
        visitor = cls(page, complaints_of(page))
        page.goto(f"{url}/{'#' + room if room else ''}")
        visitor.settled()
        return visitor

    @property
    def name(self) -> str:
        return self.page.locator("#me bdi").text_content() or ""

    @property
    def shown(self) -> list[dict[str, object]]:
        """The conversation as it stands."""
        return self.page.evaluate(SHOWN)

    @property
    def rooms(self) -> list[str]:
        return self.page.locator(".room .name").all_inner_texts()

    @property
    def field(self) -> Locator:
        return self.page.locator("#body")

    def settled(self) -> None:
        """The page is connected and shows a room with its messages."""
        expect(self.page.locator("#me bdi")).not_to_have_text("")
        expect(self.page.locator("#compose")).to_be_visible()
        expect(self.page.locator("#connection")).to_be_hidden()
        expect(self.page.locator("#messages li.message, #empty .big").first).to_be_visible()

    def reload(self) -> None:
        self.page.reload()
        self.settled()

    def go(self, room: str) -> None:
        self.page.locator(".room", has=self.page.get_by_text(room, exact=True)).click()
        expect(self.page.locator("#room-name")).to_contain_text(room)

    def write(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def say(self, text: str) -> None:
        """Write and wait until it is the server's."""
        self.write(text)
        self.sent(text)

    def sent(self, text: str) -> None:
        """What has this text in what it shows is the server's."""
        expect(self.line(text)).to_have_attribute("data-state", "sent")
        expect(self.line(text)).to_have_attribute("data-seq", re.compile(r"\d+"))

    def line(self, text: str) -> Locator:
        return self.page.locator("#messages li.message", has=self.page.locator(".body", has_text=text)).last

    def sees(self, text: str) -> None:
        expect(self.line(text)).to_be_visible()

    def act(self, text: str, action: str) -> None:
        """Choose an action of the toolbar on the message with this text."""
        self.line(text).hover()
        self.page.locator(f'#message-actions [data-action="{action}"]').click()

    def count_at(self, room: str) -> Locator:
        link = self.page.locator(".room", has=self.page.get_by_text(room, exact=True))
        return link.locator('.count [aria-hidden="true"]')

    def post_many(self, room: str, texts: list[str]) -> None:
        """Post through a second connection of this page, without the composer."""
        self.page.evaluate(POST, [room, texts])
