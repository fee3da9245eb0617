import assert from "node:assert/strict";
import { test } from "node:test";
import { ComposerNote } from "../../../chat/static/chat/view/composer_note.js";
import { FakeTimers } from "../samples.js";

function noteFor(maxChars) {
  const classes = new Set();
  const toggle = (name, isOn) => (isOn ? classes.add(name) : classes.delete(name));
  const element = { textContent: "", classList: { toggle } };
  return { note: Object.assign(new ComposerNote(element), { maxChars }), element, classes };
}

for (const [length, words, isBad] of [
  [8, "", false],
  [9, "", false],
  [10, "0 characters left", false],
  [11, "1 character too long", true],
]) {
  test(`of ten characters, ${length} are written`, () => {
    const { note, element, classes } = noteFor(10);
    note.follow("x".repeat(length));
    assert.equal(element.textContent, words);
    assert.equal(classes.has("error"), isBad);
    assert.equal(note.fits("x".repeat(length)), !isBad);
  });
}

test("characters are counted as the server counts them", () => {
  const { note } = noteFor(10);
  assert.equal(note.fits("🐈".repeat(10)), true);
  assert.equal(note.fits("🐈".repeat(11)), false);
});

test("bytes are counted too, and told as characters of that length", () => {
  const { note, element } = noteFor(10);
  note.maxBytes = 12;
  note.follow("é".repeat(6));
  assert.equal(element.textContent, "0 characters left");
  note.follow("🐈".repeat(5));
  assert.equal(element.textContent, "2 characters too long");
  assert.equal(note.fits("🐈".repeat(3)), true);
  assert.equal(note.fits("🐈".repeat(4)), false);
});

test("a word in passing gives way to the count", async (t) => {
  const timers = new FakeTimers();
  t.mock.method(globalThis, "setTimeout", timers.setTimeout);
  const { note, element } = noteFor(10);
  note.follow("x".repeat(10));
  note.mention("Copied");
  assert.equal(element.textContent, "Copied");
  await timers.run();
  assert.equal(element.textContent, "0 characters left");
});
