import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { loadGotalk, unhex } from "../fakes.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf-8"));
const { protocol, Buf } = loadGotalk().gotalk;
const utf8 = new TextEncoder();
const hex = (bytes) => Buffer.from(bytes).toString("hex");

function newReader() {
  const reader = new protocol.Reader();
  reader.joined = true;
  assert.deepEqual([...reader.feed(utf8.encode("01"))], []);
  return reader;
}

/** A message as vectors.json writes it. */
function described(msg) {
  const type = String.fromCharCode(msg.t);
  if (type === "h") return { type, load: msg.wait, time: msg.size };
  if (type === "f") return { type, code: msg.size };
  return {
    type,
    ...(msg.id === undefined ? {} : { id: hex(msg.id) }),
    ...(msg.name === undefined ? {} : { name: msg.name }),
    ...(type === "e" ? { wait_ms: msg.wait } : {}),
    payload: new TextDecoder().decode(msg.payload),
  };
}

function encoded(message) {
  const t = message.type.charCodeAt(0);
  const id = message.id === undefined ? null : unhex(message.id);
  const payload = utf8.encode(message.payload || "");
  if (message.type === "h") return protocol.binary.makeMsg(t, null, null, message.load, message.time);
  if (message.type === "f") return protocol.binary.makeMsg(t, null, null, 0, message.code);
  return Buffer.concat([
    protocol.binary.makeMsg(t, id, message.name, message.wait_ms || 0, payload.length),
    payload,
  ]);
}

for (const vector of vectors.valid) {
  const bytes = unhex(vector.hex);

  test(`${vector.name}: read whole`, () => {
    assert.deepEqual([...newReader().feed(bytes)].map(described), vector.messages);
  });

  test(`${vector.name}: read byte by byte`, () => {
    const reader = newReader();
    const messages = [...bytes].flatMap((byte) => [...reader.feed(Uint8Array.of(byte))]);
    assert.deepEqual(messages.map(described), vector.messages);
  });

  test(`${vector.name}: read with the next message behind it`, () => {
    const reader = newReader();
    const behind = "n001a00000002{}n003";
    const messages = [
      ...reader.feed(Buffer.concat([bytes, utf8.encode(behind)])),
      ...reader.feed(utf8.encode("xyz00000000")),
    ];
    assert.deepEqual(messages.map(described), [
      ...vector.messages,
      { type: "n", name: "a", payload: "{}" },
      { type: "n", name: "xyz", payload: "" },
    ]);
  });

  test(`${vector.name}: written`, () => {
    const lowerCase = vector.name === "upper-case hex" ? vector.hex.replace("41", "61") : vector.hex;
    assert.equal(hex(Buffer.concat(vector.messages.map(encoded))), lowerCase);
  });
}

for (const vector of vectors.invalid) {
  test(`${vector.name}: a protocol error`, () => {
    for (const pieces of [[unhex(vector.hex)], [...unhex(vector.hex)].map((byte) => Uint8Array.of(byte))]) {
      const reader = newReader();
      assert.throws(
        () => pieces.forEach((piece) => [...reader.feed(piece)]),
        (error) => error.isGotalkProtocolError && error.code === vector.protocol_error,
      );
    }
  });
}

for (const version of vectors.bad_versions) {
  test(`version ${version}: unsupported`, () => {
    const feed = () => [...new protocol.Reader().feed(utf8.encode(version))];
    assert.throws(feed, (error) => error.isGotalkProtocolError && error.code === protocol.ErrorUnsupported);
  });
}

test("half a version: waits for the rest", () => {
  const reader = new protocol.Reader();
  assert.deepEqual([...reader.feed(utf8.encode("0"))], []);
  assert.equal(reader.versionSeen, false);
  assert.deepEqual([...reader.feed(utf8.encode("1"))], []);
  assert.equal(reader.versionSeen, true);
});

test("a declared size over 16 MiB: a protocol error before the payload arrives", () => {
  assert.throws(() => [...newReader().feed(utf8.encode("R000101000001"))], {
    code: protocol.ErrorInvalidMsg,
  });
});

