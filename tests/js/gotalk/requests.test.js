import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FakeWebSocket,
  connectOurs,
  connectStock,
  expectReports,
  hexSize,
  loadGotalk,
  settled,
  unhex,
  watch,
} from "../fakes.js";

test("a request: goes out with an id and resolves with its result", async () => {
  const { sock, ws } = connectStock();
  const answer = watch(sock.request("echo", { a: "群" }));
  assert.deepEqual(ws.take(), ["r0000004echo0000000b", '{"a":"群"}']);
  ws.deliver("R00000000000b", '{"a":"群"}');
  await settled();
  assert.deepEqual(answer, { state: "resolved", value: { a: "群" } });
});

test("results in another order: each finds its request", async () => {
  const { sock, ws } = connectOurs();
  const first = watch(sock.request("a"));
  const second = watch(sock.request("b"));
  ws.deliver("R0001000000012R0000000000011");
  await settled();
  assert.deepEqual([first.value, second.value], [1, 2]);
});

test("a request without a value: has no payload", () => {
  const { sock, ws } = connectStock();
  sock.request("list");
  assert.deepEqual(ws.take(), ["r0000004list00000000"]);
});

test("an empty result: is null as JSON, empty bytes as a buffer", async () => {
  const { sock, ws } = connectStock();
  const json = watch(sock.request("a"));
  const raw = watch(sock.bufferRequest("b", null));
  ws.deliver("R000000000000", "R000100000000");
  await settled();
  assert.equal(json.value, null);
  assert.deepEqual([...raw.value], []);
});

test("a buffer result: is a Uint8Array from a binary message and a string from a text message", async () => {
  const { sock, ws } = connectStock();
  const first = watch(sock.bufferRequest("a", Uint8Array.of(255)));
  const second = watch(sock.bufferRequest("b", "x"));
  assert.deepEqual([...ws.sent[1]], [255]);
  ws.deliver("R000000000002", unhex("fffe").buffer, "R000100000002", { text: "hi" });
  await settled();
  assert.deepEqual([...first.value], [255, 254]);
  assert.equal(second.value, "hi");
});

test("a result that is not JSON: resolves undefined, and is told in development mode", async (t) => {
  const { gotalk, sock, ws } = connectStock();
  const warn = t.mock.method(console, "warn", () => {});
  gotalk.developmentMode = true;
  const answer = watch(sock.request("a"));
  ws.deliver("R000000000001{");
  await settled();
  assert.deepEqual(answer, { state: "resolved", value: undefined });
  assert.equal(warn.mock.callCount(), 1);
});

test("callbacks: hear result or error, and the promise does not reject", async () => {
  const { sock, ws } = connectStock();
  const heard = {};
  const promise = sock.request("a", 1, (...args) => (heard.a = args));
  sock.request("b", (...args) => (heard.b = args));
  sock.bufferRequest("c", "x", (...args) => (heard.c = args));
  ws.deliver("E000000000004", "nope", "R000100000001", "2", "R000200000001", { text: "y" });
  await settled();
  assert.equal(heard.a[0].message, "nope");
  assert.deepEqual(
    [heard.b, heard.c],
    [
      [null, 2],
      [null, "y"],
    ],
  );
  assert.equal(await promise, undefined);
});

test("bufferRequest with a callback: no rejection is left unhandled", async () => {
  const { sock, ws } = connectStock();
  const heard = [];
  const unhandled = [];
  process.on("unhandledRejection", (error) => unhandled.push(error));
  sock.bufferRequest("a", null, (error) => heard.push(error.message));
  ws.deliver("E000000000004", "nope");
  await settled();
  await settled();
  assert.deepEqual(heard, ["nope"]);
  assert.deepEqual(unhandled, []);
});

test("a callback that throws: is called once and reported", async (t) => {
  const reports = expectReports(t);
  const { sock, ws } = connectStock();
  let calls = 0;
  sock.request("a", 1, () => {
    calls++;
    throw new Error("page");
  });
  ws.deliver("R000000000000");
  await settled();
  assert.equal(calls, 1);
  assert.equal(reports.callCount(), 1);
});

