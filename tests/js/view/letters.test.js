import assert from "node:assert/strict";
import { test } from "node:test";
import { assignLetters } from "../../../chat/static/chat/view/letters.js";

const letters = (names, onMac) =>
  Object.fromEntries([...assignLetters(names, onMac)].map(([name, { letter }]) => [name, letter]));

test("each room gets the first letter of its name that is free", () => {
  assert.deepEqual(letters(["jokes", "golang", "Ojibwe"]), { jokes: "j", golang: "g", Ojibwe: "o" });
});

test("keys of editing and of the browser are never given", () => {
  assert.deepEqual(letters(["cat", "vax", "ptwnrflq", "xyz", "dhk"]), {});
  assert.deepEqual(letters(["animals"]), { animals: "i" });
});

test("on a Mac, keys that move in a text are never given", () => {
  assert.deepEqual(letters(["abend", "jokes"], true), { jokes: "j" });
});

test("a room without a free letter has none", () => {
  assert.deepEqual(letters(["ji", "ij", "jj", "王小明"]), { ji: "j", ij: "i" });
});

test("the letter is marked where it stands", () => {
  assert.deepEqual(assignLetters(["Wagons"]).get("Wagons"), { letter: "g", index: 2 });
  assert.deepEqual(assignLetters(["🐈 bats"]).get("🐈 bats"), { letter: "b", index: 3 });
});
