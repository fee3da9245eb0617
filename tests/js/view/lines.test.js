import assert from "node:assert/strict";
import { test } from "node:test";
import { layOut } from "../../../chat/static/chat/view/messages/lines.js";
import { message } from "../samples.js";

const MINUTE = 60 * 1000;
const START = new Date(2026, 10, 20, 12).getTime();
const at = (minutes) => new Date(START + minutes * MINUTE).toISOString();
const reader = { newAfter: null, myId: 7, myName: "Tess" };
const shape = (items) => items.map((item) => item.kind + (item.isFirst ? "!" : ""));

test("a run of one author's messages bears the name once", () => {
  const items = layOut([message(1, { at: at(0) }), message(2, { at: at(1) })], [], reader);
  assert.deepEqual(shape(items), ["day", "message!", "message"]);
});

test("another author, another name, a reply and a pause begin a new run", () => {
  const items = layOut(
    [
      message(1, { at: at(0) }),
      message(2, { at: at(1), author_id: 8, author: "Ulysses" }),
      message(3, { at: at(1), author_id: 8, author: "Odysseus" }),
      message(4, { at: at(1), author_id: 8, author: "Odysseus", reply_to: 1 }),
      message(5, { at: at(9), author_id: 8, author: "Odysseus" }),
    ],
    [],
    reader,
  );
  assert.deepEqual(shape(items), ["day", "message!", "message!", "message!", "message!", "message!"]);
});

test("each day has its line", () => {
  const items = layOut([message(1, { at: at(0) }), message(2, { at: at(24 * 60) })], [], reader);
  assert.deepEqual(shape(items), ["day", "message!", "day", "message!"]);
});

test("a clock that was set back makes no two lines of one key", () => {
  const days = [at(0), at(24 * 60), at(0)].map((each, i) => message(i + 1, { at: each }));
  const keys = layOut(days, [], reader).map((item) => item.key);
  assert.equal(new Set(keys).size, keys.length);
});

test("the unseen begin at the first message of someone else", () => {
  const mine = message(2, { at: at(1), author_id: 7 });
  const theirs = message(3, { at: at(1), author_id: 8 });
  const items = layOut([message(1, { at: at(0) }), mine, theirs], [], { ...reader, newAfter: 1 });
  assert.deepEqual(shape(items), ["day", "message!", "message", "new", "message!"]);
});

test("removed messages that follow each other are one line", () => {
  const gone = (seq, changes = {}) => message(seq, { at: at(seq), deleted: true, ...changes });
  const three = [gone(2), gone(3, { author_id: 8 }), gone(4)];
  const items = layOut([message(1, { at: at(1) }), ...three, message(5, { at: at(5) })], [], reader);
  assert.deepEqual(shape(items), ["day", "message!", "removed", "message!"]);
  assert.deepEqual(items[2].messages, three);
});

test("a removed message alone, and those on both sides of a line, stand by themselves", () => {
  const gone = [message(1, { at: at(0), deleted: true }), message(2, { at: at(1), deleted: true })];
  assert.deepEqual(shape(layOut(gone.slice(0, 1), [], reader)), ["day", "message!"]);
  assert.deepEqual(shape(layOut(gone, [], { ...reader, newAfter: 1, myId: 1 })), ["day", "message!", "new", "message!"]);
});

test("posts under way follow the messages and join one's own run", () => {
  const entry = { clientId: "c", at: START + MINUTE, replyTo: null };
  const items = layOut([message(1, { at: at(0), author_id: 7, author: "Tess" })], [entry], reader);
  assert.deepEqual(shape(items), ["day", "message!", "pending"]);
});
