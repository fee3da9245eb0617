import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsOn, choicesFor } from "../../../chat/static/chat/state/rights.js";
import { account, guest, message, room } from "../samples.js";

const ann = { id: 1, key: "u1", role: null };
const about = (changes = {}) => ({ me: account, state: null, room: room(), ...changes });

for (const [state, choices] of [
  [null, ["message", "add"]],
  ["asked", ["message", "accept", "decline"]],
  ["requested", ["message", "withdraw"]],
  ["friends", ["message", "remove"]],
  ["declined", []],
]) {
  test(`choices about a person who is ${state ?? "no contact"}`, () =>
    assert.deepEqual(choicesFor(ann, about({ state })), choices));
}

test("about oneself, and about a guest without an account, there is nothing to do", () => {
  assert.deepEqual(choicesFor({ id: account.id, key: account.key }, about()), []);
  assert.deepEqual(choicesFor({ id: null, key: "g7" }, about()), []);
  assert.deepEqual(choicesFor(ann, about({ me: null })), []);
});

test("a guest without an account writes to people, and has no contacts", () => {
  assert.deepEqual(choicesFor(ann, about({ me: guest })), ["message"]);
});

test("in a conversation of two there is nobody else to write to or to remove", () => {
  assert.deepEqual(choicesFor(ann, about({ room: room({ kind: "direct", role: "owner" }) })), ["add"]);
});

for (const [role, other, may] of [
  ["owner", "owner", true],
  ["owner", null, true],
  ["moderator", "owner", false],
  ["moderator", "moderator", true],
  ["moderator", "member", true],
  ["member", "member", false],
  [null, null, false],
]) {
  test(`${role ?? "nobody"} ${may ? "removes" : "does not remove"} ${other ?? "a guest"}`, () => {
    const choices = choicesFor({ ...ann, role: other }, about({ room: room({ role }) }));
    assert.equal(choices.includes("kick"), may);
  });
}

const on = (changes = {}, seen = {}) => [
  ...actionsOn(message(1, { author_id: account.id, ...changes }), { me: account, room: room(seen) }),
];

for (const [what, actions, expected] of [
  ["an own message", on(), ["copy", "react", "reply", "edit", "delete"]],
  ["that of another", on({ author_id: 8 }), ["copy", "react", "reply"]],
  [
    "that of another, for a moderator",
    on({ author_id: 8 }, { role: "moderator" }),
    ["copy", "react", "reply", "delete"],
  ],
  ["a message where one may not post", on({}, { can_post: false }), ["copy"]],
  ["a removed message", on({ deleted: true }), []],
]) {
  test(`actions on ${what}`, () => assert.deepEqual(actions, expected));
}
