"""The page does not move under the reader's eyes while it loads."""

import pytest

pytestmark = pytest.mark.browser

WINDOWS = [
    {"viewport": {"width": 1440, "height": 900}},
    {"viewport": {"width": 768, "height": 1024}},
    {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
]

SHIFTS = """async () => {
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const words = ({ node, previousRect: from, currentRect: to }) =>
    `${node?.id || node?.className || node?.nodeName}: ${from.x},${from.y} → ${to.x},${to.y}`;
  return new Promise((resolve) => {
    // What was observed before is told at once, in one go.
    new PerformanceObserver((list) => {
      const shifts = list.getEntries().filter(({ entryType }) => entryType === "layout-shift");
      resolve(shifts.map(({ value, sources }) => `${value} ${sources.map(words).join("; ")}`));
    }).observe({ type: "layout-shift", buffered: true });
    performance.mark("end");
    new PerformanceObserver(() => resolve([])).observe({ type: "mark", buffered: true });
  });
}"""


@pytest.mark.parametrize("window", WINDOWS, ids=["wide", "middle", "phone"])
def test_nothing_moves_while_the_page_loads(arrive, window):
    """Rooms, messages and people come into places that were theirs."""
    for each in ("animals", "golang"):
        tess = arrive(each)
        tess.say("\n".join(["a long message"] * 10))
    visitor = arrive("animals", **window)
    assert visitor.page.evaluate(SHIFTS) == []
    visitor.reload()
    assert visitor.page.evaluate(SHIFTS) == []
