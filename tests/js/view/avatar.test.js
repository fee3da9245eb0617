import assert from "node:assert/strict";
import { test } from "node:test";
import { colour, initials } from "../../../chat/static/chat/view/avatar.js";

for (const [name, expected] of [
  ["Tess", "TE"],
  ["Soo-ah", "SA"],
  ["王小明", "王"],
  ["Jane Doe", "JD"],
  ["x", "X"],
  ["Ulysses 2", "U2"],
  ["!!!", "?"],
]) {
  test(`initials of ${name}`, () => assert.equal(initials(name), expected));
}

test("a name keeps its colour", () => {
  assert.deepEqual(colour("Tess"), colour("Tess"));
});

test("names spread over two dozen colours", () => {
  const counts = new Map();
  for (let i = 0; i < 3000; i++) {
    const { hue, tone } = colour(`guest ${i}`);
    counts.set(`${hue} ${tone}`, (counts.get(`${hue} ${tone}`) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  assert.ok([...counts.values()].every((count) => count > 60 && count < 250));
});
