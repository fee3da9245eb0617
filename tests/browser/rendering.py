"""The longest messages, of each kind that could be slow to show, and the time that a page takes to show one."""

import json
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page

FORMS: dict[str, tuple[str, str, str]] = json.loads(
    (Path(__file__).parent.parent / "js" / "lib" / "long.json").read_text()
)
"""What a text begins with, repeats and ends with, by what it is."""

MAX_CHARS, MAX_BYTES = 16_000, 48_000
"""Of a message."""

SHOW = """async ([text, isOpen, times]) => {
  const { bodyNodes } = await import("/static/chat/view/messages/body.js");
  const list = document.querySelector("#messages");
  const shown = [];
  for (let i = 0; i < times; i++) {
    const line = document.createElement("li");
    line.className = "message";
    const content = document.createElement("div");
    content.className = "content";
    const began = performance.now();
    content.append(...bodyNodes(text, isOpen));
    const made = performance.now();
    line.append(content);
    list.append(line);
    line.getBoundingClientRect();
    const laidOut = performance.now();
    const nodes = content.querySelectorAll("*").length;
    const characters = content.firstElementChild.textContent.length;
    shown.push({ making: made - began, laying_out: laidOut - made, nodes, characters });
    line.remove();
    list.getBoundingClientRect();
    await new Promise((resolve) => setTimeout(resolve));
  }
  return shown.sort((a, b) => a.making + a.laying_out - b.making - b.laying_out)[0];
}"""


class Shown(NamedTuple):
    """A message on the page, at its fastest; times in milliseconds."""

    making: float
    """Of its nodes."""
    laying_out: float
    nodes: int
    characters: int
    """UTF-16 code units that are in the nodes."""

    @property
    def time(self) -> float:
        return self.making + self.laying_out


def longest(form: tuple[str, str, str]) -> str:
    """As long as a message may be."""
    begin, unit, end = form
    chars = (MAX_CHARS - len(begin + end)) // len(unit)
    size = (MAX_BYTES - len((begin + end).encode())) // len(unit.encode())
    return begin + min(chars, size) * unit + end


def show(page: Page, text: str, *, is_open: bool, times: int) -> Shown:
    """Show a message at the end of the conversation, again and again; `is_open`: all of it, not its beginning."""
    return Shown(**page.evaluate(SHOW, [text, is_open, times]))
