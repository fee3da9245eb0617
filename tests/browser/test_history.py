"""Reading back: without a jump, without end, and in a bounded number of nodes."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

MANY = 500
MOST_NODES = 330

SCROLL_BACK = """async () => {
  const log = document.querySelector("#log");
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const inView = () => {
    const view = log.getBoundingClientRect();
    const lines = [...document.querySelectorAll("#messages li.message")];
    return lines.find((line) => line.getBoundingClientRect().top > view.top + 80);
  };
  const jumps = [], seen = new Set();
  let mostNodes = 0;
  for (let resting = 0; resting < 40; ) {
    const line = inView();
    // Its foot: the oldest one loses the author's name above its text when others come before it.
    const { seq } = line.dataset, before = line.getBoundingClientRect().bottom, from = log.scrollTop;
    log.scrollBy(0, -270);
    const step = from - log.scrollTop;
    await frame();
    await frame();
    const after = document.querySelector(`[data-seq="${seq}"]`)?.getBoundingClientRect().bottom;
    // Where the page scrolled by itself meanwhile, what one reads has moved by the step all the same.
    if (after !== undefined && Math.abs(after - before - step) > 2) jumps.push([seq, after - before, step]);
    for (const each of document.querySelectorAll("#messages li.message")) seen.add(Number(each.dataset.seq));
    mostNodes = Math.max(mostNodes, document.querySelectorAll("#messages > li").length);
    const isThere = log.scrollTop === 0 && !document.querySelector("#edge").textContent.startsWith("Loading");
    resting = isThere ? resting + 1 : 0;
  }
  return { jumps, mostNodes, seen: seen.size };
}"""

REPLY = """async (seq) => {
  const other = gotalk.connection();
  await new Promise((resolve) => other.on("open", resolve));
  await other.requestp("send-message", { room: "jokes", message: { body: "later still", reply_to: seq } });
  other.end();
}"""


def test_five_hundred_messages_scroll_back_without_a_jump(arrive):
    """What one reads stays under the eye while older messages come in above it, and nodes stay few."""
    tess = arrive("jokes")
    tess.post_many("jokes", [f"number {i}" + "\nand a line" * (i % 4) for i in range(MANY)])
    tess.sees(f"number {MANY - 1}")
    tess.reload()
    tess.sees(f"number {MANY - 1}")
    back = tess.page.evaluate(SCROLL_BACK)
    assert back["jumps"] == []
    assert back["seen"] == MANY + 1
    assert back["mostNodes"] <= MOST_NODES
    expect(tess.page.locator("#edge")).to_have_text("This is where jokes begins.")

    tess.page.locator("#jump").click()
    tess.sees(f"number {MANY - 1}")
    expect(tess.page.locator("#jump")).to_be_hidden()


SECOND = """() => {
  const line = document.querySelectorAll("#messages li.message")[1];
  return [line.dataset.seq, line.getBoundingClientRect().top];
}"""


def test_who_waits_at_the_oldest_message_stays_with_it(arrive, cable):
    """Also where it loses its author's name, and the line of its day goes up, as older messages come."""
    tess = arrive("golang")
    # So high that what is first loaded is enough, and nothing is on its way when the cable is clogged.
    tess.post_many("golang", [f"entry {i}" + "\nand a line" * 4 for i in range(200)])
    reader = arrive("golang", url=cable.url)
    reader.sees("entry 199")
    cable.clog()
    reader.page.evaluate("document.querySelector('#log').scrollTop = 0")
    expect(reader.page.locator("#edge")).to_be_in_viewport()
    seq, top = reader.page.evaluate(SECOND)
    cable.unclog()
    expect(reader.page.locator("#messages li.message").nth(1)).not_to_have_attribute("data-seq", seq)
    after = reader.page.locator(f'[data-seq="{seq}"]').evaluate("(line) => line.getBoundingClientRect().top")
    assert abs(after - top) <= 2


def test_who_reads_back_is_not_pulled_away_by_what_is_new(arrive):
    """New messages are counted on a button; the reader's lines stay where they are."""
    tess, ulysses = arrive("animals"), arrive("animals")
    tess.post_many("animals", [f"line {i}" for i in range(60)])
    ulysses.sees("line 59")
    ulysses.page.evaluate("document.querySelector('#log').scrollTop = 400")
    expect(ulysses.page.locator("#jump")).to_have_text("To the newest")
    place = "document.querySelector('#log').scrollTop"
    before = ulysses.page.evaluate(place)
    tess.post_many("animals", ["new one", "new two"])
    expect(ulysses.page.locator("#jump")).to_have_text("2 new messages")
    assert ulysses.page.evaluate(place) == before
    ulysses.page.locator("#jump").click()
    ulysses.sees("new two")
    expect(ulysses.page).to_have_title("#animals · Hubtalk")


def test_reading_goes_on_where_one_left_off(arrive):
    """With a hundred unseen messages one begins at the first of them, not at the last."""
    tess, ulysses = arrive("golang"), arrive("golang")
    tess.post_many("golang", ["the last one that was seen"])
    ulysses.sees("the last one that was seen")
    ulysses.say("good night")
    ulysses.go("animals")
    tess.post_many("golang", [f"in the night {i}" for i in range(100)])
    expect(ulysses.count_at("golang")).to_have_text("99+")
    ulysses.go("golang")
    expect(ulysses.page.get_by_role("separator", name="New since you left")).to_be_in_viewport()
    expect(ulysses.line("in the night 0").first).to_be_in_viewport()
    expect(ulysses.page.locator("#jump")).to_contain_text("new messages")
    ulysses.page.locator("#jump").click()
    ulysses.sees("in the night 99")
    expect(ulysses.count_at("golang")).to_have_count(0)


def test_a_quote_leads_far_back(arrive):
    """A reply to a message that is not loaded brings its surroundings."""
    tess = arrive("jokes")
    tess.say("the old question")
    seq = int(tess.line("the old question").get_attribute("data-seq"))
    tess.post_many("jokes", [f"between {i}" for i in range(400)])
    tess.page.evaluate(REPLY, seq)
    tess.sees("later still")
    tess.reload()
    quote = tess.line("later still").locator(".reply")
    expect(quote).to_contain_text("the old question")
    quote.click()
    expect(tess.line("the old question").first).to_be_in_viewport()
    tess.page.locator("#jump").click()
    tess.sees("later still")