test("requestp and bufferRequestp: the older names do the same", async () => {
  const { sock, ws } = connectStock();
  const first = watch(sock.requestp("echo", "😀"));
  const second = watch(sock.bufferRequestp("echo", "x"));
  assert.deepEqual(ws.take(), ["r0000004echo00000006", '"😀"', "r0001004echo00000001", "x"]);
  ws.deliver("R000000000006", '"😀"', "R000100000001", "x");
  await settled();
  assert.equal(first.value, "😀");
  assert.deepEqual([...second.value], [120]);
});

test("an error of a stock peer: its text is the message, even if it is JSON", async () => {
  const { sock, ws } = connectStock();
  const answer = watch(sock.request("a"));
  const text = '{"error":"x","code":"y"}';
  ws.deliver(`E0000${hexSize(text)}`, text);
  await settled();
  assert.equal(answer.error.message, text);
  assert.equal(answer.error.code, undefined);
});

test("an error of a peer that announced errors: has message, code, field and retryAfterMs", async () => {
  const { sock, ws } = connectOurs();
  const answer = watch(sock.request("a"));
  const text = JSON.stringify({
    error: "too long",
    code: "too_long",
    field: "message.body",
    retry_after_ms: 1500,
  });
  ws.deliver(`E0000${hexSize(text)}${text}`);
  await settled();
  const { message, code, field, retryAfterMs } = answer.error;
  assert.ok(answer.error instanceof Error);
  assert.deepEqual(
    { message, code, field, retryAfterMs },
    {
      message: "too long",
      code: "too_long",
      field: "message.body",
      retryAfterMs: 1500,
    },
  );
});

for (const text of ["plain words", "7", "null", '{"code":"x"}', ""]) {
  test(`an error of ${text || "nothing"} from a peer that announced errors: is still an Error`, async () => {
    const { sock, ws } = connectOurs();
    const answer = watch(sock.request("a"));
    ws.deliver(`E0000${hexSize(text)}${text}`);
    await settled();
    assert.equal(answer.error.message, text);
  });
}

test("a retry result: the request is repeated after the wait, with jitter and a new id", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const { clock, sock, ws } = connectOurs();
  const answer = watch(sock.request("post", "x"));
  ws.take();
  ws.deliver("e0000000003e800000000");
  await clock.advance(1249);
  assert.deepEqual(ws.take(), []);
  await clock.advance(1);
  assert.deepEqual(ws.take(), ['r0001004post00000003"x"']);
  ws.deliver("R000100000001", "1");
  await settled();
  assert.equal(answer.value, 1);
});

test("a retry result with no wait: is no hot loop", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const { clock, sock, ws } = connectOurs();
  watch(sock.request("post"));
  ws.take();
  ws.deliver("e00000000000000000000");
  await clock.advance(249);
  assert.deepEqual(ws.take(), []);
  await clock.advance(1);
  assert.equal(ws.take().length, 1);
});

test("retry results without end: the fifth repetition is the last, then the promise rejects", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const { clock, sock, ws } = connectOurs();
  const text = JSON.stringify({ error: "busy", code: "busy", retry_after_ms: 300 });
  const answer = watch(sock.request("post"));
  let sent = 0;
  for (let [frame] = ws.take(); frame !== undefined; [frame] = ws.take()) {
    sent++;
    ws.deliver(`e${frame.slice(1, 5)}00000000${hexSize(text)}${text}`);
    await clock.advance(1000);
  }
  assert.equal(sent, 1 + 5);
  assert.equal(answer.error.code, "busy");
  assert.equal(answer.error.retryAfterMs, 300);
});

test("a wait beyond the request's timeout: rejects at once and says when", async () => {
  const { sock, ws } = connectOurs();
  const answer = watch(sock.request("post"));
  ws.deliver("e000000007d0000000004", "slow");
  await settled();
  assert.equal(answer.error.message, "slow");
  assert.equal(answer.error.retryAfterMs, 32000);
});

