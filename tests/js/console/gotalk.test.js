import assert from "node:assert/strict";
import { test } from "node:test";
import { GotalkWire } from "../../../chat/static/chat/console/wires/gotalk.js";
import { loadGotalk } from "../fakes.js";

loadGotalk();
const bytes = (text) => new TextEncoder().encode(text);
const text = (frame) => (typeof frame === "string" ? frame : new TextDecoder().decode(frame));
const fieldsOf = (readings) => readings.map(({ fields }) => Object.fromEntries(fields));
const draft = (kind, more = {}) => ({ kind, name: "", id: "", opcode: 0, payload: "", ...more });
const hello = (features) => {
  const payload = JSON.stringify({ agent: "test", features });
  return bytes(`n006$hello${payload.length.toString(16).padStart(8, "0")}${payload}`);
};

/** A wire whose peer said its version and hello. */
function connected({ features = ["joined", "ops"], asStock = false } = {}) {
  const wire = new GotalkWire({ asStock });
  for (const frame of wire.greeting()) wire.readSent(frame);
  wire.readReceived(bytes("01"));
  wire.readReceived(hello(features));
  return wire;
}

function sent(wire, message) {
  const frames = wire.write(message);
  for (const frame of frames) wire.readSent(frame);
  return frames.map(text);
}

test("on opening it says its version and hello, in frames that every peer understands", () => {
  const [version, header, payload] = new GotalkWire({ asStock: false }).greeting().map(text);
  assert.equal(version, "01");
  assert.equal(header, `n006$hello${payload.length.toString(16).padStart(8, "0")}`);
  assert.deepEqual(JSON.parse(payload).features, ["joined", "retry", "errors"]);
});

test("as a stock peer it says its version only", () => {
  assert.deepEqual(new GotalkWire({ asStock: true }).greeting().map(text), ["01"]);
});

test("messages go out whole to who announced joined", () => {
  const wire = connected();
  assert.deepEqual(sent(wire, draft("request", { name: "echo", payload: "hello" })), ["r0000004echo00000005hello"]);
});

for (const [name, options] of [
  ["to who did not announce joined", { features: [] }],
  ["as a stock peer", { asStock: true }],
]) {
  test(`header and payload go out apart ${name}`, () => {
    const frames = sent(connected(options), draft("request", { name: "echo", payload: "hi" }));
    assert.deepEqual(frames, ["r0000004echo00000002", "hi"]);
  });
}

test("each kind has its bytes, and ids count up", () => {
  const wire = connected();
  const typing = draft("notification", { name: "typing", payload: "{}" });
  assert.deepEqual(sent(wire, typing), ["n006typing00000002{}"]);
  assert.deepEqual(sent(wire, draft("request", { name: "info" })), ["r0000004info00000000"]);
  assert.deepEqual(sent(wire, draft("stream", { name: "sum", payload: "1" })), ["s0001003sum000000011"]);
  assert.deepEqual(sent(wire, draft("part", { id: "0001", payload: "2" })), ["p0001000000012"]);
  assert.deepEqual(sent(wire, draft("end", { id: "0001" })), ["p000100000000"]);
  assert.deepEqual(sent(wire, draft("cancel", { id: "0000" })), ['n007$cancel00000011{"id":"30303030"}']);
});

test("a size counts bytes", () => {
  const frames = sent(connected(), draft("request", { name: "好", payload: "😀" }));
  assert.deepEqual(frames, ["r0000003好00000004😀"]);
});

test("a request needs an operation", () => {
  assert.throws(() => connected().write(draft("request")), {
    message: "Enter the name of an operation, or choose one from the list.",
  });
});

for (const id of ["", "1", "00001", "0x0000"]) {
  test(`"${id}" is no id`, () => {
    assert.throws(() => connected().write(draft("end", { id })), {
      message: "An id has four characters, or 0x and eight hex digits.",
    });
  });
}

test("an id of bytes is written in hex", () => {
  assert.deepEqual(
    [
      ...connected()
        .write(draft("end", { id: "0x000000ff" }))[0]
        .subarray(1, 5),
    ],
    [0, 0, 0, 255],
  );
});

test("the version is shown", () => {
  assert.deepEqual(fieldsOf(new GotalkWire({ asStock: false }).readReceived(bytes("01"))), [{ version: "01" }]);
});

test("a wrong version is shown as what it is", () => {
  const [reading, ...others] = new GotalkWire({ asStock: false }).readReceived(bytes("02"));
  assert.match(reading.note, /^Not gotalk: unsupported protocol version/);
  assert.deepEqual(others, []);
});

