"""Debian's Chromium, without what it would ask of the network by itself."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright

# The one without windows needs a third less of the processor.
PROGRAM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test writes itself counts as one from the public internet.
    "--disable-features=LocalNetworkAccessChecks",
]


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()
