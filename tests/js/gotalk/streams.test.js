/* Streams that the page opens: parts of the request out, parts of the result in. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FakeWebSocket,
  connectOurs,
  connectPair,
  connectStock,
  loadGotalk,
  readAll,
  settled,
  watch,
} from "../fakes.js";

const CANCEL = 'n007$cancel00000011{"id":"30303030"}';
const HEARTBEAT = "h00006553f100";

/** What a page of ours gets for a stream "sum" whose request has just been opened with a first part. */
async function openSum(options, streamOptions) {
  const world = connectOurs(options);
  const stream = world.sock.stream("sum", streamOptions);
  await stream.write(0);
  assert.deepEqual(world.ws.take(), ["s0000003sum000000010"]);
  return { ...world, stream };
}

const more = (of, credit) => {
  const payload = `{"id":"30303030","of":"${of}","credit":${credit}}`;
  return `n005$more000000${payload.length.toString(16)}${payload}`;
};

test("written at once: the first part opens the stream, the others and the end follow", async () => {
  const { sock, ws } = connectOurs();
  const stream = sock.stream("sum");
  stream.write(1);
  stream.write({ a: "群" });
  stream.end();
  await settled();
  assert.deepEqual(ws.take(), ["s0000003sum000000011", 'p00000000000b{"a":"群"}', "p000000000000"]);
});

test("read before anything is written: nothing is sent until the first part, which opens the stream", async () => {
  const { sock, ws } = connectOurs();
  const stream = sock.stream("sum");
  const result = readAll(stream);
  await settled();
  assert.deepEqual(ws.take(), []);
  stream.write(1);
  stream.end();
  stream.end();
  assert.deepEqual(ws.take(), ["s0000003sum000000011", "p000000000000"]);
  ws.deliver("R0000000000011");
  await settled();
  assert.deepEqual(result, { values: [1], state: "ended" });
});

test("ended at once: is opened, and then ended", async () => {
  const { sock, ws } = connectOurs();
  sock.stream("sum").end();
  await settled();
  assert.deepEqual(ws.take(), ["s0000003sum00000000", "p000000000000"]);
});

test("the result: its parts, then the end of the loop", async () => {
  const { ws, stream } = await openSum();
  const result = readAll(stream);
  ws.deliver("S0000000000011", 'S00000000000b{"a":"群"}');
  await settled();
  assert.deepEqual(result, { values: [1, { a: "群" }], state: "reading" });
  ws.deliver("S000000000000");
  await settled();
  assert.equal(result.state, "ended");
});

test("a result that is not in parts: is the only part", async () => {
  for (const [frame, value] of [
    ["R000000000003[1]", [1]],
    ["R000000000000", null],
  ]) {
    const { ws, stream } = await openSum();
    const result = readAll(stream);
    ws.deliver(frame);
    await settled();
    assert.deepEqual(result, { values: [value], state: "ended" });
  }
});

test("undefined: is written as null, for an empty part would end the stream", async () => {
  const { ws, stream } = await openSum();
  stream.write(undefined);
  assert.deepEqual(ws.take(), ["p000000000004null"]);
});

test("bufferStream: parts are bytes, and cannot be empty", async () => {
  const { sock, ws } = connectOurs();
  const stream = sock.bufferStream("echo");
  stream.write(Uint8Array.of(0x31));
  stream.write("é");
  assert.throws(() => stream.write(""), RangeError);
  assert.deepEqual(ws.take(), ["s0000004echo000000011", "p000000000002é"]);
  const result = readAll(stream);
  ws.deliver("S0000000000011", { text: "S000000000002é" }, "S000000000000");
  await settled();
  assert.deepEqual(result.values, [Uint8Array.of(0x31), Uint8Array.of(0xc3, 0xa9)]);
});

test("an operation that is no name: is refused at once", () => {
  const { sock } = connectOurs();
  assert.throws(() => sock.stream(""), RangeError);
});

test("the server's window is full: the writer waits for credit", async () => {
  const { ws, stream } = await openSum({ hello: { window: 3 } });
  const writes = [1, 2, 3, 4].map((value) => watch(stream.write(value)));
  stream.end();
  await settled();
  assert.deepEqual(ws.take(), ["p0000000000011", "p0000000000012"]);
  const states = () => writes.map(({ state }) => state);
  assert.deepEqual(states(), ["resolved", "resolved", "waiting", "waiting"]);
  ws.deliver(more("p", 1));
  await settled();
  assert.deepEqual(ws.take(), ["p0000000000013"]);
  assert.deepEqual(states(), ["resolved", "resolved", "resolved", "waiting"]);
  ws.deliver(more("p", 1));
  assert.deepEqual(ws.take(), ["p0000000000014", "p000000000000"]);
});

