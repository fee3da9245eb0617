/* Streams that the peer opens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectOurs, connectStock, expectReports, settled } from "../fakes.js";

const CANCEL = 'n007$cancel00000011{"id":"30303061"}';
const CANCELLED = 'E000a00000028{"error":"cancelled","code":"cancelled"}';

async function* totals(parts) {
  let total = 0;
  for await (const value of parts) yield (total += value);
}

const more = (of, credit) => {
  const payload = `{"id":"30303061","of":"${of}","credit":${credit}}`;
  return `n005$more000000${payload.length.toString(16)}${payload}`;
};

/** A page of ours that handles stream "it", and a server that has opened it under the id 000a. */
async function openIt(handler, options) {
  const world = connectOurs(options);
  world.gotalk.handleStream("it", handler);
  world.ws.deliver("s000a002it00000000");
  await settled();
  return world;
}

test("an async generator: what it yields are the parts of the result, its end is theirs", async () => {
  const { gotalk, ws } = connectStock();
  gotalk.handleStream("sum", totals);
  ws.deliver("s000a003sum00000001", "1", "p000a00000001", "2");
  await settled();
  assert.deepEqual(ws.take(), ["S000a00000001", "1", "S000a00000001", "3"]);
  ws.deliver("p000a00000000");
  await settled();
  assert.deepEqual(ws.take(), ["S000a00000000"]);
});

test("an async function: what it returns is the single result", async () => {
  const { ws } = await openIt(async (parts, op) => {
    const values = [op];
    for await (const value of parts) values.push(value);
    return values;
  });
  ws.deliver("p000a000000011", "p000a00000000");
  await settled();
  assert.deepEqual(ws.take(), ['R000a00000008["it",1]']);
});

test("a single result for a stock peer that asked in parts: is a part and the end", async () => {
  const { gotalk, ws } = connectStock();
  gotalk.handleBufferStream("it", async (parts) => (await parts.next()).value);
  ws.deliver("s000a002it00000001", "x");
  await settled();
  assert.deepEqual(ws.take(), ["S000a00000001", "x", "S000a00000000"]);
  gotalk.handleBufferStream("it", async () => "");
  ws.deliver("s000b002it00000001", "x");
  await settled();
  assert.deepEqual(ws.take(), ["S000b00000000"]);
});

test("a single result for a stock peer that asked in one: is one", async () => {
  const { gotalk, ws } = connectStock();
  gotalk.handleStream("it", () => 1);
  ws.deliver("r000a002it00000000");
  await settled();
  assert.deepEqual(ws.take(), ["R000a00000001", "1"]);
});

test("a function that returns nothing: its result is null", async () => {
  const { ws } = await openIt(() => {});
  assert.deepEqual(ws.take(), ["R000a00000004null"]);
});

test("a generator that yields undefined: yields null, for an empty part would be the end", async () => {
  const { ws } = await openIt(async function* () {
    yield undefined;
  });
  assert.deepEqual(ws.take(), ["S000a00000004null", "S000a00000000"]);
});

test("a buffer stream: gets and yields bytes", async () => {
  const { gotalk, ws } = connectOurs();
  const seen = [];
  gotalk.handleBufferStream("echo", async function* (parts) {
    for await (const part of parts) {
      seen.push(part);
      yield part;
    }
  });
  ws.deliver("s000a004echo000000011", { text: "p000a00000002é" }, "p000a00000000");
  await settled();
  assert.deepEqual(seen, [Uint8Array.of(0x31), Uint8Array.of(0xc3, 0xa9)]);
  assert.deepEqual(ws.take(), ["S000a000000011", "S000a00000002é", "S000a00000000"]);
});

test("a buffer stream that yields nothing but an empty part: is an internal error, not an end", async (t) => {
  const reports = expectReports(t);
  const { gotalk, ws } = connectOurs();
  gotalk.handleBufferStream("it", async function* () {
    yield "";
  });
  ws.deliver("s000a002it00000000");
  await settled();
  assert.deepEqual(ws.take(), ['E000a0000002c{"error":"internal error","code":"internal"}']);
  assert.equal(reports.callCount(), 1);
});

test("a single request for a stream: is a stream of its one part, or of none", async () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handleStream("sum", totals);
  ws.deliver("r000a003sum000000017", "r000b003sum00000000");
  await settled();
  assert.deepEqual(ws.take().sort(), ["S000a00000000", "S000a000000017", "S000b00000000"]);
});

test("a stream request for a plain operation: is no stream operation, and its parts are ignored", () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handle("greet", () => assert.fail("must not be called"));
  ws.deliver("s000a005greet000000011", "p000a000000012", "p000a00000000");
  assert.deepEqual(ws.take(), ['E000a00000038{"error":"not a stream operation","code":"not_a_stream"}']);
  assert.equal(ws.readyState, 1);
});

