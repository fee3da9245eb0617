"""What a visit of the page costs a line: little the first time, and next to nothing later."""

import re

import pytest

from tests.browser.visitor import Visitor
from tests.documents import read

pytestmark = pytest.mark.browser

MOST_BYTES = 110_000
"""Of scripts and style sheets together, as they come over the line."""
LOADED = """() => performance.getEntriesByType("resource")
  .map((each) => [each.name, each.encodedBodySize, each.transferSize])"""


def test_first_and_later_visit(arrive, site):
    """As many files as the documentation says; the next time only the page and its words are asked for."""
    tess = arrive("animals")
    first = tess.page.evaluate(LOADED)
    files = re.search(r"The chat page then needs (\d+) files", read("docs/architecture.md"))[1]
    assert len(first) == int(files)
    assert sum(size for name, size, _ in first if re.search(r"\.(js|css)$", name)) < MOST_BYTES
    later = Visitor.arrive(tess.page.context.new_page(), site.url, "animals").page.evaluate(LOADED)
    assert [name for name, _, transferred in later if transferred] == [f"{site.url}/jsi18n/"]