test("a part of 64 KiB: costs 2, the first one too", () => {
  const { sock, ws } = connectOurs({ hello: { window: 4 } });
  const stream = sock.bufferStream("sum");
  for (const size of [65536, 65535, 65536, 1]) stream.write(new Uint8Array(size));
  assert.deepEqual(
    ws.take().map((frame) => frame.slice(0, 1) + frame.length),
    ["s65555", "p65548", "p65549"],
  );
});

test("a server without flow control: gets all parts at once", async () => {
  const { ws, stream } = await openSum({ hello: { without: ["flow"] } });
  for (let i = 0; i < 100; i++) stream.write(i);
  assert.equal(ws.take().length, 100);
});

test("a window that is no number: is ours", async () => {
  for (const window of [0, -1, 1.5, "2", null]) {
    const { ws, stream } = await openSum({ hello: { window } });
    for (let i = 0; i < 20; i++) stream.write(i);
    assert.equal(ws.take().length, 15);
  }
});

test("credit that is none, or for nobody: is ignored", async () => {
  const { ws, stream } = await openSum({ hello: { window: 2 } });
  stream.write(1);
  stream.write(2);
  ws.take();
  for (const credit of [0, -1, 0.5, '"1"', null]) ws.deliver(more("p", credit));
  ws.deliver(more("S", 1), more("x", 1), more("p", 1).replace("30303030", "41414141"), "n005$more00000000");
  assert.deepEqual(ws.take(), []);
  assert.equal(ws.readyState, 1);
});

test("the network does not keep up: the writer waits until the WebSocket has room", async () => {
  const { clock, ws, stream } = await openSum();
  ws.bufferedAmount = 1024 * 1024;
  const write = watch(stream.write(1));
  await clock.advance(100);
  assert.deepEqual([ws.take(), write.state], [[], "waiting"]);
  ws.bufferedAmount = 0;
  await clock.advance(20);
  assert.deepEqual([ws.take(), write.state], [["p0000000000011"], "resolved"]);
});

test("parts that nobody has read: grant no credit", async () => {
  const { ws, stream } = await openSum();
  for (let i = 0; i < 16; i++) ws.deliver("S0000000000011");
  await settled();
  assert.deepEqual(ws.take(), []);
  const parts = stream[Symbol.asyncIterator]();
  for (let i = 0; i < 7; i++) await parts.next();
  assert.deepEqual(ws.take(), []);
  await parts.next();
  assert.deepEqual(ws.take(), [more("S", 8)]);
});

test("parts read after the end of the result: grant no credit", async () => {
  const { ws, stream } = await openSum();
  for (let i = 0; i < 16; i++) ws.deliver("S0000000000011");
  ws.deliver("S000000000000");
  const result = readAll(stream);
  await settled();
  assert.deepEqual([result.values.length, result.state, ws.take()], [16, "ended", []]);
});

test("a server without flow control: is granted no credit", async () => {
  const { ws, stream } = await openSum({ hello: { without: ["flow"] } });
  const result = readAll(stream);
  for (let i = 0; i < 40; i++) ws.deliver("S0000000000011");
  await settled();
  assert.deepEqual([result.values.length, ws.take()], [40, []]);
});

test("a server that sends twice the window and more: is cancelled", async () => {
  const { ws, stream } = await openSum();
  for (let i = 0; i < 32; i++) ws.deliver("S0000000000011");
  assert.deepEqual(ws.take(), []);
  ws.deliver("S0000000000011");
  assert.deepEqual(ws.take(), [CANCEL]);
  const result = readAll(stream);
  await settled();
  assert.equal(result.error.code, "too_fast");
});

test("one part far larger than the window: is legal", async () => {
  const { ws, stream } = await openSum();
  const result = readAll(stream);
  ws.deliver(`S0000001fffff"${"x".repeat(0x1ffffd)}"`);
  await settled();
  assert.equal(result.values[0].length, 0x1ffffd);
  assert.deepEqual(ws.take(), [more("S", 32)]);
});

test("cancel: tells the server, and ends the reader and the writer", async () => {
  const { ws, stream } = await openSum({ hello: { window: 2 } });
  const result = readAll(stream);
  stream.write(1);
  const write = watch(stream.write(2));
  ws.take();
  stream.cancel();
  stream.cancel();
  await settled();
  assert.deepEqual(ws.take(), [CANCEL]);
  assert.deepEqual([result.error.code, write.error.code], ["cancelled", "cancelled"]);
});

test("parts and answers behind a cancel: are ignored", async () => {
  const { ws, stream } = await openSum();
  const result = readAll(stream);
  stream.cancel();
  ws.deliver("S0000000000011", 'E000000000028{"error":"cancelled","code":"cancelled"}');
  await settled();
  assert.deepEqual([result.values, ws.readyState], [[], 1]);
});

