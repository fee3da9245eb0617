import assert from "node:assert/strict";
import { test } from "node:test";
import { Contacts } from "../../../chat/static/chat/state/contacts.js";

const contact = (id, state, name = `Person ${id}`) => ({ id, key: `u${id}`, name, state });

function contactsOf(...list) {
  const contacts = new Contacts();
  contacts.set(list);
  return contacts;
}

test("who asks stands first, whom one asked last", () => {
  const contacts = contactsOf(
    contact(1, "requested", "Ann"),
    contact(2, "friends", "Zoe"),
    contact(3, "asked", "Bo"),
    contact(4, "friends", "Cy"),
    contact(5, "declined", "Al"),
  );
  assert.deepEqual(
    contacts.list.map(({ name }) => name),
    ["Bo", "Cy", "Zoe", "Ann"],
  );
  assert.equal(contacts.requests, 1);
});

test("a request is news once", () => {
  const contacts = contactsOf();
  const asked = [];
  contacts.on("asked", ({ id }) => asked.push(id));
  contacts.hear(contact(1, "asked"));
  contacts.hear(contact(1, "asked"));
  contacts.hear(contact(1, "friends"));
  assert.deepEqual(asked, [1]);
  assert.equal(contacts.requests, 0);
  assert.equal(contacts.stateOf(1), "friends");
});

test("whom one declined is forgotten, who declined is not", () => {
  const contacts = contactsOf(contact(1, "asked"), contact(2, "requested"));
  contacts.hear(contact(1, "declined"));
  contacts.hear(contact(2, "declined"));
  assert.equal(contacts.stateOf(1), null);
  assert.equal(contacts.stateOf(2), "declined");
  assert.deepEqual(contacts.list, []);
});

test("that one was declined is heard twice, by the answer and the notification", () => {
  const contacts = contactsOf(contact(2, "requested"));
  contacts.hear(contact(2, "declined"));
  contacts.hear(contact(2, "declined"));
  assert.equal(contacts.stateOf(2), "declined");
});

test("a contact that was removed is none", () => {
  const contacts = contactsOf(contact(1, "friends"));
  contacts.hear(contact(1, "removed"));
  assert.equal(contacts.stateOf(1), null);
});
