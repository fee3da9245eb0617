import assert from "node:assert/strict";
import { test } from "node:test";
import { EchoWire } from "../../../chat/static/chat/console/wires/echo.js";
import { TextWire } from "../../../chat/static/chat/console/wires/text.js";

test("a message goes out as the text that was written", () => {
  assert.deepEqual(new TextWire().write({ payload: "hello" }), ["hello"]);
});

test("one line is one message", () => {
  const [reading, ...others] = new TextWire().readReceived("hello");
  assert.deepEqual([reading.payload, reading.fields, reading.note], ["hello", [], null]);
  assert.deepEqual(others, []);
});

test("messages that came in one frame are told apart", () => {
  const readings = new TextWire().readReceived("one\ntwo");
  assert.deepEqual(
    readings.map(({ fields, payload }) => [fields, payload]),
    [
      [[["message", "1 of 2"]], "one"],
      [[["message", "2 of 2"]], "two"],
    ],
  );
});

test("a line that is an error is marked", () => {
  const [reading] = new TextWire().readReceived("! no such room");
  assert.equal(reading.note, "An error, sent to this connection only.");
});

test("what was sent is shown whole", () => {
  assert.equal(new TextWire().readSent("one\ntwo").length, 1);
});

test("a binary frame of the text door is strange", () => {
  const [reading] = new TextWire().readReceived(Uint8Array.of(1));
  assert.equal(reading.note, "This door sends text frames only.");
});

test("an echo is shown in its kind", () => {
  const bytes = Uint8Array.of(1, 2);
  assert.equal(new EchoWire().readReceived("hello")[0].payload, "hello");
  assert.equal(new EchoWire().readReceived(bytes)[0].payload, bytes);
});

test("the echo door's heartbeat is one", () => {
  assert.equal(new EchoWire().readReceived("heartbeat from server")[0].isHeartbeat, true);
  assert.equal(new EchoWire().readReceived("heartbeat from servers")[0].isHeartbeat, false);
});
