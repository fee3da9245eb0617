"""The behaviours of tests/js/behaviours.js, against the server, from Node and from Chromium."""

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch

NODE_PROGRAM = Path(__file__).parent / "node.mjs"
DEADLINE = 120.0

IN_PAGE = """async (address) => {
  const { behaviours } = await import("/behaviours.js");
  const results = [];
  for (const behave of behaviours) {
    await behave(gotalk, address).then(
      () => results.push(`ok ${behave.name}`),
      (error) => results.push(`not ok ${behave.name}: ${error.stack}`),
    );
  }
  return results;
}"""


def all_well(results: list[str]) -> bool:
    """Whether each behaviour was shown; there are more than thirty."""
    assert [result for result in results if not result.startswith("ok ")] == []
    return len(results) > 30


@pytest.mark.node
def test_from_node(site):
    """gotalk.js with the WebSocket of a library."""
    command = ["node", str(NODE_PROGRAM), "behave", site["ws"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert all_well(done.stdout.splitlines())


@pytest.mark.browser
def test_from_chromium(site):
    """gotalk.js as a page loads it."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page()
        page.goto(site["http"])
        assert all_well(page.evaluate(IN_PAGE, site["ws"]))
