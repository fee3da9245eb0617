import assert from "node:assert/strict";
import { test } from "node:test";
import { Entries, MAX_ENTRIES, eventEntry, frameEntry, timeOf } from "../../../chat/static/chat/console/entries.js";
import { reading } from "../../../chat/static/chat/console/wires/wire.js";

const AT = new Date(2026, 10, 21, 7, 5, 9, 42).getTime();
const at = (entry) => ({ ...entry, at: AT });

test("the log keeps the newest entries and says how many went", () => {
  const entries = new Entries();
  for (let n = 0; n < MAX_ENTRIES; n++) assert.equal(entries.add(eventEntry("OPEN", String(n))), 0);
  assert.equal(entries.add(eventEntry("CLOSE", "last")), 1);
  assert.equal(entries.list.length, 500);
  assert.equal(entries.list[0].summary, "1");
});

test("times are local, to the millisecond", () => assert.equal(timeOf(AT), "07:05:09.042"));

test("as text an entry has its fields, payload and remark, each on a line", () => {
  const entries = new Entries();
  const message = reading({
    fields: [
      ["opcode", "111"],
      ["size", "8"],
    ],
    payload: '{"a": 1}',
    note: "Look.",
  });
  entries.add(at(frameEntry("SEND", Uint8Array.of(1), [message])));
  entries.add(at(eventEntry("CLOSE", "1000")));
  assert.equal(
    entries.text({ heartbeats: true }),
    '07:05:09.042 SEND binary, 1 byte\n  opcode: 111\n  size: 8\n  {\n    "a": 1\n  }\n  (Look.)\n' +
      "07:05:09.042 CLOSE 1000",
  );
});

test("heartbeats can be left out of the text", () => {
  const entries = new Entries();
  entries.add(frameEntry("SEND", "h", [reading({ isHeartbeat: true })]));
  assert.equal(entries.text({ heartbeats: false }), "");
  assert.notEqual(entries.text({ heartbeats: true }), "");
});

test("a frame with more than heartbeats is no heartbeat", () => {
  const readings = [reading({ isHeartbeat: true }), reading({ payload: "x" })];
  assert.equal(frameEntry("RESPONSE", "hx", readings).isHeartbeat, false);
});

test("a cleared log is empty", () => {
  const entries = new Entries();
  entries.add(eventEntry("OPEN", ""));
  entries.clear();
  assert.equal(entries.text({ heartbeats: true }), "");
});
