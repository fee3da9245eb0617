/* Keep-alive, back-off and liveness. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeWebSocket, connectOurs, connectStock, loadGotalk, record } from "../fakes.js";

const delays = (events) =>
  events.filter(([type]) => type === "reconnecting").map(([, { delayMs }]) => delayMs);

test("a server that refuses: each wait is random below a ceiling that doubles up to 10 s", async (t) => {
  for (const [random, expected] of [
    [0.5, [500, 1000, 2000, 4000, 5000, 5000]],
    [0.1, [100, 200, 400, 800, 1000, 1000]],
  ]) {
    t.mock.method(Math, "random", () => random);
    const { gotalk, clock } = loadGotalk();
    const events = record(gotalk.connection(), "reconnecting");
    for (const delay of expected) {
      FakeWebSocket.last.end();
      await clock.advance(delay);
    }
    assert.deepEqual(delays(events), expected);
    assert.deepEqual(
      events.map(([, { attempt }]) => attempt),
      [1, 2, 3, 4, 5, 6],
    );
    assert.match(events[0][1].error.message, /connection failed: .*1006/);
    assert.equal(FakeWebSocket.made.length, 7);
  }
});

test("a connection that lasted less than a minute: the ceiling goes on growing", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const { clock, sock, ws } = connectStock();
  const events = record(sock, "reconnecting");
  ws.end();
  await clock.advance(500);
  FakeWebSocket.last.accept().deliver("01");
  await clock.advance(59_000);
  FakeWebSocket.last.end();
  assert.deepEqual(delays(events), [500, 1000]);
});

test("a connection that lasted a minute: the ceiling starts anew", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const { clock, sock, ws } = connectStock();
  const events = record(sock, "reconnecting");
  ws.end();
  await clock.advance(500);
  FakeWebSocket.last.accept().deliver("01");
  await clock.advance(60_000);
  FakeWebSocket.last.end();
  assert.deepEqual(delays(events), [500, 500]);
});

for (const code of [4001, 4002, 4401, 4403, 4408, 4429]) {
  test(`a close with ${code}: waits below 10 s from the first attempt on`, (t) => {
    t.mock.method(Math, "random", () => 0.5);
    const { sock, ws } = connectStock();
    const events = record(sock, "reconnecting");
    ws.end(code);
    assert.deepEqual(delays(events), [5000]);
    assert.equal(events[0][1].error.closeCode, code);
  });
}

for (const code of [1000, 1001, 1006, 4003, 4503]) {
  test(`a close with ${code}: reconnects with jitter`, async (t) => {
    t.mock.method(Math, "random", () => 0.5);
    const { clock, sock, ws } = connectStock();
    const events = record(sock, "reconnecting");
    ws.end(code);
    assert.deepEqual(delays(events), [500]);
    await clock.advance(500);
    assert.equal(FakeWebSocket.made.length, 2);
  });
}

test("open and close: are emitted for every connection, connecting for every attempt", async () => {
  const { clock, sock, ws } = connectStock();
  const events = record(sock, "open", "close", "connecting");
  ws.end(4503, "back soon");
  await clock.advance(1000);
  FakeWebSocket.last.end();
  await clock.advance(2000);
  FakeWebSocket.last.accept().end(1000);
  assert.deepEqual(
    events.map(([type]) => type),
    ["close", "connecting", "connecting", "open", "close"],
  );
  assert.equal(events[0][1].closeCode, 4503);
  assert.equal(events[0][1].reason, "back soon");
  assert.equal(events[3][1], sock);
  assert.equal(events[4][1], null);
});

test("reconnectIn before the close: gives the next wait, once", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const { clock, sock, ws } = connectStock();
  const events = record(sock, "reconnecting");
  sock.reconnectIn(3200);
  ws.end(4503);
  await clock.advance(3200);
  FakeWebSocket.last.end();
  assert.deepEqual(delays(events), [3200, 1000]);
});

test("reconnectIn while waiting: replaces the wait", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const { clock, sock, ws } = connectStock();
  ws.end();
  sock.reconnectIn(0);
  await clock.advance(0);
  assert.equal(FakeWebSocket.made.length, 2);
  await clock.advance(10_000);
  assert.equal(FakeWebSocket.made.length, 2);
});

test("the browser comes online while waiting: connects at once, and only once", async () => {
  const { clock, goOnline, ws } = connectStock();
  goOnline();
  assert.equal(FakeWebSocket.made.length, 1);
  ws.end();
  goOnline();
  goOnline();
  assert.equal(FakeWebSocket.made.length, 2);
  await clock.advance(15_000);
  assert.equal(FakeWebSocket.made.length, 2);
});

test("an attempt that hangs: is given up after 20 s", async () => {
  const { gotalk, clock } = loadGotalk();
  const events = record(gotalk.connection(), "reconnecting");
  await clock.advance(19_999);
  assert.equal(events.length, 0);
  const hanging = FakeWebSocket.last;
  await clock.advance(1);
  assert.equal(events.length, 1);
  hanging.accept();
  assert.deepEqual(hanging.take(), []);
});

test("end while connected: closes with 1000 and stays closed", async () => {
  const { clock, sock, ws } = connectStock();
  const events = record(sock, "close", "reconnecting");
  sock.end();
  assert.equal(ws.closedWith, 1000);
  ws.end(1000);
  await clock.advance(60_000);
  assert.deepEqual(events, [["close", null]]);
  assert.equal(FakeWebSocket.made.length, 1);
  assert.equal(clock.pending, 0);
});

test("end while a request waits: closes when it is answered; called again: at once", async () => {
  const first = connectStock();
  const answer = first.sock.request("slow");
  first.sock.end();
  assert.equal(first.ws.closedWith, null);
  first.ws.deliver("R000000000001", "1");
  assert.equal(first.ws.closedWith, 1000);
  assert.equal(await answer, 1);

  const second = connectStock();
  second.sock.request("slow").catch(() => {});
  second.sock.end();
  second.sock.end();
  assert.equal(second.ws.closedWith, 1000);
});

test("end called twice: what waited for its retry rejects with the connection", async () => {
  const { sock, ws } = connectOurs();
  const failed = sock.request("a").catch((error) => error.code);
  ws.deliver("e0000000003e800000000");
  sock.end();
  sock.end();
  ws.end(1000);
  assert.equal(await failed, "closed");
});

test("end while waiting to reconnect: gives up, and so does what waited", async () => {
  const { clock, sock, ws, goOnline } = connectStock();
  ws.end();
  const failed = sock.request("a").catch((error) => error.code);
  sock.end();
  goOnline();
  await clock.advance(60_000);
  assert.equal(await failed, "closed");
  assert.equal(FakeWebSocket.made.length, 1);
});

test("end while connecting: the attempt is given up", async () => {
  const { gotalk, clock } = loadGotalk();
  const heard = [];
  const sock = gotalk.open(undefined, (error) => heard.push(error.message));
  sock.end();
  FakeWebSocket.last.accept();
  await clock.advance(60_000);
  assert.deepEqual(heard, ["connection closed"]);
  assert.deepEqual(FakeWebSocket.last.take(), []);
});

test("end in a close listener: nothing is opened", async () => {
  const { clock, sock, ws } = connectStock();
  sock.on("close", () => sock.end());
  ws.end(4401);
  await clock.advance(60_000);
  assert.equal(FakeWebSocket.made.length, 1);
});

test("keepalive.disable: the connection stays, the next is not opened", async () => {
  const { clock, sock, ws } = connectStock();
  assert.deepEqual([sock.keepalive.isEnabled, sock.keepalive.isConnected], [true, true]);
  sock.keepalive.disable();
  assert.equal(ws.readyState, 1);
  ws.end();
  await clock.advance(60_000);
  assert.equal(FakeWebSocket.made.length, 1);
});

test("open on a socket that is kept alive: takes its place, and nothing else is opened", async () => {
  const { clock, sock, ws } = connectStock();
  sock.open("ws://other.example/gotalk/");
  assert.equal(ws.closedWith, 1000);
  FakeWebSocket.last.accept().deliver("01");
  assert.equal(sock.address(), "ws://other.example/gotalk/");
  FakeWebSocket.last.end();
  await clock.advance(60_000);
  assert.equal(FakeWebSocket.made.length, 2);
});

test("a peer that beats and falls silent: is given up after 25 s, at once, with f 3", async () => {
  const { clock, sock, ws } = connectOurs();
  const events = record(sock, "close", "reconnecting");
  const failed = sock.request("a", null, { timeout: 0 }).catch((error) => error.code);
  await clock.advance(10_000);
  ws.deliver("h000065000000");
  await clock.advance(24_999);
  assert.equal(events.length, 0);
  ws.take();
  await clock.advance(1);
  assert.deepEqual(ws.take().pop(), "f00000003");
  assert.equal(ws.closedWith, 4003);
  assert.equal(events[0][1].code, 3);
  assert.equal(events[1][0], "reconnecting");
  assert.equal(await failed, "closed");
});

test("a peer that beats on: is kept", async () => {
  const { clock, ws } = connectOurs();
  for (let i = 0; i < 30; i++) {
    await clock.advance(10_000);
    ws.deliver("h000065000000");
  }
  assert.equal(ws.readyState, 1);
});

test("a stock Go server, which sends no heartbeats: may be silent", async () => {
  const { clock, ws } = connectStock();
  await clock.advance(600_000);
  assert.equal(ws.readyState, 1);
});

for (const [what, said] of [
  ["nothing", []],
  ["half of the version", ["0"]],
  ["half of the version, as text", [{ text: "0" }]],
]) {
  test(`a server that accepts and says ${what}: is given up with f 3`, async () => {
    const { gotalk, clock } = loadGotalk();
    gotalk.connection();
    const ws = FakeWebSocket.last.accept().deliver(...said);
    await clock.advance(24_999);
    assert.equal(ws.closedWith, null);
    await clock.advance(1);
    assert.deepEqual(ws.take().pop(), "f00000003");
    assert.equal(ws.closedWith, 4003);
  });
}

test("a machine that slept: what arrived meanwhile is read before the connection is judged", async () => {
  const { clock, ws } = connectOurs();
  clock.sleep(3_600_000);
  await clock.advance(0);
  assert.equal(ws.readyState, 1);
  ws.deliver("h000065000000");
  await clock.advance(20_000);
  assert.equal(ws.readyState, 1);
});

test("a machine that slept and finds silence: reconnects within 5 s", async () => {
  const { clock, ws } = connectOurs();
  clock.sleep(3_600_000);
  await clock.advance(5000);
  assert.equal(ws.closedWith, 4003);
});
