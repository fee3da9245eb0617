import assert from "node:assert/strict";
import { test } from "node:test";
import { hue, initials } from "../../../chat/static/chat/view/avatar.js";

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
  assert.equal(hue("Tess"), hue("Tess"));
  assert.ok(hue("Tess") >= 0 && hue("Tess") < 360);
});
