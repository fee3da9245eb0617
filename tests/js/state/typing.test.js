import assert from "node:assert/strict";
import { test } from "node:test";
import { Typing } from "../../../chat/static/chat/state/typing.js";
import { FakeTimers } from "../samples.js";

function setUp() {
  const timers = new FakeTimers();
  const said = [];
  const typing = new Typing(() => said.push("typing"), timers);
  let names = [];
  typing.on("change", (writing) => (names = writing));
  return { typing, timers, said, names: () => names };
}

test("others are shown until they were not heard for a while", async () => {
  const { typing, timers, names } = setUp();
  typing.hear(["Ann", "me"], "me");
  assert.deepEqual(names(), ["Ann"]);
  await timers.run();
  assert.deepEqual(names(), []);
});

test("who posts is not writing any more", () => {
  const { typing, names } = setUp();
  typing.hear(["Ann", "Bo"], "me");
  typing.forget("Ann");
  assert.deepEqual(names(), ["Bo"]);
});

test("another room has other writers", () => {
  const { typing, timers, names } = setUp();
  typing.hear(["Ann"], "me");
  typing.clear();
  assert.deepEqual(names(), []);
  assert.deepEqual(timers.delays, []);
});

test("many keys are told once, and again after a post", () => {
  const { typing, said } = setUp();
  for (let i = 0; i < 5; i++) typing.typed();
  assert.equal(said.length, 1);
  typing.done();
  typing.typed();
  assert.equal(said.length, 2);
});