test("retries 0: a retry result rejects at once", async () => {
  const { sock, ws } = connectOurs();
  const answer = watch(sock.request("post", 1, { retries: 0 }));
  ws.deliver("e0000000003e800000000");
  await settled();
  assert.equal(answer.error.retryAfterMs, 1000);
});

test("an answer to the id before the retry: is ignored", async () => {
  const { sock, ws } = connectOurs();
  const answer = watch(sock.request("post"));
  ws.deliver("e0000000003e800000000R000000000000");
  await settled();
  assert.equal(answer.state, "waiting");
});

test("no answer: rejects after 30 s, tells the server, and ignores what comes late", async () => {
  const { clock, sock, ws } = connectOurs();
  const answer = watch(sock.request("slow"));
  await clock.advance(29_999 - 20_000);
  ws.deliver("h000065000000");
  await clock.advance(20_000);
  assert.equal(answer.state, "waiting");
  ws.take();
  await clock.advance(1);
  assert.equal(answer.error.code, "timeout");
  assert.deepEqual(ws.take(), ['n007$cancel00000011{"id":"30303030"}']);
  ws.deliver("R000000000000");
  assert.equal(ws.readyState, 1);
});

test("no answer from a stock server: is not told $cancel", async () => {
  const { clock, sock, ws } = connectStock();
  const answer = watch(sock.request("slow", null, { timeout: 1000 }));
  ws.take();
  await clock.advance(1000);
  assert.equal(answer.error.code, "timeout");
  assert.deepEqual(ws.take(), []);
});

test("requestTimeout 0: waits for ever", async () => {
  const { clock, sock } = connectStock();
  sock.requestTimeout = 0;
  const answer = watch(sock.request("slow"));
  await clock.advance(3_600_000);
  assert.equal(answer.state, "waiting");
});

test("a signal: gives the request up and tells the server", async () => {
  const { sock, ws } = connectOurs();
  const controller = new AbortController();
  const answer = watch(sock.request("slow", null, { signal: controller.signal }));
  ws.take();
  controller.abort();
  await settled();
  assert.equal(answer.error.name, "AbortError");
  assert.deepEqual(ws.take(), ['n007$cancel00000011{"id":"30303030"}']);
});

test("a signal that has fired: nothing is sent", async () => {
  const { sock, ws } = connectOurs();
  ws.take();
  const answer = watch(sock.request("slow", null, { signal: AbortSignal.abort() }));
  await settled();
  assert.equal(answer.state, "rejected");
  assert.deepEqual(ws.take(), []);
});

test("the connection is lost: what was sent rejects, and is not sent again", async () => {
  const { clock, sock, ws } = connectOurs();
  const answer = watch(sock.request("post", "x"));
  ws.end();
  await settled();
  assert.equal(answer.error.code, "closed");
  await clock.advance(1000);
  const sent = FakeWebSocket.last.accept().take();
  assert.equal(
    sent.some((frame) => frame.startsWith("r")),
    false,
  );
});

test("made while not connected: waits, and is sent once when the connection is there", async () => {
  const { clock, sock, ws } = connectOurs();
  ws.end();
  const answer = watch(sock.request("post", "x"));
  sock.notify("typing", 1);
  await clock.advance(1000);
  const next = FakeWebSocket.last.accept().deliver("01");
  assert.deepEqual(next.take().slice(3), ["r0000004post00000003", '"x"', "n006typing00000001", "1"]);
  next.deliver("R000000000001", "7");
  await settled();
  assert.equal(answer.value, 7);
});

test("timed out while not connected: is not sent later", async () => {
  const { clock, sock, ws } = connectOurs();
  ws.end();
  const answer = watch(sock.request("post", "x", { timeout: 500 }));
  sock.notify("typing", 1);
  await clock.advance(1000);
  assert.equal(answer.error.code, "timeout");
  assert.deepEqual(FakeWebSocket.last.accept().take().slice(3), ["n006typing00000001", "1"]);
});

