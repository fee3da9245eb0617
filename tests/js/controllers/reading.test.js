import assert from "node:assert/strict";
import { test } from "node:test";
import { Reading } from "../../../chat/static/chat/controllers/reading.js";
import { Unseen } from "../../../chat/static/chat/controllers/unseen.js";
import { History } from "../../../chat/static/chat/net/history.js";
import { message, messages, room } from "../samples.js";
import { makeWorld } from "./world.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A room of a hundred posts of others, of which the first `read` were. */
function setUp({ read = 100 } = {}) {
  const world = makeWorld();
  const asked = [];
  const history = new History(
    async (op, params) => {
      asked.push(params);
      if (world.failure !== undefined) throw new Error(world.failure);
      const from = params.around_seq !== undefined ? params.around_seq - 29 : 51;
      return messages(from, from + params.limit - 1).map((each) => ({ ...each, author_id: 8 }));
    },
    (each) => reading.redraw(each, { quietly: true }),
  );
  const unseen = new Unseen(world);
  const reading = new Reading({ ...world, history, unseen });
  const animals = world.store.setRoom(room({ posts: 100, version: 100, read_posts: read, read_seq: read }));
  world.marks.meet(animals);
  return Object.assign(world, { asked, reading, animals });
}

async function open(world) {
  world.reading.open(world.animals);
  await settled();
  world.draw();
  return world.conversation;
}

const seqs = ({ content }) => [content.messages[0].seq, content.messages.at(-1).seq];

test("a room opens at its newest page", async () => {
  const world = setUp();
  const conversation = await open(world);
  assert.deepEqual(seqs(conversation), [51, 100]);
  assert.deepEqual(conversation.moves, ["end"]);
});

test("with little unseen it opens where that begins", async () => {
  const { moves, content } = await open(setUp({ read: 90 }));
  assert.deepEqual(moves, ["new"]);
  assert.equal(content.newAfter, 90);
});

test("with more unseen than a page it opens where one left off", async () => {
  const world = setUp({ read: 40 });
  assert.deepEqual(seqs(await open(world)), [11, 70]);
  assert.equal(world.asked[0].around_seq, 40);
});

test("that the first page did not come is said, and it is asked for again", async () => {
  const world = setUp();
  world.failure = "the server did not answer";
  const conversation = await open(world);
  assert.equal(conversation.content.failure, "the server did not answer");
  delete world.failure;
  conversation.emit("load");
  await settled();
  world.draw();
  assert.equal(conversation.content.failure, null);
  assert.deepEqual(seqs(conversation), [51, 100]);
});

test("what comes within a frame is drawn once", async () => {
  const world = setUp();
  const { draws } = await open(world);
  for (const seq of [101, 102, 103]) world.store.hearPost("animals", message(seq));
  world.draw();
  assert.equal(world.conversation.draws, draws + 1);
  assert.deepEqual(seqs(world.conversation), [51, 103]);
});

test("what happens in another room draws nothing here", async () => {
  const world = setUp();
  const { draws } = await open(world);
  world.outbox.add({ roomId: 2, body: "there", replyTo: null, as: "u7" });
  world.store.setRoom(room({ id: 2, name: "jokes" }));
  world.store.hearPost("jokes", message(1, { room_id: 2 }));
  world.draw();
  assert.equal(world.conversation.draws, draws);
});

test("a message far away is fetched before the reader is taken there", async () => {
  const world = setUp();
  const conversation = await open(world);
  conversation.emit("jump", 30);
  await settled();
  assert.deepEqual(seqs(conversation), [1, 60]);
  assert.deepEqual(conversation.moves, ["end", 30]);
  conversation.emit("newest");
  await settled();
  assert.deepEqual(conversation.moves, ["end", 30, "end"]);
});

test("posts that wait stand at the end of the conversation only", async () => {
  const world = setUp();
  const conversation = await open(world);
  world.outbox.add({ roomId: 1, body: "soon", replyTo: null, as: "u7" });
  world.draw();
  assert.deepEqual(
    conversation.content.entries.map(({ body }) => body),
    ["soon"],
  );
  conversation.emit("jump", 30);
  await settled();
  assert.deepEqual(conversation.content.entries, []);
});

test("the way to the newest is shown to whoever is not there", async () => {
  const world = setUp();
  const conversation = await open(world);
  assert.equal(conversation.unseen, null);
  conversation.isAtEnd = false;
  conversation.emit("moved");
  assert.equal(conversation.unseen, 0);
});

test("the last own message is the one that may be edited", async () => {
  const world = setUp();
  await open(world);
  assert.equal(world.reading.lastOwn, undefined);
  world.store.hearPost("animals", message(101));
  world.store.hearPost("animals", message(102, { deleted: true, body: "" }));
  assert.equal(world.reading.lastOwn.seq, 101);
});
