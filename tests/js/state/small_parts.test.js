import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, roomIn } from "../../../chat/static/chat/lib/address.js";
import { hue, initials } from "../../../chat/static/chat/view/faces.js";
import { gettext, interpolate, ngettext } from "../../../chat/static/chat/lib/i18n.js";
import { Marks } from "../../../chat/static/chat/state/marks.js";
import { Memory } from "../../../chat/static/chat/lib/storage.js";
import { RoomState } from "../../../chat/static/chat/state/store.js";
import { dayName } from "../../../chat/static/chat/lib/time.js";
import { FakeStorage, account, guest, room } from "../samples.js";

for (const name of ["animals", "王小明", "a b", "c#", "a/b", "100%", "?x=1&y", "a+b", "😀"]) {
  test(`the address of ${name} leads back to it`, () => assert.equal(roomIn(hashOf(name)), name));
}

test("an address that was typed by hand is taken as it stands", () => {
  assert.equal(roomIn("#100%"), "100%");
  assert.equal(roomIn(""), null);
  assert.equal(roomIn("#"), null);
});

for (const [name, expected] of [
  ["Tess", "TE"],
  ["Soo-ah", "SA"],
  ["王小明", "王"],
  ["Jane Doe", "JD"],
  ["x", "X"],
  ["Ulysses 2", "U2"],
  ["!!!", "?"],
]) {
  test(`initials of ${name}`, () => assert.equal(initials(name), expected));
}

test("a name keeps its colour", () => {
  assert.equal(hue("Tess"), hue("Tess"));
  assert.ok(hue("Tess") >= 0 && hue("Tess") < 360);
});

test("without a catalog the words are English", () => {
  assert.equal(gettext("Today"), "Today");
  assert.equal(ngettext("%(n)s person", "%(n)s people", 2), "%(n)s people");
  assert.equal(interpolate("%(n)s of %(name)s", { n: 2, name: "$&%(n)s" }), "2 of $&%(n)s");
});

test("days have names near now and dates far away", () => {
  const now = new Date(2026, 10, 21, 12);
  assert.equal(dayName(new Date(2026, 10, 21, 0, 1), now), "Today");
  assert.equal(dayName(new Date(2026, 10, 20, 23, 59), now), "Yesterday");
  assert.match(dayName(new Date(2025, 0, 2), now), /2025/);
});

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

test("a visitor's places survive a reload", () => {
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

test("the server's place counts where it is further", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  marks.become(account);
  marks.meet(state({ posts: 10, read_posts: 4, read_seq: 6 }));
  const later = state({ posts: 20, read_posts: 15, read_seq: 17 });
  assert.equal(marks.unseen(later), 16);
  marks.meet(later);
  assert.equal(marks.unseen(later), 5);
  assert.equal(marks.readSeq(1), 17);
});

test("an account does not take the places of another", () => {
  const memory = new Memory(new FakeStorage());
  const marks = new Marks(memory);
  marks.become(account);
  marks.meet(state({ posts: 10, read_posts: 10, read_seq: 10 }));
  marks.become({ ...account, id: 8 });
  assert.equal(marks.readPosts(1), 0);
});

test("a guest who logs in has read what he read", () => {
  const marks = new Marks(new Memory(new FakeStorage()));
  marks.become(guest);
  marks.meet(state({ posts: 10 }));
  marks.become(account);
  const animals = state({ posts: 12, read_posts: 0, read_seq: 0 });
  marks.meet(animals);
  assert.equal(marks.unseen(animals), 2);
});
