/* Stream requests of the stock API, whose parts are events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectOurs, connectStock, loadGotalk, record, FakeWebSocket } from "../fakes.js";

test("a stream request: sends nothing at first, then s, p and an empty p", () => {
  const { sock, ws } = connectStock();
  const stream = sock.streamRequest("sum");
  assert.deepEqual([stream.op, stream.id, ws.take()], ["sum", "0000", []]);
  stream.write("1");
  stream.write(Uint8Array.of(50));
  stream.end();
  stream.write("3");
  stream.end();
  assert.deepEqual(ws.take(), ["s0000003sum00000001", "1", "p000000000001", "2", "p000000000000"]);
});

test("its result: data for each part, then end and close", () => {
  const { sock, ws } = connectStock();
  const stream = sock.streamRequest("sum");
  const events = record(stream, "data", "end", "close");
  stream.write("1");
  ws.deliver("S000000000001", { text: "a" }, "S000000000001", { text: "b" }, "S000000000000");
  assert.deepEqual(events, [
    ["data", "a"],
    ["data", "b"],
    ["end", null],
    ["close", null],
  ]);
});

test("a single result: is one part and the end", () => {
  const { sock, ws } = connectStock();
  const stream = sock.streamRequest("sum");
  const events = record(stream, "data", "end");
  stream.write("1");
  ws.deliver("R000000000001", { text: "a" });
  assert.deepEqual(events, [
    ["data", "a"],
    ["end", null],
  ]);
});

test("an error: ends it, nothing more is sent, later parts are ignored", () => {
  for (const answer of ["E000000000004nope", "e00000000000000000004nope"]) {
    const { sock, ws } = connectOurs();
    const stream = sock.streamRequest("sum");
    const events = record(stream, "data", "end");
    stream.write("1");
    ws.take();
    ws.deliver(answer, "S000000000001a");
    stream.write("2");
    assert.equal(events.length, 1);
    assert.equal(events[0][1].message, "nope");
    assert.deepEqual(ws.take(), []);
  }
});

test("the connection is lost: it ends with an error, and no part goes to the next connection", async () => {
  const { clock, sock, ws } = connectStock();
  const stream = sock.streamRequest("sum");
  const unused = sock.streamRequest("sum");
  const events = record(stream, "end");
  const unusedEvents = record(unused, "end");
  stream.write("1");
  ws.end();
  assert.equal(events[0][1].code, "closed");
  stream.write("2");
  await clock.advance(1000);
  const next = FakeWebSocket.last.accept().deliver("01");
  assert.equal(next.take().length, 3);
  assert.deepEqual(unusedEvents, []);
  unused.write("1");
  assert.deepEqual(next.take(), ["s0001003sum00000001", "1"]);
});

test("StreamRequest: the low-level form sends on the socket it is given", () => {
  const { gotalk, sock, ws } = connectStock();
  const stream = gotalk.StreamRequest(sock, "sum", "!abc");
  assert.ok(stream instanceof gotalk.StreamRequest);
  stream.write("1");
  assert.deepEqual(ws.take(), ["s!abc003sum00000001", "1"]);
});

test("written before the connection is there: goes out in order when it is", () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.connection();
  const stream = sock.streamRequest("sum");
  stream.write("1");
  stream.end();
  assert.deepEqual(FakeWebSocket.last.accept().take().slice(3), [
    "s0000003sum00000001",
    "1",
    "p000000000000",
  ]);
});

test("ended without a part: the message that opens it ends nothing, so an empty part follows", () => {
  const { sock, ws } = connectStock();
  sock.streamRequest("sum").end();
  assert.deepEqual(ws.take(), ["s0000003sum00000000", "p000000000000"]);
});

test("parts beyond the server's window: wait for its credit", () => {
  const { sock, ws } = connectOurs({ hello: { window: 2 } });
  const stream = sock.streamRequest("sum");
  for (const part of "123") stream.write(part);
  stream.end();
  assert.deepEqual(ws.take(), ["s0000003sum000000011", "p0000000000012"]);
  ws.deliver('n005$more00000025{"id":"30303030","of":"p","credit":1}');
  assert.deepEqual(ws.take(), ["p0000000000013", "p000000000000"]);
});

test("parts of the result: are consumed as they are emitted", () => {
  const { sock, ws } = connectOurs();
  sock.streamRequest("sum").write("1");
  ws.take();
  for (let i = 0; i < 8; i++) ws.deliver("S000000000001x");
  assert.deepEqual(ws.take(), ['n005$more00000025{"id":"30303030","of":"S","credit":8}']);
});
