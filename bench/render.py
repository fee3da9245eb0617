"""
How long the page takes to show the longest messages, in Chromium: to make the nodes, and to lay them out.

    python -m bench.render

The texts are those of tests/js/lib/long.json, each as long as a message may be: the ten that take longest folded,
as they arrive, and the ten that take longest when the reader asks for all of them.
"""

from playwright.sync_api import Page, sync_playwright

from bench.load import pinned_server, print_machine
from tests.browser.chromium import launch
from tests.browser.rendering import FORMS, longest, show

TIMES = 7
MOST = 10


def measure(page: Page, *, is_open: bool) -> None:
    shown = {name: show(page, longest(form), is_open=is_open, times=TIMES) for name, form in FORMS.items()}
    print(f"| {'all of it' if is_open else 'folded'} | making | laying out | nodes |")
    print("| --- | --- | --- | --- |")
    for name, each in sorted(shown.items(), key=lambda item: item[1].time, reverse=True)[:MOST]:
        print(f"| {name} | {each.making:.1f} ms | {each.laying_out:.1f} ms | {each.nodes:,} |")
    print()


def main() -> None:
    print_machine()
    with pinned_server() as server, sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{server.url}/#animals")
        page.locator("#messages li.message, #empty .big").first.wait_for()
        # What the browser compiles and loads at first sight counts for none of them.
        for form in FORMS.values():
            show(page, longest(form), is_open=False, times=1)
        measure(page, is_open=False)
        measure(page, is_open=True)


if __name__ == "__main__":
    main()
