/* Requests and notifications of the peer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connectOurs, connectStock, expectReports, hexSize, settled, unhex } from "../fakes.js";

test("a request from a stock server: is answered header and payload apart, with its id", () => {
  const { gotalk, ws } = connectStock();
  gotalk.handle("greet", (params, result) => result({ greeting: `Hello ${params.name}` }));
  ws.deliver("rabcd005greet0000000f", '{"name":"Zoé"}');
  assert.deepEqual(ws.take(), ["Rabcd00000019", '{"greeting":"Hello Zoé"}']);
});

test("an id that is not text: is echoed exactly", () => {
  const { gotalk, ws } = connectStock();
  gotalk.handleBufferRequest("echo", (data, result) => result(data));
  ws.deliver(unhex("72fffe000a3030346563686f3030303030303030").buffer);
  assert.equal(Buffer.from(ws.sent[0]).toString("hex"), "52fffe000a3030303030303030");
});

test("a buffer handler: gets bytes or a string, as the message came, and the operation", () => {
  const { gotalk, ws } = connectStock();
  const seen = [];
  gotalk.handleBufferRequest("echo", (data, result, op) => {
    seen.push([data, op]);
    result(data);
  });
  ws.deliver("r0001004echo00000001", "x", "r0002004echo00000002", { text: "é" });
  assert.deepEqual([...seen[0][0]], [120]);
  assert.deepEqual(seen[1], ["é", "echo"]);
  assert.deepEqual(ws.take(), ["R000100000001", "x", "R000200000002", "é"]);
});

test("an unknown operation: is an error, also if Object.prototype has its name", () => {
  const { ws } = connectStock();
  for (const op of ["nope", "toString", "constructor", "__proto__"]) {
    ws.deliver(`r00010${hexSize(op).slice(-2)}${op}00000000`);
    const [header, text] = ws.take();
    assert.match(header, /^E0001/);
    assert.equal(text, `unknown operation "${op}"`);
  }
});

test("a fallback: answers unknown operations and hears unknown notifications", () => {
  const { gotalk, ws } = connectStock();
  const seen = [];
  gotalk.handleRequest("", (value, result, op) => result(op));
  gotalk.handleNotification("", (value, name) => seen.push(name));
  ws.deliver("r0001008toString00000000", "n008toString00000000");
  assert.deepEqual(ws.take(), ["R00010000000a", '"toString"']);
  assert.deepEqual(seen, ["toString"]);
});

test("a handler that throws: answers internal error without its words, and reports", (t) => {
  const reports = expectReports(t);
  const { gotalk, ws } = connectStock();
  gotalk.handle("boom", () => {
    throw new Error("secret");
  });
  ws.deliver("r0001004boom00000000");
  assert.deepEqual(ws.take(), ["E00010000000e", "internal error"]);
  assert.equal(reports.callCount(), 1);
});

test("an async handler that rejects: answers internal error, and reports", async (t) => {
  const reports = expectReports(t);
  const { gotalk, ws } = connectStock();
  gotalk.handle("boom", async () => {
    throw new Error("secret");
  });
  ws.deliver("r0001004boom00000000");
  await settled();
  assert.deepEqual(ws.take(), ["E00010000000e", "internal error"]);
  assert.equal(reports.callCount(), 1);
});

test("result.error: sends its message to a stock peer, message, code and field to others", () => {
  for (const [connect, expected] of [
    [connectStock, ["E00010000000c", "no such room"]],
    [connectOurs, ['E000100000038{"error":"no such room","code":"no_room","field":"room"}']],
  ]) {
    const { gotalk, ws } = connect();
    gotalk.handle("join", (params, result) => {
      result.error(Object.assign(new Error("no such room"), { code: "no_room", field: "room" }));
    });
    ws.deliver("r0001004join00000000");
    assert.deepEqual(ws.take(), expected);
  }
});

test("result.error with a string: is the message", () => {
  const { gotalk, ws } = connectStock();
  gotalk.handle("join", (params, result) => result.error("no"));
  ws.deliver("r0001004join00000000");
  assert.deepEqual(ws.take(), ["E000100000002", "no"]);
});

test("a second answer: is ignored, also when the id is used again", () => {
  const { gotalk, ws } = connectStock();
  const results = [];
  gotalk.handle("later", (params, result) => results.push(result));
  ws.deliver("r0001005later00000000");
  results[0](1);
  results[0](2);
  ws.deliver("r0001005later00000000");
  results[0].error("late");
  results[1](3);
  assert.deepEqual(ws.take(), ["R000100000001", "1", "R000100000001", "3"]);
});

test("an answer after the connection is lost: is sent to nobody", async () => {
  const { gotalk, clock, ws } = connectStock();
  let answer;
  gotalk.handle("later", (params, result) => (answer = result));
  ws.deliver("r0001005later00000000");
  ws.end();
  answer(1);
  await clock.advance(1000);
  const next = globalThis.WebSocket.last.accept().deliver("01");
  next.take();
  answer(2);
  assert.deepEqual(next.take(), []);
});

test("an id that is being answered already: is refused, and the first goes on", () => {
  const { gotalk, ws } = connectStock();
  let answer;
  gotalk.handle("later", (params, result) => (answer = result));
  ws.deliver("r0001005later00000000", "r0001005later00000000");
  assert.match(ws.take()[0], /^E0001/);
  answer(1);
  assert.deepEqual(ws.take(), ["R000100000001", "1"]);
});

test("more than 1024 requests unanswered: the next is refused as busy", () => {
  const { gotalk, ws } = connectOurs();
  gotalk.handle("later", () => {});
  for (let i = 0; i < 1024; i++) ws.deliver(`r${i.toString().padStart(4, "0")}005later00000000`);
  assert.deepEqual(ws.take(), []);
  ws.deliver("rzzzz005later00000000");
  assert.match(ws.take()[0], /^Ezzzz.*"busy"/);
});

test("$cancel: the request is answered cancelled, and its result goes nowhere", () => {
  const { gotalk, ws } = connectOurs();
  let answer;
  gotalk.handle("later", (params, result) => (answer = result));
  ws.deliver("r000a005later00000000");
  ws.deliver('n007$cancel00000011{"id":"30303061"}');
  assert.deepEqual(ws.take(), ['E000a00000028{"error":"cancelled","code":"cancelled"}']);
  answer(1);
  ws.deliver('n007$cancel00000011{"id":"30303061"}', 'n007$cancel0000000b{"id":null}', "n007$cancel00000000");
  assert.deepEqual(ws.take(), []);
});

test("$cancel: aborts the signal of the handler", () => {
  const { gotalk, ws } = connectOurs();
  let signal;
  gotalk.handle("later", (params, result) => (signal = result.signal));
  ws.deliver("r000a005later00000000");
  assert.equal(signal.aborted, false);
  ws.deliver('n007$cancel00000011{"id":"30303061"}');
  assert.equal(signal.reason.code, "cancelled");
});

test("the connection ends: aborts the signals of the handlers", () => {
  const { gotalk, ws } = connectOurs();
  let signal;
  gotalk.handleBufferRequest("later", (params, result) => (signal = result.signal));
  ws.deliver("r000a005later00000000");
  ws.end();
  assert.equal(signal.reason.code, "closed");
});

test("a handler that throws an error with a code: tells the peer its words", async (t) => {
  const reports = expectReports(t);
  const { gotalk, ws } = connectOurs();
  gotalk.handle("join", async () => {
    throw new gotalk.RequestError("no such room", { code: "no_room", field: "room" });
  });
  ws.deliver("r0001004join00000000");
  await settled();
  assert.deepEqual(ws.take(), ['E000100000038{"error":"no such room","code":"no_room","field":"room"}']);
  assert.equal(reports.callCount(), 0);
});

test("a handler that throws what the browser made: tells nothing of it", (t) => {
  expectReports(t);
  const { gotalk, ws } = connectStock();
  gotalk.handle("boom", () => {
    throw new DOMException("secret", "AbortError");
  });
  ws.deliver("r0001004boom00000000");
  assert.deepEqual(ws.take(), ["E00010000000e", "internal error"]);
});

test("an error with retryAfterMs: is a retry result to who understands it, else says so in words", () => {
  for (const [connect, expected] of [
    [connectStock, ["E00010000001d", "slow down, retry after 300 ms"]],
    [
      connectOurs,
      ['e00010000012c0000003c{"error":"slow down","code":"too_fast","retry_after_ms":300}'],
    ],
  ]) {
    const { gotalk, ws } = connect();
    gotalk.handle("post", (params, result) => {
      result.error(new gotalk.RequestError("slow down", { code: "too_fast", retryAfterMs: 300 }));
    });
    ws.deliver("r0001004post00000000");
    assert.deepEqual(ws.take(), expected);
  }
});

test("a notification handler that fails: is reported, and the next message is handled", async (t) => {
  const reports = expectReports(t);
  const { gotalk, ws } = connectStock();
  const seen = [];
  gotalk.handleNotification("bad", () => {
    throw new Error("page");
  });
  gotalk.handleNotification("worse", () => Promise.reject(new Error("page")));
  gotalk.handleBufferNotification("good", (data, name) => seen.push([data, name]));
  ws.deliver("n003bad00000000", "n005worse00000000", "n004good00000002", { text: "ok" });
  await settled();
  assert.equal(reports.callCount(), 2);
  assert.deepEqual(seen, [["ok", "good"]]);
});

test("an unknown notification: is ignored", () => {
  const { ws } = connectStock();
  ws.deliver("n008toString00000000");
  assert.deepEqual(ws.take(), []);
});

test("handlers of one socket: are its own", () => {
  const { gotalk, ws } = connectStock();
  const own = gotalk.Handlers();
  own.handleRequest("a", (value, result) => result("own"));
  assert.equal(own.findRequestHandler("b"), null);
  assert.equal(own.findNotificationHandler("b"), null);
  gotalk.connection(undefined, own);
  const other = globalThis.WebSocket.last.accept().deliver("01");
  other.take();
  other.deliver("r0001001a00000000");
  ws.deliver("r0001001a00000000");
  assert.deepEqual(other.take(), ["R000100000005", '"own"']);
  assert.match(ws.take()[0], /^E/);
});

test("defaultHandlers replaced by the page: the shortcuts follow", () => {
  const { gotalk } = connectStock();
  gotalk.defaultHandlers = new gotalk.Handlers();
  gotalk.handleBufferRequest("a", () => {});
  gotalk.handleBufferNotification("b", () => {});
  assert.equal(typeof gotalk.defaultHandlers.findRequestHandler("a"), "function");
  assert.equal(typeof gotalk.defaultHandlers.findNotificationHandler("b"), "function");
});