test("a payload frame over 16 MiB: a protocol error, whatever was declared", () => {
  const reader = newReader();
  reader.joined = false;
  assert.deepEqual([...reader.feed(utf8.encode("R000100000001"))], []);
  assert.throws(() => [...reader.feed(new Uint8Array(16 * 1024 * 1024 + 1))], {
    code: protocol.ErrorInvalidMsg,
  });
});

test("a payload of 1 MiB in many pieces: put together once", () => {
  const reader = newReader();
  const messages = [...reader.feed(utf8.encode("R000100100000"))];
  for (let piece = 0; piece < 1024; piece++) messages.push(...reader.feed(new Uint8Array(1024).fill(piece)));
  assert.equal(messages.length, 1);
  assert.equal(messages[0].payload.length, 1024 * 1024);
  assert.equal(messages[0].payload[1024 * 1024 - 1], 255);
});

test("a payload that was read: is not a view of its frame", () => {
  const frame = utf8.encode("R000100000002okR000200000000");
  const [msg] = newReader().feed(frame);
  assert.equal(msg.payload.buffer.byteLength, 2);
});

test("binary codec: fixed digits, version and their limits", () => {
  assert.deepEqual([...protocol.binary.makeFixnum(0xa3, 4)], [48, 48, 97, 51]);
  assert.equal(Buffer.from(protocol.binary.versionBuf).toString(), "01");
  assert.equal(protocol.binary.parseVersion(utf8.encode("01")), 1);
  assert.throws(() => protocol.binary.makeFixnum(0x1000, 3), RangeError);
});

test("binary codec: parses a header, and says null while it is not whole", () => {
  const header = utf8.encode("r0001004echo00000005");
  const { t, id, name, wait, size } = protocol.binary.parseMsg(header);
  assert.deepEqual(
    { t, id: [...id], name, wait, size },
    { t: 0x72, id: [48, 48, 48, 49], name: "echo", wait: 0, size: 5 },
  );
  assert.equal(protocol.binary.parseMsg(header.subarray(0, 19)), null);
});

test("text codec: parses what it makes", () => {
  const made = protocol.text.makeMsg(protocol.MsgTypeSingleReq, "0001", "群发", 0, 5);
  assert.equal(made, "r0001006群发00000005");
  assert.deepEqual(protocol.text.parseMsg(made), { t: 0x72, id: "0001", name: "群发", wait: 0, size: 5 });
  assert.deepEqual(protocol.text.parseMsg("e00010000138800000014"), {
    t: 0x65,
    id: "0001",
    name: undefined,
    wait: 5000,
    size: 20,
  });
  assert.equal(protocol.text.parseMsg("r0001"), null);
  assert.equal(protocol.text.parseVersion("01"), 1);
});

test("text codec: a name whose size a stock peer counted wrongly is read by its ends", () => {
  assert.equal(protocol.text.parseMsg("n006😀00000002").name, "😀");
});

test("text codec: digits from other scripts are no digits", () => {
  assert.throws(() => protocol.text.parseMsg("R00010000000\u0130"), { code: protocol.ErrorInvalidMsg });
});

test("makeMsg in the four-argument form of the type declarations: the last one is the size", () => {
  assert.equal(protocol.text.makeMsg(protocol.MsgTypeNotification, null, "a", 2), "n001a00000002");
});

test("names that the wire cannot carry: refused", () => {
  for (const name of ["", "x".repeat(256), "群".repeat(86)]) {
    assert.throws(() => protocol.binary.makeMsg(protocol.MsgTypeNotification, null, name, 0, 0), RangeError);
  }
});

test("heartbeats: both codecs write load and second", () => {
  assert.equal(protocol.text.makeHeartbeatMsg(2), "h00026553f100");
  assert.equal(Buffer.from(protocol.binary.makeHeartbeatMsg(0xffff)).toString(), "hffff6553f100");
});

test("Buf: from a size, a buffer, itself and a string", () => {
  assert.deepEqual([...Buf(2)], [0, 0]);
  assert.deepEqual([...Buf(Uint8Array.of(7).buffer)], [7]);
  const bytes = Uint8Array.of(1);
  assert.equal(Buf(bytes), bytes);
  assert.equal(Buf.isBuf(bytes), true);
  assert.deepEqual([...Buf.fromString("é")], [0xc3, 0xa9]);
});
