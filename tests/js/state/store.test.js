import assert from "node:assert/strict";
import { test } from "node:test";
import { Store } from "../../../chat/static/chat/state/store.js";
import { message, messages, room } from "../samples.js";

function storeWith(...rooms) {
  const store = new Store();
  store.setRooms(Object.fromEntries(rooms.map((each) => [each.name, each])));
  return store;
}

function opened(store, name, to) {
  const state = store.named(name);
  store.open(state).replace(messages(1, to), { atStart: true, atEnd: true, version: to });
  return state;
}

function heardOf(store, name) {
  const heard = [];
  store.on(name, (...args) => heard.push(args));
  return heard;
}

test("rooms stand in the order of their keys, whatever the order of names", () => {
  const store = storeWith(
    room({ id: 3, name: "2024" }),
    room({ id: 1, name: "jokes" }),
    room({ id: 2, name: "animals" }),
  );
  assert.deepEqual(
    store.list.map((each) => each.name),
    ["jokes", "animals", "2024"],
  );
});

test("conversations of two stand behind the rooms, and archived ones behind the others", () => {
  const store = storeWith(
    room({ id: 1, name: "closed", archived: true }),
    room({ id: 2, name: "u1-u2", kind: "direct" }),
    room({ id: 3, name: "animals" }),
  );
  assert.deepEqual(
    store.list.map((each) => each.name),
    ["animals", "closed", "u1-u2"],
  );
});

test("a room that is no longer listed is gone", () => {
  const store = storeWith(room({ id: 1, name: "animals" }), room({ id: 2, name: "jokes" }));
  const gone = heardOf(store, "gone");
  store.setRooms({ jokes: room({ id: 2, name: "jokes" }) });
  assert.deepEqual(
    gone.map(([each]) => each.name),
    ["animals"],
  );
  assert.deepEqual(
    store.list.map((each) => each.name),
    ["jokes"],
  );
});

test("a renamed room keeps its conversation", () => {
  const store = storeWith(room());
  const state = opened(store, "animals", 3);
  const renamed = heardOf(store, "renamed");
  store.setRooms({ cats: room({ name: "cats", version: 3 }) });
  assert.equal(store.named("cats"), state);
  assert.equal(state.log.messages.length, 3);
  assert.equal(renamed.length, 1);
});

test("posts count in a room that was never opened", () => {
  const store = storeWith(room({ posts: 4, version: 4 }));
  store.hearPost("animals", message(5));
  assert.equal(store.named("animals").posts, 5);
  assert.equal(store.behind.length, 0);
});

test("a list of rooms that was made before a post does not take the post back", () => {
  const store = storeWith(room({ posts: 4, version: 4 }));
  store.hearPost("animals", message(5));
  store.setRooms({ animals: room({ posts: 4, version: 4 }) });
  assert.equal(store.named("animals").posts, 5);
});

test("a list that knows a later version leaves the conversation behind", () => {
  const store = storeWith(room({ version: 3, posts: 3 }));
  const state = opened(store, "animals", 3);
  const behind = heardOf(store, "behind");
  store.setRooms({ animals: room({ version: 5, posts: 4 }) });
  assert.deepEqual(behind, [[state]]);
  assert.deepEqual(store.behind, [state]);
  store.hearPost("animals", message(4));
  store.hearChange("animals", 5, []);
  assert.deepEqual(store.behind, []);
});

test("a notification of an unknown room is left alone", () => {
  const store = storeWith(room());
  store.hearPost("nowhere", message(1, { room_id: 99 }));
  store.hearChange("nowhere", 1, []);
  assert.equal(store.rooms.size, 1);
});

test("an answer to an edit is shown before its notification, and moves no version", () => {
  const store = storeWith(room({ version: 3, posts: 3 }));
  const state = opened(store, "animals", 3);
  store.patch(message(2, { version: 5, body: "edited" }));
  assert.equal(state.log.find(2).body, "edited");
  assert.equal(state.log.version, 3);
});

test("only the conversations opened last stay in memory", () => {
  const names = ["a", "b", "c", "d", "e", "f"];
  const store = storeWith(...names.map((name, i) => room({ id: i + 1, name })));
  for (const name of names) store.open(store.named(name));
  assert.equal(store.named("a").log, null);
  assert.notEqual(store.named("b").log, null);
});
