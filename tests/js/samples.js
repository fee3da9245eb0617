import { webcrypto } from "node:crypto";

// Debian 12 has Node 18, which has no global one.
globalThis.crypto ??= webcrypto;

/** A message, a room and a person as the server sends them, with what a test does not care about filled in. */

export function message(seq, changes = {}) {
  return {
    id: 1000 + seq,
    room_id: 1,
    seq,
    version: seq,
    number: seq,
    author: "Tess",
    author_id: 7,
    is_guest: true,
    is_bot: false,
    body: `text ${seq}`,
    at: "2026-11-20T10:00:00.000Z",
    client_id: `client-${seq}`,
    via: "web",
    reply_to: null,
    edited_at: null,
    deleted: false,
    reactions: {},
    ...changes,
  };
}

/** Messages from one seq to another, both included. */
export const messages = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => message(from + i));

export function room(changes = {}) {
  return {
    id: 1,
    name: "animals",
    title: changes.name ?? "animals",
    kind: "public",
    topic: "",
    version: 0,
    posts: 0,
    read_seq: null,
    read_posts: null,
    unread: null,
    mentions: 0,
    muted: false,
    archived: false,
    read_only: false,
    role: null,
    can_post: true,
    closed: null,
    slow_mode_seconds: 0,
    reports: 0,
    ...changes,
  };
}

/** Some rows of the server's table. */
const roles = {
  visitor: ["report"],
  member: ["report"],
  moderator: ["report", "remove-others", "set-switches"],
  owner: ["report", "remove-others", "set-switches", "act-on-owner"],
};
const common = { roles, may: [], calm: false, objections: "", sign_up: "open" };
export const guest = { ...common, id: null, key: "g1", name: "Ulysses", is_guest: true, logged_in: false };
export const account = { ...common, id: 7, key: "u7", name: "Tess", is_guest: false, logged_in: true };

/** Browser storage in memory. */
export class FakeStorage {
  #items = new Map();
  get length() {
    return this.#items.size;
  }
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
  removeItem(key) {
    this.#items.delete(key);
  }
}

/** Timers that run when the test says so. */
export class FakeTimers {
  #waiting = new Map();
  #next = 1;
  setTimeout = (action, delay) => {
    this.#waiting.set(this.#next, { action, delay });
    return this.#next++;
  };
  clearTimeout = (id) => {
    this.#waiting.delete(id);
  };
  get delays() {
    return [...this.#waiting.values()].map((each) => each.delay);
  }
  /** Runs all that wait and what their actions return. */
  async run() {
    const due = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { action } of due) await action();
  }
}
