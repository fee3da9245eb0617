import assert from "node:assert/strict";
import { test } from "node:test";
import { minutesOf, sinceOf } from "../../../chat/static/chat/lib/spans.js";

const NOW = Date.parse("2026-11-20T10:00");
const iso = (time) => new Date(Date.parse(time)).toISOString();

test("an end is so many minutes from now, a time that one chooses, or never", () => {
  assert.equal(minutesOf("60", "", NOW), 60);
  assert.equal(minutesOf("", "", NOW), null);
  assert.equal(minutesOf("time", "2026-11-20T10:30", NOW), 30);
  assert.equal(minutesOf("time", "2026-11-20T10:30", NOW + 1), 30);
});

test("an end that is over, or none where a time was to be chosen, is refused in words", () => {
  assert.throws(() => minutesOf("time", "2026-11-20T10:00", NOW), /this time is over already/);
  assert.throws(() => minutesOf("time", "", NOW), /choose a time/);
});

test("a beginning is so many minutes ago, a time that one chooses, or before everything", () => {
  assert.equal(sinceOf("60", "", NOW), iso("2026-11-20T09:00"));
  assert.equal(sinceOf("time", "2026-11-19T08:00", NOW), iso("2026-11-19T08:00"));
  assert.equal(sinceOf("", "", NOW), "1970-01-01T00:00:00.000Z");
});
