/* What goes over the WebSocket, message by message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FakeWebSocket,
  connectOurs,
  connectStock,
  hexSize,
  loadGotalk,
  record,
  settled,
  unhex,
} from "../fakes.js";

const HELLO =
  '{"agent":"hubtalk/0.1","features":["joined","retry","errors","cancel","streams","flow"],"window":16}';

test("a connection that opens: sends the version alone, then the hello, header and payload apart", () => {
  const { gotalk } = loadGotalk();
  gotalk.connection();
  const ws = FakeWebSocket.last.accept();
  assert.deepEqual(ws.take(), ["01", "n006$hello00000064", HELLO]);
});

test("a stock server: keeps getting two messages, and none for an empty payload", () => {
  const { sock, ws } = connectStock();
  sock.notify("typing", { room: "jokes" });
  sock.bufferNotify("ping", null);
  assert.deepEqual(ws.take(), ["n006typing00000010", '{"room":"jokes"}', "n004ping00000000"]);
});

test("a server that announced joined: gets header and payload in one message", () => {
  const { sock, ws } = connectOurs();
  sock.notify("typing", 1);
  assert.deepEqual(ws.take(), ["n006typing000000011"]);
});

for (const [what, text, size] of [
  ["an emoji", "😀", "00000004"],
  ["NUL", "a\0bcd", "00000005"],
  ["Chinese", "大家好", "00000009"],
  ["a lone surrogate", "\ud800", "00000003"],
]) {
  test(`${what} in a payload: is counted in UTF-8 bytes`, () => {
    const { sock, ws } = connectStock();
    sock.bufferNotify("a", text);
    const [header, payload] = ws.take();
    assert.equal(header, `n001a${size}`);
    assert.equal(hexSize(payload), size);
  });
}

test("text codec: header and text go as text, with sizes in bytes", () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.open(undefined, undefined, undefined, gotalk.protocol.text);
  const ws = FakeWebSocket.last.accept().deliver("01");
  assert.deepEqual(ws.take(), [{ text: "01" }, { text: "n006$hello00000064" }, { text: HELLO }]);
  sock.notify("群", "😀");
  assert.deepEqual(ws.take(), [{ text: "n003群00000006" }, { text: '"😀"' }]);
});

test("text codec and an id that is not text: the answer has a binary header with the same four bytes", () => {
  const { gotalk } = loadGotalk();
  gotalk.handleBufferRequest("echo", (data, result) => result(data));
  gotalk.open(undefined, undefined, undefined, gotalk.protocol.text);
  const ws = FakeWebSocket.last.accept().deliver("01");
  ws.take();
  ws.deliver(unhex("72fffe000a3030346563686f3030303030303030").buffer);
  assert.equal(Buffer.from(ws.sent[0]).toString("hex"), "52fffe000a3030303030303030");
});

for (const [layout, frames] of [
  ["header and payload apart", ["n001a00000002", "{}", "n001b00000001", "1"]],
  ["header and payload joined", ["n001a00000002{}", "n001b000000011"]],
  ["several messages joined", ["n001a00000002{}n001b000000011"]],
  ["cut inside of headers and payloads", ["n00", "1a00000002{", "}n001b0", "000000", "11"]],
  ["text messages", [{ text: "n001a00000002" }, { text: "{}" }, { text: "n001b000000011" }]],
  ["binary header, text payload", ["n001a00000002", { text: "{}" }, "n001b00000001", { text: "1" }]],
  ["heartbeats in between", ["h000065000000n001a00000002{}", "h000065000000", "n001b00000001", "1"]],
]) {
  test(`${layout}: both notifications arrive, from any server`, () => {
    for (const connect of [connectStock, connectOurs]) {
      const { gotalk, ws } = connect();
      const seen = [];
      gotalk.handleNotification("", (value, name) => seen.push([name, value]));
      ws.deliver(...frames);
      assert.deepEqual(seen, [
        ["a", {}],
        ["b", 1],
      ]);
    }
  });
}

test("the version joined with the first messages: both are read", () => {
  const { gotalk } = loadGotalk();
  const seen = [];
  gotalk.handleNotification("a", (value) => seen.push(value));
  gotalk.connection();
  FakeWebSocket.last.accept().deliver("01n001a000000015");
  assert.deepEqual(seen, [5]);
});

test("a stock size that is wrong: the next message is the payload, whatever its length", () => {
  const { gotalk, ws } = connectStock();
  const seen = [];
  gotalk.handleNotification("", (value, name) => seen.push([name, value]));
  ws.deliver("n001a00000008", '"😀"', "n001b00000001", '"a\\u0000bcd"', "n001c00000002", "{}");
  assert.deepEqual(seen, [
    ["a", "😀"],
    ["b", "a\0bcd"],
    ["c", {}],
  ]);
});

test("a header that ends its frame, after a joined hello: is followed by a byte stream", () => {
  const { gotalk, ws } = connectOurs();
  const seen = [];
  gotalk.handleNotification("", (value, name) => seen.push([name, value]));
  ws.deliver("n001a00000002", "{", "}n001b000000011");
  assert.deepEqual(seen, [
    ["a", {}],
    ["b", 1],
  ]);
});

test("a hello joined with the next header: the rest of that frame is a byte stream already", () => {
  const { gotalk, ws } = connectStock();
  const seen = [];
  gotalk.handleNotification("a", (value) => seen.push(value));
  const hello = '{"features":["joined"]}';
  ws.deliver(`n006$hello${hexSize(hello)}${hello}n001a00000003`, "1", "23");
  assert.deepEqual(seen, [123]);
});

for (const hello of ["{}", "null", '{"features":7}', "not json", ""]) {
  test(`a hello of ${hello || "nothing"}: announces nothing and does no harm`, () => {
    const { sock, ws } = connectStock();
    ws.deliver(`n006$hello${hexSize(hello)}${hello}`);
    assert.equal(sock.features.size, 0);
    assert.equal(ws.readyState, 1);
  });
}

test("names that begin with $: never reach the page", () => {
  const { gotalk, ws } = connectOurs();
  const seen = [];
  gotalk.handleNotification("", (value, name) => seen.push(name));
  ws.deliver("n008$unknown00000000");
  assert.deepEqual(seen, []);
});

for (const [what, frame, code] of [
  ["an unknown type", "z0001004echo00000000", 2],
  ["digits that are none", "R0001+0000001x", 2],
  ["an empty name", "n00000000000", 2],
  ["a size over 16 MiB", "R000101000001", 2],
]) {
  test(`${what}: is answered f ${code} and a close with ${4000 + code}`, () => {
    const { sock, ws } = connectOurs();
    const events = record(sock, "close");
    ws.deliver(frame);
    assert.deepEqual(ws.take(), [`f0000000${code}`]);
    assert.equal(ws.closedWith, 4000 + code);
    assert.equal(events.length, 1);
    assert.equal(events[0][1].isGotalkProtocolError, true);
    assert.equal(events[0][1].code, code);
  });
}

for (const version of ["00", "02", "09", "xx"]) {
  test(`version ${version}: is answered f 1 and a close with 4001`, () => {
    const { gotalk } = loadGotalk();
    const events = record(gotalk.connection(), "close");
    const ws = FakeWebSocket.last.accept();
    ws.take();
    ws.deliver(version);
    assert.deepEqual(ws.take(), ["f00000001"]);
    assert.equal(ws.closedWith, 4001);
    assert.equal(events[0][1].code, gotalk.protocol.ErrorUnsupported);
  });
}

for (const [sent, code] of [
  [0, 0],
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 2],
  [0xffffffff, 2],
]) {
  test(`f ${sent} from the server: closes with ${4000 + code}, and nothing is sent back`, () => {
    const { sock, ws } = connectOurs();
    const events = record(sock, "close");
    ws.deliver(`f${sent.toString(16).padStart(8, "0")}`);
    assert.deepEqual(ws.take(), []);
    assert.equal(ws.closedWith, 4000 + code);
    assert.deepEqual(
      events.map(([type, error]) => [type, error.code]),
      [["close", code]],
    );
  });
}

test("messages behind an f: are not handled", () => {
  const { gotalk, ws } = connectOurs();
  const seen = [];
  gotalk.handleNotification("", (value) => seen.push(value));
  ws.deliver("f00000002n001a000000011");
  assert.deepEqual(seen, []);
});

test("a heartbeat: is emitted with its time and load", () => {
  const { sock, ws } = connectStock();
  const events = record(sock, "heartbeat");
  ws.deliver("h000254d7de9a");
  assert.deepEqual(events, [["heartbeat", { time: new Date(1423433370000), load: 2 }]]);
});

test("heartbeats: go out every 20 s, and stop with the connection", async () => {
  const { clock, sock, ws } = connectStock();
  await clock.advance(41_000);
  assert.deepEqual(ws.take(), ["h00006553f114", "h00006553f128"]);
  ws.end(1000);
  sock.end();
  await settled();
  assert.equal(clock.pending, 0);
});

test("heartbeatInterval 0: sends none", async () => {
  const { gotalk, clock } = loadGotalk();
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  sock.heartbeatInterval = 0;
  sock.open();
  const ws = FakeWebSocket.last.accept().deliver("01");
  ws.take();
  await clock.advance(100_000);
  assert.deepEqual(ws.take(), []);
});

test("sendHeartbeat: takes a load from 0 to 1, and throws when not connected", () => {
  const { sock, ws } = connectStock();
  sock.sendHeartbeat(0.5);
  sock.sendHeartbeat(7);
  assert.deepEqual(ws.take(), ["h80006553f100", "hffff6553f100"]);
  ws.end();
  assert.throws(() => sock.sendHeartbeat(0), /socket is closed/);
});