test("leaving the loop: cancels", async () => {
  const { ws, stream } = await openSum();
  ws.deliver("S0000000000011", "S0000000000012");
  for await (const value of stream) {
    assert.equal(value, 1);
    break;
  }
  assert.deepEqual(ws.take(), [CANCEL]);
  assert.equal(stream.ended, true);
});

test("leaving the loop when all has arrived: there is nothing to cancel", async () => {
  const { ws, stream } = await openSum();
  ws.deliver("S0000000000011", "S0000000000012", "S000000000000");
  for await (const value of stream) {
    assert.equal(value, 1);
    break;
  }
  assert.deepEqual(ws.take(), []);
});

test("given up towards a server that cannot cancel: the request is ended", async () => {
  const { ws, stream } = await openSum({ hello: { without: ["cancel"] } });
  stream.cancel();
  assert.deepEqual(ws.take(), ["p000000000000"]);
});

test("given up after the request's end, and the server cannot cancel: nothing is left to say", async () => {
  const { ws, stream } = await openSum({ hello: { without: ["cancel"] } });
  stream.end();
  ws.take();
  stream.cancel();
  assert.deepEqual(ws.take(), []);
});

test("cancelled before anything was sent: nothing is", async () => {
  const { sock, ws } = connectOurs();
  sock.stream("sum").cancel();
  await settled();
  assert.deepEqual(ws.take(), []);
});

test("a signal: gives the stream up with its reason", async () => {
  const controller = new AbortController();
  const { ws, stream } = await openSum({}, { signal: controller.signal });
  const result = readAll(stream);
  controller.abort();
  await settled();
  assert.equal(result.error.name, "AbortError");
  assert.deepEqual(ws.take(), [CANCEL]);
});

test("a signal that has fired: nothing is sent", async () => {
  const { sock, ws } = connectOurs();
  const stream = sock.stream("sum", { signal: AbortSignal.abort() });
  const write = watch(stream.write(1));
  const result = readAll(stream);
  await settled();
  assert.deepEqual([write.error.name, result.error.name], ["AbortError", "AbortError"]);
  assert.deepEqual(ws.take(), []);
});

test("timeout: a stream on which nothing moves for so long is given up", async () => {
  const { clock, ws, stream } = await openSum({}, { timeout: 1000 });
  const result = readAll(stream);
  await clock.advance(900);
  stream.write(1);
  await clock.advance(900);
  ws.deliver("S0000000000011");
  await clock.advance(999);
  assert.equal(result.state, "reading");
  ws.take();
  await clock.advance(1);
  assert.equal(result.error.code, "timeout");
  assert.deepEqual(ws.take(), [CANCEL]);
});

test("timeout: a reader that is slow but reads does not let it run out", async () => {
  const { clock, ws, stream } = await openSum({}, { timeout: 1000 });
  ws.deliver("S0000000000011", "S0000000000012", "S0000000000013");
  const parts = stream[Symbol.asyncIterator]();
  for (const value of [1, 2, 3]) {
    await clock.advance(900);
    assert.equal((await parts.next()).value, value);
  }
  assert.deepEqual(ws.take(), []);
});

test("no timeout given: it is 60 s, and timeout 0 waits for ever", async () => {
  const { clock, sock, ws } = connectOurs();
  const result = readAll(sock.stream("sum", { timeout: undefined }));
  const patient = readAll(sock.stream("sum", { timeout: 0 }));
  for (let seconds = 0; seconds < 60; seconds += 10) {
    assert.equal(result.state, "reading");
    ws.deliver(HEARTBEAT);
    await clock.advance(10_000);
  }
  assert.deepEqual([result.error.code, patient.state], ["timeout", "reading"]);
});

test("an error: comes behind the parts that came before it, and ends the writer", async () => {
  const { ws, stream } = await openSum({ hello: { window: 2 } });
  stream.write(1);
  const write = watch(stream.write(2));
  ws.take();
  ws.deliver("S0000000000011", 'E000000000020{"error":"midway","code":"half"}');
  const result = readAll(stream);
  const late = watch(stream.write(3));
  await settled();
  assert.deepEqual(result.values, [1]);
  assert.deepEqual([result.error.message, result.error.code], ["midway", "half"]);
  assert.deepEqual([write.error, late.error], [result.error, result.error]);
  assert.deepEqual(ws.take(), []);
});

test("a retry result: is an error that says when", async () => {
  const { ws, stream } = await openSum();
  const result = readAll(stream);
  ws.deliver("e0000000003e800000004busy");
  await settled();
  assert.deepEqual([result.error.message, result.error.retryAfterMs], ["busy", 1000]);
});

test("a part that is not JSON: gives the stream up", async () => {
  const { ws, stream } = await openSum();
  const result = readAll(stream);
  ws.deliver("S000000000001{");
  await settled();
  assert.equal(result.error.code, "bad_params");
  assert.deepEqual(ws.take(), [CANCEL]);
});

