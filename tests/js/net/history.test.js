import assert from "node:assert/strict";
import { test } from "node:test";
import { History, PAGE } from "../../../chat/static/chat/net/history.js";
import { RoomState } from "../../../chat/static/chat/state/store.js";
import { RoomLog } from "../../../chat/static/chat/state/log.js";
import { message, messages, room } from "../samples.js";

function setUp(answer) {
  const state = new RoomState(room({ version: 500, posts: 500 }));
  state.log = new RoomLog(500);
  const asked = [];
  const request = async (op, params) => {
    asked.push(params);
    return answer(params);
  };
  return { state, asked, history: new History(request, () => {}) };
}

/** A server with messages 1 to 500. */
function page({ before_seq, after_seq, around_seq, limit }) {
  if (before_seq) return messages(Math.max(1, before_seq - limit), before_seq - 1);
  if (after_seq) return messages(after_seq + 1, Math.min(500, after_seq + limit));
  if (around_seq) return messages(Math.max(1, around_seq - limit / 2), Math.min(500, around_seq + limit / 2 - 1));
  return messages(501 - limit, 500);
}

const span = ({ log }) => [log.first.seq, log.last.seq, log.atStart, log.atEnd];

test("the newest page is the end", async () => {
  const { state, history } = setUp(page);
  await history.newest(state);
  assert.deepEqual(span(state), [501 - PAGE, 500, false, true]);
});

test("pages before the window lead to the start", async () => {
  const { state, history } = setUp(page);
  await history.newest(state);
  while (!state.log.atStart) await history.older(state);
  assert.deepEqual(span(state), [1, 500, true, true]);
});

test("a page around a message knows which ends it reaches", async () => {
  const { state, history } = setUp(page);
  await history.around(state, 10);
  assert.deepEqual(span(state), [1, 39, true, false]);
  await history.around(state, 490);
  assert.deepEqual(span(state), [460, 500, false, true]);
});

test("the same page is asked for once at a time", async () => {
  const { state, asked, history } = setUp(page);
  await history.newest(state);
  await Promise.all([history.older(state), history.older(state)]);
  assert.equal(asked.length, 2);
});

test("a page that comes after the window became another one is dropped", async () => {
  const { state, history } = setUp(page);
  await history.newest(state);
  const older = history.older(state);
  state.log.replace(messages(1, 40), { atStart: true, atEnd: false });
  await older;
  assert.deepEqual(span(state), [1, 40, true, false]);
});

test("what arrives while a page is under way is kept for it", async () => {
  const { state, history } = setUp((params) => {
    state.log.hear(501, [message(501)]);
    return page(params);
  });
  await history.newest(state);
  assert.equal(state.log.last.seq, 501);
});

test("a page that is short, for its messages are large, is not the start", async () => {
  const { state, history } = setUp((params) => page({ ...params, limit: Math.min(params.limit, 7) }));
  await history.newest(state);
  assert.deepEqual(span(state), [494, 500, false, true]);
  await history.older(state);
  assert.deepEqual(span(state), [487, 500, false, true]);
  await history.around(state, 10);
  await history.newer(state);
  assert.equal(state.log.atEnd, false);
  while (!state.log.atStart) await history.older(state);
  assert.equal(state.log.first.seq, 1);
});