test("a stream request for an unknown operation: is an error, also if Object.prototype has its name", () => {
  const { ws } = connectStock();
  ws.deliver("s000a008toString00000000", "p000a00000000");
  assert.deepEqual(ws.take(), ["E000a0000001c", 'unknown operation "toString"']);
});

test("parts for a plain request, or for none: are ignored", () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handle("later", () => {});
  ws.deliver("r000a005later00000000", "p000a000000011", "pzzzz000000011");
  assert.deepEqual([ws.take(), ws.readyState], [[], 1]);
});

test("a fallback stream handler: answers what nobody else does", async () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handleStream("", async (parts, op) => op);
  gotalk.handle("plain", (value, result) => result(1));
  ws.deliver("s000a003any00000000", "r000b005plain00000000");
  await settled();
  assert.deepEqual(ws.take().sort(), ['R000a00000005"any"', "R000b000000011"]);
});

test("an operation handled again, in another way: the last one counts", async () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handle("it", () => assert.fail("must not be called"));
  gotalk.handleStream("it", async () => 1);
  ws.deliver("s000a002it00000000");
  await settled();
  assert.deepEqual(ws.take(), ["R000a000000011"]);
});

test("a handler that throws an error with a code: ends the result with its words", async (t) => {
  const reports = expectReports(t);
  const { ws } = await openIt(async function* () {
    yield 1;
    throw Object.assign(new Error("half of it"), { code: "midway" });
  });
  assert.deepEqual(ws.take(), ["S000a000000011", 'E000a00000026{"error":"half of it","code":"midway"}']);
  assert.equal(reports.callCount(), 0);
});

for (const [what, handler] of [
  [
    "a generator that throws",
    async function* () {
      throw new Error("secret");
    },
  ],
  [
    "a function that throws",
    () => {
      throw new Error("secret");
    },
  ],
  ["a promise that rejects", () => Promise.reject(new Error("secret"))],
  ["a promise that rejects with nothing", () => Promise.reject()],
]) {
  test(`${what}: answers internal error without its words, and reports`, async (t) => {
    const reports = expectReports(t);
    const { ws } = await openIt(handler);
    assert.deepEqual(ws.take(), ['E000a0000002c{"error":"internal error","code":"internal"}']);
    assert.equal(reports.callCount(), 1);
  });
}

test("$cancel while the handler reads: its loop throws, its finally runs, nothing is reported", async (t) => {
  const reports = expectReports(t);
  const seen = [];
  const { ws } = await openIt(async function* (parts) {
    try {
      for await (const value of parts) yield value;
    } catch (error) {
      seen.push(error.code, parts.signal.reason === error);
      throw error;
    } finally {
      seen.push("finally");
    }
  });
  ws.deliver("p000a000000011");
  await settled();
  ws.take();
  ws.deliver(CANCEL);
  await settled();
  assert.deepEqual(ws.take(), [CANCELLED]);
  assert.deepEqual(seen, ["cancelled", true, "finally"]);
  ws.deliver("p000a000000012", CANCEL, more("S", 1));
  await settled();
  assert.deepEqual(ws.take(), []);
  assert.equal(reports.callCount(), 0);
});

test("$cancel while the handler waits for credit: the generator returns", async () => {
  let hasReturned = false;
  const { ws } = await openIt(
    async function* () {
      try {
        for (;;) yield 1;
      } finally {
        hasReturned = true;
      }
    },
    { hello: { window: 1 } },
  );
  ws.deliver(CANCEL);
  await settled();
  assert.equal(hasReturned, true);
  assert.deepEqual(ws.take(), ["S000a000000011", CANCELLED]);
});

test("$cancel while the handler does something else: its signal tells, its result is lost", async () => {
  let finish;
  let signal;
  const { ws } = await openIt((parts) => {
    ({ signal } = parts);
    return new Promise((resolve) => (finish = resolve));
  });
  ws.deliver(CANCEL);
  assert.equal(signal.reason.code, "cancelled");
  finish(1);
  await settled();
  assert.deepEqual(ws.take(), [CANCELLED]);
});

test("the connection is lost: the loop throws, the signal is aborted, nothing is reported", async (t) => {
  const reports = expectReports(t);
  let seen;
  const { ws } = await openIt(async (parts) => {
    try {
      for await (const value of parts) seen = value;
    } catch (error) {
      seen = [error.code, parts.signal.aborted];
      throw error;
    }
  });
  ws.end();
  await settled();
  assert.deepEqual(seen, ["closed", true]);
  assert.equal(reports.callCount(), 0);
});