test("an answer before the request's end: what is written then is not wanted, and no failure", async () => {
  const { ws, stream } = await openSum({ hello: { window: 2 } });
  stream.write(1);
  const write = watch(stream.write(2));
  ws.take();
  ws.deliver("S000000000000");
  const late = watch(stream.write(3));
  stream.end();
  await settled();
  assert.deepEqual([write.state, late.state, stream.ended], ["resolved", "resolved", true]);
  assert.deepEqual(ws.take(), []);
});

test("written after end(): is refused", async () => {
  const { stream } = await openSum();
  stream.end();
  assert.equal(stream.ended, true);
  await assert.rejects(stream.write(1), { code: "ended" });
});

test("a writer that does not wait: a failing stream leaves no rejection unhandled", async () => {
  const { ws, stream } = await openSum({ hello: { window: 2 } });
  const unhandled = [];
  process.on("unhandledRejection", (error) => unhandled.push(error));
  stream.write(1);
  stream.write(2);
  ws.deliver("E000000000004nope");
  await settled();
  await settled();
  assert.deepEqual(unhandled, []);
});

test("a stock server: never gets an s, and the stream fails after 5 s", async () => {
  const { clock, sock, ws } = connectStock();
  const stream = sock.stream("sum");
  const write = watch(stream.write(1));
  const result = readAll(stream);
  await clock.advance(4999);
  assert.equal(result.state, "reading");
  await clock.advance(1);
  assert.deepEqual([result.error.code, write.error.code], ["unsupported", "unsupported"]);
  assert.deepEqual(ws.take(), []);
});

test("a server whose hello has no streams: never gets an s, and the stream fails at once", async () => {
  const { sock, ws } = connectOurs({ hello: { without: ["streams"] } });
  const stream = sock.stream("sum");
  stream.write(1);
  const result = readAll(stream);
  await settled();
  assert.equal(result.error.code, "unsupported");
  assert.deepEqual(ws.take(), []);
});

test("opened before the server's hello: goes out with it", async () => {
  const { sock, ws } = connectStock();
  const stream = sock.stream("sum");
  stream.write(1);
  stream.end();
  await settled();
  assert.deepEqual(ws.take(), []);
  ws.hello();
  assert.deepEqual(ws.take(), ["s0000003sum000000011", "p000000000000"]);
});

test("opened before the connection: goes out when it is there", async () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.connection();
  sock.stream("sum").write(1);
  const ws = FakeWebSocket.last.accept().deliver("01").hello();
  assert.equal(ws.take().pop(), "s0000003sum000000011");
});

test("opened without a connection, and none comes: fails as closed", async () => {
  const { gotalk, clock } = loadGotalk();
  const result = readAll(gotalk.Sock().stream("sum"));
  await clock.advance(20_000);
  assert.equal(result.error.code, "closed");
});

test("the connection is lost: reader and writer hear of it, the next connection does not", async () => {
  const { clock, ws, stream } = await openSum({ hello: { window: 2 } });
  stream.write(1);
  const write = watch(stream.write(2));
  ws.deliver("S0000000000011");
  ws.end();
  const result = readAll(stream);
  await settled();
  assert.deepEqual([result.values, result.error.code, write.error.code], [[1], "closed", "closed"]);
  await clock.advance(1000);
  const next = FakeWebSocket.last.accept().deliver("01").hello();
  assert.equal(next.take().length, 3);
});

test("a stream that has ended: its id is free, nothing of it is pending", async () => {
  const { clock, sock, ws, stream } = await openSum();
  readAll(stream);
  ws.deliver("S000000000000");
  await settled();
  sock.end();
  assert.equal(ws.closedWith, 1000);
  ws.end(1000);
  assert.equal(clock.pending, 0);
});

test("end() while a stream runs: waits for it", async () => {
  const { sock, ws } = await openSum();
  sock.end();
  assert.equal(ws.closedWith, null);
  ws.deliver("S000000000000");
  assert.equal(ws.closedWith, 1000);
});

test("two of ours, 500 parts both ways, a slow reader: the writer is never far ahead", async () => {
  const { sockets } = await connectPair();
  const [sock, other] = sockets;
  other.handlers.handleStream("echo", async function* (parts) {
    for await (const value of parts) yield value;
  });
  const stream = sock.stream("echo");
  let written = 0;
  let furthest = 0;
  const writing = (async () => {
    while (written < 500) {
      await stream.write(written);
      written++;
    }
    stream.end();
  })();
  let read = 0;
  for await (const value of stream) {
    assert.equal(value, read++);
    await settled();
    furthest = Math.max(furthest, written - read);
  }
  await writing;
  assert.equal(read, 500);
  assert.ok(furthest <= 4 * 16, `${furthest} ahead`);
});
