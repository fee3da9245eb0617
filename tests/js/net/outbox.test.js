import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../../chat/static/chat/lib/storage.js";
import { MAX_WAITING, Outbox } from "../../../chat/static/chat/net/outbox.js";
import { RoomLog } from "../../../chat/static/chat/state/log.js";
import { signature } from "../../../chat/static/chat/state/session.js";
import { FakeStorage, account, guest, message } from "../samples.js";

function setUp() {
  const storage = new FakeStorage();
  const clock = { now: 1000 };
  const open = () => new Outbox(new Memory(storage), () => clock.now);
  return { storage, clock, open, outbox: open() };
}

const post = (changes = {}) => ({ roomId: 1, body: "hello", replyTo: null, as: "guest", ...changes });

test("posts of a room go one after the other, in the order of writing", () => {
  const { outbox } = setUp();
  const first = outbox.add(post({ body: "one" }));
  const second = outbox.add(post({ body: "two" }));
  assert.equal(outbox.next(1).clientId, first.clientId);
  outbox.sending(first.clientId);
  assert.equal(outbox.next(1), null);
  outbox.accepted(first.clientId, 5);
  assert.equal(outbox.next(1).clientId, second.clientId);
});

test("rooms do not wait for each other", () => {
  const { outbox } = setUp();
  outbox.sending(outbox.add(post()).clientId);
  const other = outbox.add(post({ roomId: 2 }));
  assert.equal(outbox.next(2).clientId, other.clientId);
});

test("a post without an answer goes out again after a reload under the same client id", () => {
  const { outbox, open } = setUp();
  const entry = outbox.add(post());
  outbox.sending(entry.clientId);
  const reloaded = open();
  assert.equal(reloaded.next(1).clientId, entry.clientId);
  assert.equal(reloaded.next(1).body, "hello");
});

test("a confirmed post is not kept", () => {
  const { outbox, open } = setUp();
  outbox.accepted(outbox.add(post()).clientId, 4);
  assert.equal(outbox.of(1)[0].state, "sent");
  assert.deepEqual(open().of(1), []);
});

test("a rejected post stays with its reason, also after a reload, and does not hold those behind it", () => {
  const { outbox, open } = setUp();
  const rejected = outbox.add(post());
  const next = outbox.add(post({ body: "next" }));
  outbox.rejected(rejected.clientId, "too long");
  assert.equal(outbox.next(1).clientId, next.clientId);
  assert.equal(open().of(1)[0].reason, "too long");
  assert.equal(open().next(1).clientId, next.clientId);
});

test("retry sends the same client id", () => {
  const { outbox } = setUp();
  const entry = outbox.add(post());
  outbox.rejected(entry.clientId, "no");
  outbox.retry(entry.clientId, "guest");
  assert.equal(outbox.next(1).clientId, entry.clientId);
  assert.equal(outbox.next(1).reason, "");
});

test("a deferred post waits as long as it was told, and keeps its place", () => {
  const { outbox, clock } = setUp();
  const entry = outbox.add(post());
  outbox.add(post({ body: "behind" }));
  outbox.sending(entry.clientId);
  outbox.deferred(entry.clientId, 1500, "too fast");
  assert.equal(outbox.next(1), null);
  assert.equal(outbox.nextDue, 2500);
  clock.now = 2500;
  assert.equal(outbox.next(1).clientId, entry.clientId);
});

test("a post that is deferred again and again is handed to the person", () => {
  const { outbox } = setUp();
  const entry = outbox.add(post());
  for (let i = 0; i < 9; i++) outbox.deferred(entry.clientId, 10, "busy");
  assert.equal(outbox.of(1)[0].state, "failed");
});

test("a lost connection puts back only what was under way", () => {
  const { outbox } = setUp();
  const sending = outbox.add(post());
  const failed = outbox.add(post());
  outbox.sending(sending.clientId);
  outbox.rejected(failed.clientId, "no");
  for (const entry of outbox.of(1)) outbox.lost(entry.clientId);
  assert.deepEqual(
    outbox.of(1).map((each) => each.state),
    ["waiting", "failed"],
  );
});

test("a post leaves when its message is in the window, or was passed outside of it", () => {
  const { outbox } = setUp();
  const shown = outbox.add(post());
  const passed = outbox.add(post());
  const waiting = outbox.add(post());
  outbox.accepted(passed.clientId, 8);
  const log = new RoomLog(9);
  log.replace([message(3, { client_id: shown.clientId })], { atStart: true, atEnd: false });
  outbox.settle(1, log);
  assert.deepEqual(
    outbox.of(1).map((each) => each.clientId),
    [waiting.clientId],
  );
});

test("another page that confirmed or discarded a post takes it from here", () => {
  const { outbox, open, storage } = setUp();
  const entry = outbox.add(post());
  const other = open();
  other.discard(entry.clientId);
  outbox.follow(`unsent:${entry.clientId}`);
  assert.deepEqual(outbox.of(1), []);
  assert.equal(storage.length, 0);
});

test("what a guest wrote is not sent in the name of an account", () => {
  const { outbox } = setUp();
  outbox.add(post({ as: signature(guest) }));
  outbox.hold(signature(account), "written before you logged in");
  assert.equal(outbox.of(1)[0].state, "failed");
  outbox.retry(outbox.of(1)[0].clientId, signature(account));
  outbox.hold(signature(account), "");
  assert.equal(outbox.of(1)[0].state, "waiting");
});

test("the number that may wait is bounded", () => {
  const { outbox } = setUp();
  for (let i = 0; i < MAX_WAITING; i++) outbox.add(post());
  assert.equal(outbox.isFull, true);
});

test("what the storage holds may be damaged", () => {
  const { storage, open } = setUp();
  storage.setItem("hubtalk:unsent:a", "{");
  storage.setItem("hubtalk:unsent:b", '{"clientId": 3}');
  storage.setItem("hubtalk:unsent:c", "null");
  assert.deepEqual(open().of(1), []);
});
