import assert from "node:assert/strict";
import { test } from "node:test";
import { dayName } from "../../../chat/static/chat/lib/time.js";

test("days have names near now and dates far away", () => {
  const now = new Date(2026, 10, 21, 12);
  assert.equal(dayName(new Date(2026, 10, 21, 0, 1), now), "Today");
  assert.equal(dayName(new Date(2026, 10, 20, 23, 59), now), "Yesterday");
  assert.match(dayName(new Date(2025, 0, 2), now), /2025/);
});
