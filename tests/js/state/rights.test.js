import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsOn, choicesFor, deedsAmong, switchesOf } from "../../../chat/static/chat/state/rights.js";
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

test("deeds are what the server lets one do, each with where", () => {
  assert.deepEqual(deedsAmong([]), []);
  assert.deepEqual(deedsAmong(["kick", "mute-or-ban", "mute-or-ban-everywhere"]), [
    { deed: "mute", places: ["room", "site"] },
    { deed: "ban", places: ["room", "site"] },
    { deed: "kick", places: ["room"] },
  ]);
  assert.deepEqual(deedsAmong(["remove-all-everywhere", "end-everywhere"]), [
    { deed: "remove-messages", places: ["site"] },
  ]);
});

const admin = { ...account, may: ["change-site"] };

for (const [who, me, seen, expected] of [
  ["a member", account, { role: "member" }, []],
  ["a moderator", account, { role: "moderator" }, ["read-only", "slow-mode"]],
  ["a moderator while it is read-only", account, { role: "moderator", read_only: true }, ["write-again", "slow-mode"]],
  ["an admin in a room of two", admin, { role: "member", kind: "direct" }, ["calm", "close-sign-up"]],
  ["an admin in the calm, without sign-up", { ...admin, calm: true, sign_up: "closed" }, {}, ["end-calm"]],
  ["nobody yet", null, {}, []],
]) {
  test(`switches of ${who}`, () => assert.deepEqual(switchesOf(me, room(seen)), expected));
}

const on = (changes = {}, seen = {}) => [
  ...actionsOn(message(1, { author_id: account.id, ...changes }), { me: account, room: room(seen) }),
];

for (const [what, actions, expected] of [
  ["an own message", on(), ["copy", "react", "reply", "edit", "delete"]],
  ["that of another", on({ author_id: 8 }), ["copy", "report", "react", "reply"]],
  [
    "that of another, for a moderator",
    on({ author_id: 8 }, { role: "moderator" }),
    ["copy", "report", "delete", "react", "reply"],
  ],
  [
    "that of another, for a moderator who is muted",
    on({ author_id: 8 }, { role: "moderator", can_post: false }),
    ["copy", "report", "delete"],
  ],
  ["an own message where one may not post", on({}, { can_post: false }), ["copy"]],
  ["that of another while one is muted", on({ author_id: 8 }, { can_post: false }), ["copy", "report"]],
  ["a removed message", on({ deleted: true }), []],
]) {
  test(`actions on ${what}`, () => assert.deepEqual(actions, expected));
}
