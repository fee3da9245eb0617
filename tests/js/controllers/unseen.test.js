import assert from "node:assert/strict";
import { test } from "node:test";
import { Unseen } from "../../../chat/static/chat/controllers/unseen.js";
import { message, messages, room } from "../samples.js";
import { makeWorld } from "./world.js";

/** A room with ten posts, of which the first `read` were. */
function setUp(read = 10) {
  const world = makeWorld();
  const animals = world.store.setRoom(room({ posts: 10, version: 10, read_posts: read, read_seq: read }));
  world.marks.meet(animals);
  world.store.open(animals).replace(messages(1, 10), { atStart: true, atEnd: true });
  const unseen = new Unseen(world);
  unseen.begin(animals);
  const told = [];
  unseen.on("read", (each) => told.push(each));
  return { ...world, animals, unseen, told };
}

function post(world, seq, changes) {
  const posted = message(seq, changes);
  world.store.hearPost("animals", posted);
  world.unseen.posted(world.animals, posted);
}

test("at the end all is read, also posts that were erased", () => {
  const world = setUp(8);
  world.animals.posts = 12;
  world.unseen.look();
  assert.equal(world.marks.unseen(world.animals), 0);
  assert.deepEqual(world.told, [world.animals]);
});

test("further up what is in view is read", () => {
  const world = setUp(2);
  world.conversation.isAtEnd = false;
  world.conversation.lastSeen = 6;
  world.unseen.look();
  assert.equal(world.marks.unseen(world.animals), 4);
});

test("nothing is read while nobody looks, but all of it when they come back", () => {
  const world = setUp(8);
  world.look(false);
  world.unseen.look();
  assert.equal(world.marks.unseen(world.animals), 2);
  world.look(true);
  assert.equal(world.marks.unseen(world.animals), 0);
});

test("the new begin where the reader left off", () => {
  assert.equal(setUp(7).unseen.newAfter, 7);
  assert.equal(setUp(10).unseen.newAfter, null);
});

test("what comes while the reader is away is new, and is not any more when they leave again", () => {
  const world = setUp();
  world.look(false);
  post(world, 11, { author_id: 8 });
  post(world, 12, { author_id: 8 });
  assert.equal(world.unseen.newAfter, 10);
  world.look(true);
  assert.equal(world.unseen.newAfter, 10);
  world.look(false);
  assert.equal(world.unseen.newAfter, null);
});

test("what one says oneself is not news", () => {
  const world = setUp();
  world.look(false);
  post(world, 11);
  assert.equal(world.unseen.newAfter, null);
  assert.equal(world.marks.unseen(world.animals), 0);
});