test("made while the connection closes: waits for the next one", async () => {
  const { clock, sock, ws } = connectOurs();
  ws.close(1000);
  const answer = watch(sock.request("post"));
  ws.end(1000);
  await clock.advance(1000);
  assert.equal(answer.state, "waiting");
  assert.deepEqual(FakeWebSocket.last.accept().take().slice(3), ["r0000004post00000000"]);
});

test("a retry that falls due while not connected: is sent with the next connection", async (t) => {
  t.mock.method(Math, "random", () => 0.9);
  const { clock, sock, ws } = connectOurs();
  const answer = watch(sock.request("post"));
  ws.deliver("e00000000000100000000");
  ws.end();
  await clock.advance(1000);
  assert.equal(answer.state, "waiting");
  assert.deepEqual(FakeWebSocket.last.accept().take().slice(3), ["r0001004post00000000"]);
});

test("sendBufferLimit: what exceeds it is refused as closed", async () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  sock.sendBufferLimit = 1;
  const kept = watch(sock.request("a"));
  const refused = watch(sock.request("b"));
  assert.throws(() => sock.notify("c", 1), /socket is closed/);
  await settled();
  assert.equal(kept.state, "waiting");
  assert.equal(refused.error.message, "socket is closed");
});

test("sendBufferLimit 0: nothing waits for a connection", async () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.Sock(gotalk.defaultHandlers);
  sock.sendBufferLimit = 0;
  const refused = watch(sock.request("a"));
  await settled();
  assert.equal(refused.error.code, "closed");
});

for (const [what, op, payload] of [
  ["an empty operation", "", null],
  ["a name over 255 bytes", "x".repeat(256), null],
  ["a payload that is no bytes", "a", { size: 3 }],
]) {
  test(`${what}: rejects, and the connection goes on`, async () => {
    const { sock, ws } = connectOurs();
    ws.take();
    const answer = watch(sock.bufferRequest(op, payload));
    await settled();
    assert.equal(answer.state, "rejected");
    assert.deepEqual(ws.take(), []);
    assert.equal(ws.readyState, 1);
  });
}

test("a single request that is answered with a stream: resolves with all of its parts", async () => {
  const { sock, ws } = connectOurs();
  const answer = watch(sock.request("export"));
  ws.deliver("S000000000002[1", "S000000000003,2]");
  await settled();
  assert.equal(answer.state, "waiting");
  ws.deliver("S000000000000");
  await settled();
  assert.deepEqual(answer.value, [1, 2]);
});

test("ids: go on over connections, so that no late answer can meet another request", async () => {
  const { clock, sock, ws } = connectStock();
  watch(sock.request("a"));
  ws.end();
  await clock.advance(1000);
  const next = FakeWebSocket.last.accept().deliver("01");
  next.take();
  watch(sock.request("b"));
  assert.deepEqual(next.take(), ["r0001001b00000000"]);
});

test("a result in parts: credit is granted as they are collected", async () => {
  const { sock, ws } = connectOurs();
  watch(sock.request("export"));
  ws.take();
  for (let i = 0; i < 7; i++) ws.deliver("S0000000000011");
  assert.deepEqual(ws.take(), []);
  ws.deliver("S0000000000011");
  assert.deepEqual(ws.take(), ['n005$more00000025{"id":"30303030","of":"S","credit":8}']);
});

test("a retry result behind parts of a result: the parts of the repetition are the result", async (t) => {
  t.mock.method(Math, "random", () => 0);
  const { clock, sock, ws } = connectOurs();
  const answer = watch(sock.request("export"));
  ws.deliver("S0000000000011", "e0000000000fa00000000");
  await clock.advance(250);
  ws.deliver("S0001000000012", "S000100000000");
  await settled();
  assert.equal(answer.value, 2);
});
