import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../../chat/static/chat/lib/storage.js";
import { ReadMarker } from "../../../chat/static/chat/net/read_marker.js";
import { Marks } from "../../../chat/static/chat/state/marks.js";
import { RoomState } from "../../../chat/static/chat/state/store.js";
import { FakeStorage, FakeTimers, room } from "../samples.js";

function setUp() {
  const timers = new FakeTimers();
  const marks = new Marks(new Memory(new FakeStorage()));
  const asked = [];
  const request = async (op, params) => asked.push([op, params]);
  return { timers, marks, asked, marker: new ReadMarker(request, marks, timers) };
}

const animals = new RoomState(room());

test("steps of a moment are told as one, which is the last", async () => {
  const { timers, marks, asked, marker } = setUp();
  for (const seq of [3, 4, 5]) {
    marks.read(1, seq, seq);
    marker.tell(animals);
  }
  await timers.run();
  assert.deepEqual(asked, [["mark-read", { room: "animals", seq: 5 }]]);
});

test("a room without a message has no mark to tell", async () => {
  const { timers, asked, marker } = setUp();
  marker.tell(animals);
  await timers.run();
  assert.deepEqual(asked, []);
});
