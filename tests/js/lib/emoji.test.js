import assert from "node:assert/strict";
import { test } from "node:test";
import { emojiRuns, isOnlyEmoji } from "../../../chat/static/chat/lib/emoji.js";

const FAMILY = "👩‍💻";
const WALES = "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}";

for (const emoji of ["😀", "❤️", "👍🏽", FAMILY, "🇨🇳", "1️⃣", "☝🏽", "🏳️‍🌈", WALES, "🐈🐈", "©️"]) {
  test(`${emoji} is an emoji, and the words around it are not`, () => {
    assert.deepEqual(emojiRuns(`a ${emoji} b`), [
      { text: "a ", isEmoji: false },
      { text: emoji, isEmoji: true },
      { text: " b", isEmoji: false },
    ]);
    assert.equal(isOnlyEmoji(` ${emoji}\n`), true);
    assert.equal(isOnlyEmoji(`${emoji}!`), false);
  });
}

for (const text of ["2 * 3 #1", "© 2026", "猫", "☺", "😀\ufe0e", "\u200d\ufe0f", "مرحبا"]) {
  test(`${JSON.stringify(text)} stays text`, () => {
    assert.deepEqual(emojiRuns(text), [{ text, isEmoji: false }]);
    assert.equal(isOnlyEmoji(text), false);
  });
}

test("nothing is lost between the cuts", () => {
  const text = `${FAMILY}a${WALES}${WALES}\u200d1️⃣1 😀\ufe0e`;
  assert.equal(
    emojiRuns(text)
      .map((run) => run.text)
      .join(""),
    text,
  );
  assert.deepEqual(emojiRuns(""), []);
});

test("eight emoji are still a word, nine are a picture", () => {
  assert.equal(isOnlyEmoji("🐈".repeat(8)), true);
  assert.equal(isOnlyEmoji("🐈 ".repeat(9)), false);
  assert.equal(isOnlyEmoji(""), false);
});

test("a long row of emoji is cut between two of them", () => {
  const runs = emojiRuns(FAMILY.repeat(40)).map((run) => run.text);
  assert.deepEqual(runs, [FAMILY.repeat(16), FAMILY.repeat(16), FAMILY.repeat(8)]);
});
