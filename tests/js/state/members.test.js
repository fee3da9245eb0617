import assert from "node:assert/strict";
import { test } from "node:test";
import { Members } from "../../../chat/static/chat/state/members.js";

const person = (key, changes = {}) => ({ key, id: null, name: key, online: true, role: null, ...changes });

function membersOf(...people) {
  const names = new Map();
  const members = new Members(names);
  members.set({ members: people, here: people.length });
  return { members, names };
}

const shown = (members) => members.list.map(({ key, online }) => `${key} ${online ? "here" : "away"}`);

test("who leaves stays on the list as a member, and not as a guest", () => {
  const { members } = membersOf(person("ann", { role: "owner" }), person("guest"));
  members.hear({ joined: [], left: ["ann", "guest"], here: 0 });
  assert.deepEqual(shown(members), ["ann away"]);
  assert.equal(members.here, 0);
});

test("who comes back keeps what was known of them", () => {
  const { members } = membersOf(person("ann", { role: "owner", online: false }));
  members.hear({ joined: [{ key: "ann", id: 1, name: "Ann" }], left: [], here: 1 });
  assert.deepEqual(members.find("ann"), { key: "ann", id: 1, name: "Ann", online: true, role: "owner" });
});

test("people stand in the order of their names", () => {
  const { members } = membersOf(person("zoe"), person("ann"), person("émile"));
  assert.deepEqual(shown(members), ["ann here", "émile here", "zoe here"]);
});

test("changes before the list has come are part of it", () => {
  const { members } = membersOf(person("ann"));
  members.clear();
  members.hear({ joined: [person("bo")], left: [], here: 1 });
  assert.deepEqual(members.list, []);
  assert.equal(members.isKnown, false);
});

test("the names of accounts are remembered", () => {
  const { members, names } = membersOf(person("ann", { id: 1 }), person("guest"));
  members.clear();
  assert.deepEqual([...names], [[1, "ann"]]);
});
