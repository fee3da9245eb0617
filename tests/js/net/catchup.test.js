import assert from "node:assert/strict";
import { test } from "node:test";
import { CatchUp } from "../../../chat/static/chat/net/catchup.js";
import { Store } from "../../../chat/static/chat/state/store.js";
import { FakeTimers, message, messages, room } from "../samples.js";

function setUp({ version = 3, answers = [] } = {}) {
  const store = new Store();
  store.setRooms({ animals: room({ version, posts: version }) });
  const state = store.named("animals");
  store.open(state).replace(messages(1, version), { atStart: true, atEnd: true, version });
  const asked = [];
  const reloaded = [];
  const timers = new FakeTimers();
  const request = async (op, params) => {
    asked.push([op, params]);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return { rooms: { animals: { version: 0, messages: [], more: false, reset: false, ...answer } } };
  };
  const reload = async (each) => {
    reloaded.push(each.name);
    each.log.replace([], { atStart: true, atEnd: true, version: each.heard });
  };
  return { store, state, asked, reloaded, timers, catchUp: new CatchUp(store, request, reload, timers) };
}

test("many gaps of a moment ask once", async () => {
  const { store, state, asked, timers } = setUp({ answers: [{ version: 7, messages: messages(4, 7) }] });
  store.hearPost("animals", message(5));
  store.hearPost("animals", message(6));
  store.hearPost("animals", message(7));
  assert.equal(asked.length, 0);
  await timers.run();
  assert.deepEqual(asked, [["sync", { rooms: { animals: 3 } }]]);
  assert.equal(state.log.last.seq, 7);
  assert.deepEqual(timers.delays, []);
});

test("a gap that closes by itself asks for nothing", async () => {
  const { store, asked, timers } = setUp();
  store.hearPost("animals", message(5));
  store.hearPost("animals", message(4));
  await timers.run();
  assert.deepEqual(asked, []);
});

test("pages are asked for until there are no more, and shown together", async () => {
  const { store, state, asked, catchUp } = setUp({
    answers: [
      { version: 5, messages: messages(4, 5), more: true },
      { version: 8, messages: messages(6, 8) },
    ],
  });
  store.setRooms({ animals: room({ version: 8, posts: 8 }) });
  await catchUp.run();
  assert.deepEqual(
    asked.map(([, params]) => params.rooms.animals),
    [3, 5],
  );
  assert.deepEqual(
    state.log.messages.map((each) => each.seq),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test("a room that is no longer one's own is dropped", async () => {
  const { store, timers, catchUp } = setUp({ answers: [{ reset: true }, { reset: true }] });
  const gone = [];
  store.on("gone", (each) => gone.push(each.name));
  store.hearPost("animals", message(5));
  await catchUp.run();
  await timers.run();
  assert.deepEqual(gone, ["animals"]);
  assert.deepEqual(timers.delays, []);
});

test("a room that was renamed a moment before the list says so is kept", async () => {
  const { store, state, asked, timers, catchUp } = setUp({ answers: [{ reset: true }, {}] });
  const gone = [];
  store.on("gone", (each) => gone.push(each.name));
  store.hearPost("animals", message(5));
  await catchUp.run();
  store.setRooms({ pets: room({ name: "pets", version: 5, posts: 5 }) });
  await timers.run();
  assert.deepEqual(gone, []);
  assert.equal(store.named("pets"), state);
  assert.deepEqual(
    asked.map(([, params]) => Object.keys(params.rooms)),
    [["animals"], ["pets"]],
  );
});

test("a far gap reloads the window", async () => {
  const { store, asked, reloaded, catchUp } = setUp();
  store.setRooms({ animals: room({ version: 404, posts: 404 }) });
  await catchUp.run();
  assert.deepEqual(reloaded, ["animals"]);
  assert.deepEqual(asked, []);
});

test("an attempt that fails is made again", async () => {
  const { store, state, timers, catchUp } = setUp({
    answers: [new Error("closed"), { version: 5, messages: messages(4, 5) }],
  });
  store.hearPost("animals", message(5));
  await catchUp.run();
  assert.equal(timers.delays.length, 1);
  await timers.run();
  assert.equal(state.log.version, 5);
});

test("what arrives while sync is under way comes behind it", async () => {
  const { store, state, catchUp } = setUp({ answers: [{ version: 5, messages: messages(4, 5) }] });
  store.hearPost("animals", message(5));
  const running = catchUp.run();
  store.hearPost("animals", message(6));
  await running;
  assert.deepEqual(
    state.log.messages.map((each) => each.seq),
    [1, 2, 3, 4, 5, 6],
  );
});