test("what arrives is read field by field", () => {
  const wire = connected();
  const [reading] = wire.readReceived(bytes("e000a000003e800000002{}"));
  assert.deepEqual(reading.fields, [
    ["type", "e (retry result)"],
    ["id", "000a"],
    ["wait", "1000 ms"],
    ["size", "2"],
  ]);
  assert.equal(text(reading.payload), "{}");
});

test("several messages of one frame are read one by one", () => {
  const readings = connected().readReceived(bytes("n005rooms00000002{}n008username00000001x"));
  assert.deepEqual(fieldsOf(readings), [
    { type: "n (notification)", name: "rooms", size: "2" },
    { type: "n (notification)", name: "username", size: "1" },
  ]);
});

test("a header alone is read, the payload behind it too", () => {
  const wire = connected({ features: [] });
  const [header] = wire.readReceived(bytes("n005rooms00000002"));
  assert.deepEqual(header.fields, [
    ["type", "n (notification)"],
    ["name", "rooms"],
    ["size", "2"],
    ["payload", "in the next frame"],
  ]);
  const [whole] = wire.readReceived("{}");
  assert.equal(whole.payload, "{}");
  assert.deepEqual(whole.fields, header.fields.slice(0, 3));
});

test("a piece of a message is shown as it is", () => {
  const [reading] = connected().readReceived(bytes("n005ro"));
  assert.equal(text(reading.payload), "n005ro");
  assert.equal(reading.note, "Part of a message: the rest is in the next frame.");
});

test("a heartbeat is one, with its load and time", () => {
  const [reading] = connected().readReceived(bytes("h00ff6553f100"));
  assert.equal(reading.isHeartbeat, true);
  assert.deepEqual(Object.fromEntries(reading.fields), {
    type: "h (heartbeat)",
    load: "255",
    time: "2023-11-14T22:13:20.000Z",
  });
});

test("its own heartbeat is readable", () => {
  const wire = connected();
  const [frame] = wire.heartbeat();
  assert.equal(wire.readSent(frame)[0].isHeartbeat, true);
});

test("a protocol error has a code with a name", () => {
  const [reading] = connected().readReceived(bytes("f00000002"));
  assert.deepEqual(Object.fromEntries(reading.fields), { type: "f (protocol error)", code: "2 (invalid message)" });
});

test("what is no gotalk says why, and what follows is read again", () => {
  const wire = connected();
  const [broken] = wire.readSent(bytes("zzz"));
  assert.equal(text(broken.payload), "zzz");
  assert.equal(broken.note, "Not gotalk: invalid protocol message: unknown message type.");
  assert.equal(fieldsOf(wire.readSent(bytes("n001a00000000")))[0].name, "a");
});

test("messages before what is broken are still shown", () => {
  const readings = connected().readReceived(bytes("n001a00000000zzz"));
  assert.deepEqual(
    readings.map(({ note }) => note === null),
    [true, false],
  );
});

test("a result names the operation that it answers", () => {
  const wire = connected();
  sent(wire, draft("request", { name: "echo" }));
  assert.equal(fieldsOf(wire.readReceived(bytes("R000000000000")))[0].answers, "echo");
  assert.equal(fieldsOf(wire.readReceived(bytes("R000000000000")))[0].answers, undefined);
});

test("each part of a streamed result names its operation", () => {
  const wire = connected();
  sent(wire, draft("stream", { name: "count" }));
  const heard = ["S0000000000011", "S0000000000012", "S000000000000", "S000000000000"].map(
    (frame) => fieldsOf(wire.readReceived(bytes(frame)))[0].answers,
  );
  assert.deepEqual(heard, ["count", "count", "count", undefined]);
});

test("an id that is no text is shown in hex", () => {
  const header = Uint8Array.of(0x45, 0, 0, 0, 1, ...bytes("00000000"));
  assert.equal(fieldsOf(connected().readReceived(header))[0].id, "0x00000001");
});

test("the last request can be cancelled by its id, however it was sent", () => {
  const wire = connected();
  wire.readSent(bytes("rabcd004echo00000000"));
  assert.equal(wire.lastRequest, "abcd");
  assert.equal(wire.operationOf("abcd"), "echo");
});

test("the operations are asked once, of who can tell them", () => {
  const wire = connected();
  assert.deepEqual(wire.questions().map(text), ["r0000004$ops00000000"]);
  assert.deepEqual(wire.questions(), []);
  assert.deepEqual(connected({ features: ["joined"] }).questions(), []);
  assert.deepEqual(connected({ asStock: true }).questions(), []);
});

test("the answer to $ops is kept, whoever asked it", () => {
  const wire = connected({ asStock: true });
  sent(wire, draft("request", { name: "$ops" }));
  assert.equal(wire.catalog, null);
  wire.readReceived(bytes('R000000000011{"operations":{}}'));
  assert.deepEqual(wire.catalog, { operations: {} });
});
