import assert from "node:assert/strict";
import { test } from "node:test";
import { GotalkWire } from "../../../chat/static/chat/console/wires/gotalk.js";
import { Session } from "../../../chat/static/chat/console/session.js";
import { TextWire } from "../../../chat/static/chat/console/wires/text.js";
import { FakeWebSocket, loadGotalk } from "../fakes.js";

const URL = "ws://chat.example/gotalk/";

function opened(makeWire) {
  const { clock } = loadGotalk();
  const session = new Session(URL, makeWire());
  const entries = [];
  session.on("entry", (entry) => entries.push(entry));
  return { clock, session, entries, ws: FakeWebSocket.last };
}

const kinds = (entries) => entries.map(({ kind }) => kind);

test("opening says where to, and sends the wire's greeting", () => {
  const { entries, ws } = opened(() => new GotalkWire({ asStock: true }));
  ws.accept();
  assert.deepEqual(kinds(entries), ["OPEN", "SEND"]);
  assert.equal(entries[0].summary, URL);
  assert.deepEqual(ws.take(), ["01"]);
});

test("what is sent and what arrives is logged", () => {
  const { session, entries, ws } = opened(() => new TextWire());
  ws.accept();
  session.send(["hello"]);
  ws.deliver({ text: "hello you" });
  assert.deepEqual(
    entries.slice(1).map(({ kind, summary, messages }) => [kind, summary, messages[0].payload]),
    [
      ["SEND", "text, 5 bytes", "hello"],
      ["RESPONSE", "text, 9 bytes", "hello you"],
    ],
  );
});

test("anything can be sent", () => {
  const { session, ws } = opened(() => new GotalkWire({ asStock: false }));
  ws.accept().take();
  session.send([Uint8Array.of(0xff), "zzz"]);
  assert.equal(ws.sent.length, 2);
});

test("a heartbeat goes out every 10 seconds, until the end", async () => {
  const { clock, entries, ws } = opened(() => new GotalkWire({ asStock: true }));
  ws.accept().take();
  await clock.advance(20_000);
  assert.deepEqual(
    ws.take().map((frame) => frame[0]),
    ["h", "h"],
  );
  assert.ok(entries.slice(2).every(({ isHeartbeat }) => isHeartbeat));
  ws.end(1001);
  await clock.advance(20_000);
  assert.deepEqual(ws.take(), []);
  assert.equal(clock.pending, 0);
});

test("the operations are asked after the hello that offers them", () => {
  const { entries, ws } = opened(() => new GotalkWire({ asStock: false }));
  ws.accept().take();
  ws.deliver("01").hello(["joined", "ops"]);
  assert.deepEqual(ws.take(), ["r0000004$ops00000000"]);
  assert.deepEqual(kinds(entries).slice(-2), ["RESPONSE", "SEND"]);
});

test("requests of the server are shown and not answered", () => {
  const { entries, ws } = opened(() => new GotalkWire({ asStock: false }));
  ws.accept().take();
  ws.deliver("01", "r0001004echo00000000");
  assert.deepEqual(ws.take(), []);
  assert.deepEqual(kinds(entries).slice(-1), ["RESPONSE"]);
});

test("an end has its code, and the reason or what the code means", () => {
  for (const [code, reason, summary] of [
    [4002, "", "4002 (gotalk: invalid message)"],
    [4401, "your session ended", "4401 (your session ended)"],
    [3999, "", "3999"],
  ]) {
    const { entries, ws } = opened(() => new TextWire());
    ws.accept().end(code, reason);
    assert.deepEqual(entries.map(({ kind, summary }) => [kind, summary]).slice(1), [["CLOSE", summary]]);
  }
});

test("a door that does not open is an error that says what to do", () => {
  const { entries, ws } = opened(() => new TextWire());
  ws.end();
  assert.deepEqual(kinds(entries), ["ERROR"]);
  assert.match(entries[0].summary, /^Could not open ws:\/\/chat\.example\/gotalk\/\. Check that/);
});

test("a connection that is lost is an error that says what to do", () => {
  const { entries, ws } = opened(() => new TextWire());
  ws.accept().end();
  assert.deepEqual(kinds(entries), ["OPEN", "CLOSE", "ERROR"]);
  assert.match(entries[2].summary, /without a close frame/);
});

test("who closes while it opens is told no error", () => {
  const { session, entries, ws } = opened(() => new TextWire());
  session.close();
  ws.end();
  assert.deepEqual(kinds(entries), ["CLOSE"]);
});

test("closing is a normal end", () => {
  const { session, ws } = opened(() => new TextWire());
  ws.accept();
  session.close();
  assert.equal(ws.closedWith, 1000);
});
