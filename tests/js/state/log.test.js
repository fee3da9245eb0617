import assert from "node:assert/strict";
import { test } from "node:test";
import { RoomLog } from "../../../chat/static/chat/state/log.js";
import { message, messages } from "../samples.js";

const seqs = (log) => log.messages.map((each) => each.seq);

function logWith(from, to, edges = {}) {
  const log = new RoomLog(to);
  log.replace(messages(from, to), { atStart: true, atEnd: true, ...edges });
  return log;
}

test("the next version is applied", () => {
  const log = logWith(1, 3);
  assert.equal(log.hear(4, [message(4)]), true);
  assert.deepEqual(seqs(log), [1, 2, 3, 4]);
  assert.equal(log.version, 4);
  assert.equal(log.isBehind, false);
});

test("a later version is held back until sync brought what lies between", () => {
  const log = logWith(1, 3);
  assert.equal(log.hear(6, [message(6)]), false);
  assert.deepEqual(seqs(log), [1, 2, 3]);
  assert.equal(log.isBehind, true);

  log.catchUp(5, [message(4), message(5)]);
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6]);
  assert.equal(log.version, 6);
  assert.equal(log.isBehind, false);
});

test("notifications that come in the wrong order close their gap without sync", () => {
  const log = logWith(1, 3);
  log.hear(6, [message(6)]);
  log.hear(5, [message(5)]);
  assert.equal(log.hear(4, [message(4)]), true);
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6]);
  assert.equal(log.isBehind, false);
});

test("the same notification twice shows once", () => {
  const log = logWith(1, 3);
  log.hear(4, [message(4)]);
  log.hear(4, [message(4)]);
  log.hear(9, [message(9)]);
  log.hear(9, [message(9)]);
  log.catchUp(8, messages(5, 8));
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("an older state of a message never replaces a newer one", () => {
  const log = logWith(1, 3);
  log.hear(4, [message(2, { version: 4, body: "edited" })]);
  log.catchUp(4, [message(2, { version: 2, body: "text 2" })]);
  assert.equal(log.find(2).body, "edited");
});

test("an edit moves the version and changes the message in its place", () => {
  const log = logWith(1, 3);
  log.hear(4, [message(1, { version: 4, body: "", deleted: true })]);
  assert.deepEqual(
    log.messages.map((each) => each.deleted),
    [true, false, false],
  );
  assert.equal(log.version, 4);
});

test("a change of the room itself takes a version and no message", () => {
  const log = logWith(1, 3);
  log.hear(4, []);
  log.hear(5, [message(5)]);
  assert.deepEqual(seqs(log), [1, 2, 3, 5]);
});

test("what sync brings is put in order, whatever the order of changes", () => {
  const log = logWith(1, 3);
  log.catchUp(9, [
    message(5),
    message(6),
    message(1, { version: 7, body: "edited" }),
    message(4, { version: 8 }),
    message(9),
  ]);
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6, 9]);
  assert.equal(log.find(1).body, "edited");
});

test("changes before the window are left to the page that will load them", () => {
  const log = logWith(51, 60, { atStart: false });
  log.catchUp(61, [message(7, { version: 61 })]);
  assert.equal(log.first.seq, 51);
  assert.equal(log.version, 61);
});

test("a window that does not reach the end takes no new posts", () => {
  const log = logWith(1, 50, { atEnd: false });
  log.hear(51, [message(51)]);
  assert.equal(log.last.seq, 50);
  assert.equal(log.version, 51);
});

test("a post that arrives while the last page is loaded is not lost", () => {
  const log = logWith(1, 50, { atEnd: false });
  log.startLoad();
  log.hear(53, []);
  log.catchUp(52, []);
  log.hear(54, [message(54)]);
  log.append(messages(51, 53), true);
  log.endLoad();
  assert.deepEqual(seqs(log).slice(-4), [51, 52, 53, 54]);
});

test("a post that arrives before the first page is not lost and not doubled", () => {
  const log = new RoomLog(10);
  log.startLoad();
  log.hear(11, [message(11)]);
  log.hear(12, [message(12)]);
  log.replace(messages(1, 11), { atStart: true, atEnd: true, version: 10 });
  log.endLoad();
  assert.deepEqual(seqs(log), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assert.equal(log.version, 12);
});

test("an edit that overtakes the page with its message is not undone by it", () => {
  const log = logWith(51, 60, { atStart: false });
  log.startLoad();
  log.hear(61, [message(45, { version: 61, body: "edited" })]);
  log.prepend(messages(41, 50), false);
  log.endLoad();
  assert.equal(log.find(45).body, "edited");
});

test("a fresh page closes every gap below its version", () => {
  const log = logWith(1, 3);
  log.hear(900, [message(900)]);
  log.replace(messages(851, 900), { atStart: false, atEnd: true, version: 899 });
  assert.equal(log.isBehind, false);
  assert.equal(log.version, 900);
  assert.equal(log.first.seq, 851);
});

test("trimming either end remembers that there is more", () => {
  const log = logWith(1, 400);
  log.trimStart(300);
  assert.equal(log.first.seq, 101);
  assert.equal(log.atStart, false);
  assert.equal(log.atEnd, true);
  log.trimEnd(200);
  assert.equal(log.last.seq, 300);
  assert.equal(log.atEnd, false);
});

test("an empty room takes its first post", () => {
  const log = new RoomLog(0);
  log.replace([], { atStart: true, atEnd: true });
  log.hear(1, [message(1)]);
  assert.deepEqual(seqs(log), [1]);
});
