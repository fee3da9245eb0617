import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../../chat/static/chat/lib/storage.js";
import { Marks } from "../../../chat/static/chat/state/marks.js";
import { RoomState } from "../../../chat/static/chat/state/store.js";
import { FakeStorage, account, guest, room } from "../samples.js";

const state = (changes) => new RoomState(room(changes));

test("a room met for the first time counts as read, what comes then does not", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  const animals = state({ posts: 40 });
  marks.meet(animals);
  assert.equal(marks.unseen(animals), 0);
  animals.posts = 43;
  assert.equal(marks.unseen(animals), 3);
});

test("a conversation of two that is met for the first time was not read", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  marks.become(account);
  const pair = state({ kind: "direct", posts: 1, read_posts: 0, read_seq: 0 });
  marks.meet(pair);
  assert.equal(marks.unseen(pair), 1);
});

test("a guest's marks survive a reload", () => {
  const storage = new FakeStorage();
  new Marks(new Memory(storage)).meet(state({ posts: 40 }));
  const marks = new Marks(new Memory(storage));
  const later = state({ posts: 45 });
  marks.meet(later);
  assert.equal(marks.unseen(later), 5);
  marks.read(1, 44, 44);
  assert.equal(new Marks(new Memory(storage)).unseen(later), 1);
});

test("reading never goes backwards", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  const animals = state({ posts: 40 });
  marks.meet(animals);
  assert.equal(marks.read(1, 30, 30), false);
  assert.equal(marks.unseen(animals), 0);
});

test("the server's mark counts where it is further", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  marks.become(account);
  marks.meet(state({ posts: 10, read_posts: 4, read_seq: 6 }));
  const later = state({ posts: 20, read_posts: 15, read_seq: 17 });
  assert.equal(marks.unseen(later), 16);
  marks.meet(later);
  assert.equal(marks.unseen(later), 5);
  assert.equal(marks.readSeq(1), 17);
});

test("an account does not take the marks of another", () => {
  const memory = new Memory(new FakeStorage());
  const marks = new Marks(memory);
  marks.become(account);
  marks.meet(state({ posts: 10, read_posts: 10, read_seq: 10 }));
  marks.become({ ...account, id: 8 });
  assert.equal(marks.readPosts(1), 0);
});

test("a guest who logs in has read what they read as a guest", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  marks.become(guest);
  marks.meet(state({ posts: 10 }));
  marks.become(account);
  const animals = state({ posts: 12, read_posts: 0, read_seq: 0 });
  marks.meet(animals);
  assert.equal(marks.unseen(animals), 2);
});
