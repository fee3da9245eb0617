import assert from "node:assert/strict";
import { test } from "node:test";
import { momentTime } from "../../../chat/static/chat/lib/time.js";
import { whatHolds, whatWasDone, whyClosed } from "../../../chat/static/chat/view/sayings.js";

const NOW = new Date("2026-11-20T10:00:00Z");
const UNTIL = "2026-12-24T18:00:00Z";
const TIME = momentTime(new Date(UNTIL), NOW);
const told = { act: "mute", room: "hall", reason: "spam", until: UNTIL, objections: "help@example.org" };
/** Without the marks that keep the direction of names apart. */
const plain = (text) => text.replace(/[\u2068\u2069]/g, "");

for (const [by, until, expected] of [
  ["muted", UNTIL, `You are muted until ${TIME}.`],
  ["muted", null, "You are muted."],
  ["read-only", UNTIL, `Only moderators may post in this room until ${TIME}.`],
  ["calm", null, "Guests may only read at the moment."],
  ["address", null, "Guests from your address are muted. People who log in are not."],
]) {
  test(`a room that is closed, ${by} ${until === null ? "without an end" : "for a time"}`, () => {
    const said = plain(whyClosed({ by, reason: "spam", until }, "help@example.org", NOW));
    assert.equal(said, `${expected}\nReason: spam\nObjections: help@example.org`);
    assert.equal(whyClosed({ by, reason: "", until }, "", NOW), expected);
  });
}

test("against what no moderator did to one, nobody objects", () => {
  for (const by of ["archived", "declined"])
    assert.doesNotMatch(whyClosed({ by, reason: "", until: null }, "help@example.org", NOW), /help/);
});

test("who was muted is told where, until when, why, and where to object", () => {
  const { text, isWelcome } = whatWasDone(told, "hall", NOW);
  assert.equal(plain(text), `You were muted in hall until ${TIME}.\nReason: spam\nObjections: help@example.org`);
  assert.equal(isWelcome, false);
});

test("what is good news needs no objection, and a new report is told otherwise", () => {
  for (const act of ["unmute", "unban", "answered"]) {
    const { text, isWelcome } = whatWasDone({ ...told, act, until: null }, "hall", NOW);
    assert.ok(isWelcome);
    assert.doesNotMatch(text, /Objections/);
  }
  assert.equal(whatWasDone({ ...told, act: "reported" }, "hall", NOW), null);
});

test("a sanction in force says where it holds", () => {
  const mute = { kind: "mute", room: null, reason: "", until: null, by: "Tess" };
  assert.equal(whatHolds(mute, NOW), "Muted on the whole site.");
  assert.equal(whatHolds({ ...mute, kind: "ban", room: "hall" }, NOW), "Banned from this room.");
});

test("a moment of today is told by the clock, another with its day", () => {
  const noon = new Date(2026, 10, 20, 12);
  assert.ok(momentTime(noon, new Date(2026, 10, 20)).length < momentTime(noon, new Date(2026, 10, 21)).length);
});
