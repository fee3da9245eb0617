/* What comes first on each connection: the login, and the page's own hook. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FakeWebSocket,
  expectReports,
  hexSize,
  loadGotalk,
  readAll,
  record,
  settled,
  watch,
} from "../fakes.js";

/** A page of ours, kept connected with these options, and its socket to a server of ours. */
function connectPrepared(options) {
  const world = loadGotalk();
  const sock = world.gotalk.connection(options);
  return { ...world, sock, ws: accept() };
}

/** The server accepts the newest attempt, and says that it is one of ours; what was sent before is forgotten. */
function accept() {
  const ws = FakeWebSocket.last.accept();
  assert.equal(ws.take()[0], "01");
  return ws.deliver("01").hello();
}

/** Frames without those that a stock server would need apart. */
const joined = (ws) => ws.take().join("");

test("a token: is the first request, and all others wait for its answer", async () => {
  const { gotalk } = loadGotalk();
  const sock = gotalk.connection({ token: "abc" });
  const early = watch(sock.request("work", 1));
  const ws = FakeWebSocket.last.accept();
  assert.deepEqual(ws.take().slice(3), ["r0001005login00000005", '"abc"']);
  ws.deliver("01").hello();
  sock.notify("typing");
  sock.streamRequest("sum").write("1");
  const stream = sock.stream("sum");
  stream.write(2);
  await settled();
  assert.deepEqual(ws.take(), []);
  ws.deliver("R000100000004null");
  await settled();
  assert.deepEqual(ws.take(), [
    "r0000004work000000011",
    "n006typing00000000",
    "s0002003sum000000011",
    "s0003003sum000000012",
  ]);
  ws.deliver("R0000000000012");
  await settled();
  assert.equal(early.value, 2);
});

test("onConnect: what it sends leaves at once, behind the login", async () => {
  const seen = [];
  const { sock, ws } = connectPrepared({
    token: "abc",
    async onConnect({ request, notify }) {
      notify("here", 1);
      seen.push(await request("sync", { lobby: 7 }));
    },
  });
  const events = record(sock, "open");
  const waiting = watch(sock.request("work"));
  await settled();
  assert.deepEqual([joined(ws), events], ["", []]);
  ws.deliver("R000000000000");
  await settled();
  assert.deepEqual(ws.take(), ["n004here000000011", 'r0002004sync0000000b{"lobby":7}']);
  ws.deliver("R000200000003[1]");
  await settled();
  assert.deepEqual(seen, [[1]]);
  assert.deepEqual(events, [["open", sock]]);
  assert.deepEqual(ws.take(), ["r0001004work00000000"]);
  ws.deliver("R0001000000011");
  await settled();
  assert.equal(waiting.value, 1);
});

test("handlers: answer while onConnect runs", async () => {
  const { gotalk, ws } = connectPrepared({ onConnect: () => new Promise(() => {}) });
  gotalk.handleRequest("name", (_, result) => result("a page"));
  ws.deliver("r000a004name00000000");
  await settled();
  assert.deepEqual(ws.take(), ['R000a00000008"a page"']);
});

test("open: its callback hears when the page may use the connection", async () => {
  const { gotalk } = loadGotalk();
  const heard = [];
  const sock = gotalk.open({ address: "ws://other.example/", token: "abc" }, (...args) => heard.push(args));
  const ws = accept();
  assert.deepEqual([ws.url, heard], ["ws://other.example/", []]);
  ws.deliver("R000000000000");
  await settled();
  assert.deepEqual(heard, [[null, sock]]);
});

test("the connection is lost: on the next one all of it comes first again", async () => {
  const { clock, sock, ws } = connectPrepared({
    token: "abc",
    onConnect: ({ request }) => request("sync"),
  });
  ws.deliver("R000000000000");
  await settled();
  ws.end();
  const waiting = watch(sock.request("work"));
  await clock.advance(1000);
  const next = FakeWebSocket.last.accept();
  assert.deepEqual(next.take().slice(3), ["r0003005login00000005", '"abc"']);
  next.deliver("01").hello();
  next.deliver("R000300000000");
  await settled();
  assert.equal(joined(next), "r0004004sync00000000");
  next.deliver("R000400000000");
  await settled();
  assert.equal(joined(next), "r0002004work00000000");
  next.deliver("R0002000000011");
  await settled();
  assert.equal(waiting.value, 1);
});

