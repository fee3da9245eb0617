import assert from "node:assert/strict";
import { test } from "node:test";
import { hexOf, parseHex } from "../../../chat/static/chat/console/bytes.js";
import { OPCODES, PushWire } from "../../../chat/static/chat/console/wires/push.js";

const wire = new PushWire();
const text = (bytes) => new TextDecoder().decode(bytes);

test("a message is the opcode in four bytes and its payload", () => {
  const [frame] = wire.write({ opcode: 110, payload: "我们都好" });
  assert.equal(hexOf(frame), "0000006ee68891e4bbace983bde5a5bd");
});

test("bytes are sent as they are", () => {
  const [frame] = wire.write({ opcode: 0xfffffffe, payload: Uint8Array.of(0, 255) });
  assert.equal(hexOf(frame), "fffffffe00ff");
});

for (const opcode of [-1, 1.5, 2 ** 32, NaN]) {
  test(`${opcode} is no opcode`, () => {
    assert.throws(() => wire.write({ opcode, payload: "" }), {
      message: "An opcode is a whole number from 0 to 4294967295.",
    });
  });
}

test("a frame is read field by field", () => {
  const [reading] = wire.readReceived(parseHex("0000006f 7b7d"));
  assert.deepEqual(reading.fields, [
    ["opcode", "111 (get info)"],
    ["size", "2"],
  ]);
  assert.equal(text(reading.payload), "{}");
  assert.equal(reading.isHeartbeat, false);
});

test("opcodes with the highest bit set are positive", () => {
  const [reading] = wire.readReceived(parseHex("80000000"));
  assert.deepEqual(reading.fields[0], ["opcode", "2147483648 (unknown)"]);
});

test("a frame is read where it lies in a larger buffer", () => {
  const [reading] = wire.readReceived(parseHex("ffff0000006401").subarray(2));
  assert.deepEqual(reading.fields[0], ["opcode", "100 (heartbeat)"]);
  assert.equal(reading.isHeartbeat, true);
});

test("a frame without a whole opcode is shown, with what is wrong", () => {
  const frame = parseHex("000064");
  const [reading] = wire.readReceived(frame);
  assert.equal(reading.payload, frame);
  assert.equal(reading.note, "Too short: an opcode has four bytes.");
});

test("a text frame is shown, with what is wrong", () => {
  const [reading] = wire.readSent("hello");
  assert.equal(reading.payload, "hello");
  assert.equal(reading.note, "A text frame: this door accepts binary frames only.");
});

test("what only the server sends is not offered", () => {
  const pushed = [...OPCODES].filter(([, { payload }]) => payload === null).map(([opcode]) => opcode);
  assert.deepEqual(pushed, [116, 117, 118, 119, 199]);
});