test("parts that the handler has taken: are granted in lots of half a window", async () => {
  const { ws } = await openIt(async (parts) => {
    for await (const value of parts);
  });
  for (let i = 0; i < 7; i++) ws.deliver("p000a000000011");
  await settled();
  assert.deepEqual(ws.take(), []);
  ws.deliver("p000a000000011");
  await settled();
  assert.deepEqual(ws.take(), [more("p", 8)]);
});

test("a handler that does not read: grants nothing, and ends who sends twice the window", async () => {
  const { ws } = await openIt(() => new Promise(() => {}));
  for (let i = 0; i < 32; i++) ws.deliver("p000a000000011");
  await settled();
  assert.deepEqual(ws.take(), []);
  ws.deliver("p000a000000011");
  await settled();
  assert.deepEqual(ws.take(), ['E000a00000038{"error":"too many parts at one time","code":"too_fast"}']);
});

test("a handler that does not read from an end without flow control: keeps 1024 parts", async () => {
  const { ws } = await openIt(() => new Promise(() => {}), { hello: { without: ["flow"] } });
  for (let i = 0; i < 1024; i++) ws.deliver("p000a000000011");
  assert.deepEqual(ws.take(), []);
  ws.deliver("p000a000000011");
  assert.match(ws.take()[0], /^E000a.*"too_fast"/);
});

test("the peer's window is full: the generator waits for credit", async () => {
  let made = 0;
  const { ws } = await openIt(
    async function* () {
      while (made < 4) yield ++made;
    },
    { hello: { window: 2 } },
  );
  assert.deepEqual(ws.take(), ["S000a000000011", "S000a000000012"]);
  assert.equal(made, 3);
  ws.deliver(more("S", 2));
  await settled();
  assert.deepEqual(ws.take(), ["S000a000000013", "S000a000000014", "S000a00000000"]);
});

test("a handler that leaves its loop: answers all the same, and later parts are ignored", async () => {
  let finish;
  const { ws } = await openIt(async (parts) => {
    for await (const value of parts) {
      if (value === 1) break;
    }
    return new Promise((resolve) => (finish = resolve));
  });
  ws.deliver("p000a000000011");
  await settled();
  for (let i = 0; i < 40; i++) ws.deliver("p000a000000012");
  assert.deepEqual(ws.take(), []);
  finish("done");
  await settled();
  assert.deepEqual(ws.take(), ['R000a00000006"done"']);
});

test("a part that is not JSON: ends the stream", async () => {
  let failure;
  const { ws } = await openIt(async (parts) => {
    failure = await parts.next().catch((error) => error);
  });
  ws.deliver("p000a00000001{");
  await settled();
  assert.deepEqual(ws.take(), ['E000a00000032{"error":"a part is not JSON","code":"bad_params"}']);
  assert.equal(failure.code, "bad_params");
});

test("a first part that is not JSON: the handler is not called", async () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handleStream("it", () => assert.fail("must not be called"));
  ws.deliver("s000a002it00000001{");
  await settled();
  assert.match(ws.take()[0], /"bad_params"/);
});

test("nothing moves for a minute: the stream is answered as timed out", async () => {
  const { clock, sock, ws } = await openIt(async (parts) => {
    for await (const value of parts);
  });
  sock.livenessTimeout = Infinity;
  await clock.advance(50_000);
  ws.deliver("p000a000000011");
  await clock.advance(59_999);
  ws.take();
  await clock.advance(1);
  assert.deepEqual(ws.take(), ['E000a00000026{"error":"timed out","code":"timeout"}']);
});

test("the ninth stream at one time: is to come later, and may when one has ended", async () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handleStream("it", async (parts) => {
    for await (const value of parts);
  });
  for (let i = 0; i < 9; i++) ws.deliver(`s000${i}002it00000000`);
  const text =
    '{"error":"too many streams at one time","code":"too_many_streams","retry_after_ms":1000}';
  assert.deepEqual(ws.take(), [`e0008000003e800000058${text}`]);
  ws.deliver("p000000000000");
  await settled();
  assert.deepEqual(ws.take(), ["R000000000004null"]);
  ws.deliver("s0009002it00000000");
  assert.deepEqual(ws.take(), []);
});

test("the ninth stream of an end that knows no retry results: says so in words", () => {
  const { gotalk, ws } = connectStock();
  gotalk.handleStream("it", () => new Promise(() => {}));
  for (let i = 0; i < 9; i++) ws.deliver(`s000${i}002it00000000`);
  assert.deepEqual(ws.take(), ["E000800000031", "too many streams at one time, retry after 1000 ms"]);
});

test("an id that is in use: is refused, and the first stream goes on", async () => {
  let finish;
  const { ws } = await openIt(() => new Promise((resolve) => (finish = resolve)));
  ws.deliver("s000a002it00000000");
  assert.match(ws.take()[0], /^E000a.*"duplicate_id"/);
  finish(1);
  await settled();
  assert.deepEqual(ws.take(), ["R000a000000011"]);
});