test("the connection is lost amid onConnect: what it sends then fails, and nothing of it is kept", async () => {
  let proceed;
  const { clock, sock, ws } = connectPrepared({
    onConnect: async ({ request, notify }) => {
      if (proceed) return;
      await new Promise((resolve) => (proceed = resolve));
      assert.throws(() => notify("here"), { code: "closed" });
      await assert.rejects(request("sync"), { code: "closed" });
    },
  });
  ws.end();
  proceed();
  await clock.advance(1000);
  const next = accept();
  await settled();
  assert.deepEqual(next.take(), []);
  assert.notEqual(sock.address(), null);
});

test("a refused token: ends the socket for good, in the server's words", async () => {
  const { clock, gotalk, sock, ws } = connectPrepared({ token: "abc" });
  const events = record(sock, "open", "close", "reconnecting");
  const waiting = watch(sock.request("work"));
  const reading = readAll(sock.stream("sum"));
  sock.notify("typing");
  const refusal = '{"error":"this token is unknown or revoked","code":"log_in"}';
  ws.deliver(`E0000${hexSize(refusal)}${refusal}`);
  await clock.advance(60_000);
  const words = "connection closed: this token is unknown or revoked (4401)";
  assert.deepEqual(
    events.map(([type, error]) => [type, error.message, error.closeCode, error.reason]),
    [["close", words, 4401, "this token is unknown or revoked"]],
  );
  assert.deepEqual([waiting.error.message, waiting.error.code], [words, "closed"]);
  assert.equal(reading.error.message, words);
  assert.equal(FakeWebSocket.made.length, 1);
  assert.equal(clock.pending, 0);

  const heard = [];
  sock.open({ token: "other" }, (error) => heard.push(error));
  const next = FakeWebSocket.last.accept();
  assert.equal(next.take().slice(3).join(""), 'r0003005login00000007"other"');
  next.deliver("01", "E000300000004", "nope");
  await settled();
  assert.equal(heard[0].closeCode, 4401);
  assert.ok(!(heard[0] instanceof gotalk.RequestError));
});

for (const [what, answer] of [
  ["a server that failed", 'E000000000026{"error":"internal","code":"internal"}'],
  ["a server that has no time", "e0000000493e000000000"],
  ["no answer", ""],
]) {
  test(`a login with ${what}: says nothing about the token, and is tried again`, async () => {
    const { clock, sock, ws } = connectPrepared({ token: "abc" });
    const events = record(sock, "reconnecting");
    for (const frame of answer ? [answer] : []) ws.deliver(frame);
    for (let seconds = 0; seconds < 30; seconds += 10) {
      await clock.advance(10_000);
      ws.deliver("h00006553f100");
    }
    assert.notEqual(events.length, 0);
    assert.equal(ws.closedWith, 1000);
  });
}

for (const [what, fail, reported] of [
  ["a request fails", () => new globalThis.gotalk.RequestError("no", { code: "no_such_room" }), 0],
  ["a mistake of the page, which is reported", () => new TypeError("no such function"), 1],
]) {
  test(`onConnect fails, ${what}: the connection is closed, and the next one tried`, async (t) => {
    const reports = expectReports(t);
    let calls = 0;
    const { clock, sock, ws } = connectPrepared({
      onConnect() {
        if (calls++ === 0) throw fail();
      },
    });
    const events = record(sock, "close", "open");
    await settled();
    assert.equal(ws.closedWith, 1000);
    await clock.advance(1000);
    accept();
    await settled();
    assert.deepEqual(
      events.map(([type]) => type),
      ["close", "open"],
    );
    assert.equal(reports.callCount(), reported);
  });
}

test("onConnect that does not end: has as long as a request", async () => {
  const { clock, sock, ws } = connectPrepared({ onConnect: () => new Promise(() => {}) });
  const events = record(sock, "close");
  for (let seconds = 0; seconds < 30; seconds += 10) {
    assert.equal(events.length, 0);
    ws.deliver("h00006553f100");
    await clock.advance(10_000);
  }
  assert.equal(events[0][1].code, "timeout");
});

test("end() amid the login: what waited is still answered", async () => {
  const { sock, ws } = connectPrepared({ token: "abc" });
  const waiting = watch(sock.request("work"));
  sock.end();
  assert.equal(ws.closedWith, null);
  ws.deliver("R000000000000");
  await settled();
  ws.deliver("R0001000000011");
  await settled();
  assert.deepEqual([waiting.value, ws.closedWith], [1, 1000]);
});
