// @ts-check
/**
 * Posts that the server has not confirmed. Kept in the browser's storage until it has, so that they survive a
 * reload; each keeps its `client_id`, by which the server recognises a repeat, so that each is stored once
 * however often it is sent.
 *
 * States: "waiting" (to be sent, not before `due`), "sending", "sent" (durable; its message is about to
 * arrive), "failed" (says why; waits for the person).
 *
 * @typedef {import("../types.js").Entry} Entry
 */
import { Emitter } from "../lib/emitter.js";
import { newId } from "../lib/uuid.js";

/** Posts that may wait for the connection; beyond that, the person is told. */
export const MAX_WAITING = 50;
/** How often a post is deferred before the person has to decide. */
const MAX_ATTEMPTS = 8;
const KEY = "unsent:";

/** Events: "change" (roomId). */
export class Outbox extends Emitter {
  #memory;
  #now;
  /** @type {Map<string, Entry>} in the order of writing */
  #entries = new Map();

  /** @param {import("../lib/storage.js").Memory} memory @param {() => number} [now] */
  constructor(memory, now = Date.now) {
    super();
    this.#memory = memory;
    this.#now = now;
    const kept = memory
      .keys(KEY)
      .map((key) => memory.get(key))
      .filter(isEntry);
    for (const entry of kept.sort((a, b) => a.at - b.at)) this.#entries.set(entry.clientId, asKept(entry));
  }

  /** @param {number} roomId @returns {Entry[]} */
  of(roomId) {
    return [...this.#entries.values()].filter((entry) => entry.roomId === roomId);
  }

  get roomIds() {
    return new Set([...this.#entries.values()].map((entry) => entry.roomId));
  }

  get isFull() {
    const waiting = [...this.#entries.values()].filter((entry) => entry.state !== "sent");
    return waiting.length >= MAX_WAITING;
  }

  /** @param {{roomId: number, body: string, replyTo: number|null, as: string}} post */
  add(post) {
    // Never before the last one, however the clock goes: the order of writing is the order of sending.
    const last = Math.max(0, ...[...this.#entries.values()].map((entry) => entry.at));
    /** @type {Entry} */
    const entry = {
      ...post,
      clientId: newId(),
      at: Math.max(this.#now(), last + 1),
      state: "waiting",
      reason: "",
      due: 0,
      attempts: 0,
      seq: 0,
    };
    this.#put(entry);
    return entry;
  }

  /**
   * The post of a room to send now: the oldest, unless one is under way or has yet to wait. A failed one does
   * not hold those behind it.
   * @param {number} roomId @returns {Entry|null}
   */
  next(roomId) {
    const entry = this.of(roomId).find((each) => each.state === "waiting" || each.state === "sending");
    return entry?.state === "waiting" && entry.due <= this.#now() ? entry : null;
  }

  /** When the next waiting post is due, in milliseconds of the epoch; null if none waits for a time. */
  get nextDue() {
    const dues = [...this.#entries.values()].filter((entry) => entry.state === "waiting" && entry.due > 0);
    return dues.length > 0 ? Math.min(...dues.map((entry) => entry.due)) : null;
  }

  /** @param {string} clientId */
  sending(clientId) {
    this.#change(clientId, { state: "sending", reason: "", due: 0 });
  }

  /** The server has it for good. @param {string} clientId @param {number} seq */
  accepted(clientId, seq) {
    this.#change(clientId, { state: "sent", reason: "", due: 0, seq });
  }

  /**
   * The server asks to wait so many milliseconds.
   * @param {string} clientId @param {number} ms @param {string} reason
   */
  deferred(clientId, ms, reason) {
    const attempts = (this.#entries.get(clientId)?.attempts ?? 0) + 1;
    if (attempts > MAX_ATTEMPTS) this.rejected(clientId, reason);
    else this.#change(clientId, { state: "waiting", due: this.#now() + ms, reason, attempts });
  }

  /** @param {string} clientId @param {string} reason */
  rejected(clientId, reason) {
    this.#change(clientId, { state: "failed", reason, due: 0 });
  }

  /** The connection went before the answer: it goes out again with the next one. @param {string} clientId */
  lost(clientId) {
    if (this.#entries.get(clientId)?.state === "sending") this.#change(clientId, { state: "waiting" });
  }

  /** The person tries again; the server still knows it for the same. @param {string} clientId @param {string} as */
  retry(clientId, as) {
    this.#change(clientId, { state: "waiting", reason: "", due: 0, attempts: 0, as });
  }

  /** @param {string} clientId */
  discard(clientId) {
    const entry = this.#entries.get(clientId);
    if (entry === undefined) return;
    this.#entries.delete(clientId);
    this.#memory.set(KEY + clientId, null);
    this.emit("change", entry.roomId);
  }

  /**
   * Lets go of what a conversation holds by now: its message is in the window, or was passed outside of it.
   * @param {number} roomId @param {import("../state/log.js").RoomLog} log
   */
  settle(roomId, log) {
    const waiting = this.of(roomId);
    if (waiting.length === 0) return;
    const shown = new Set(log.messages.map((message) => message.client_id));
    for (const entry of waiting) {
      if (shown.has(entry.clientId) || (entry.seq > 0 && entry.seq <= log.version)) this.discard(entry.clientId);
    }
  }

  /**
   * Posts that someone else wrote on this browser are not sent in the name of who is here now.
   * @param {string} as @param {string} reason
   */
  hold(as, reason) {
    for (const entry of this.#entries.values()) {
      if (entry.as !== as && entry.state === "waiting") this.rejected(entry.clientId, reason);
    }
  }

  /** Another page of this browser changed what is kept. @param {string} key */
  follow(key) {
    if (!key.startsWith(KEY)) return;
    const known = this.#entries.get(key.slice(KEY.length));
    if (known === undefined) return;
    const kept = this.#memory.get(key);
    if (kept === null && known.state !== "sent") {
      this.#entries.delete(known.clientId);
      this.emit("change", known.roomId);
    }
  }

  /** @param {Entry} entry */
  #put(entry) {
    this.#entries.set(entry.clientId, entry);
    this.#memory.set(KEY + entry.clientId, entry.state === "sent" ? null : entry);
    this.emit("change", entry.roomId);
  }

  /** @param {string} clientId @param {Partial<Entry>} change */
  #change(clientId, change) {
    const entry = this.#entries.get(clientId);
    if (entry !== undefined) this.#put({ ...entry, ...change });
  }
}

/** What a reload interrupted goes out again. @param {Entry} entry @returns {Entry} */
function asKept(entry) {
  return entry.state === "failed" ? entry : { ...entry, state: "waiting", due: 0, reason: "" };
}

/** @param {any} value @returns {value is Entry} */
function isEntry(value) {
  return (
    value !== null &&
    typeof value === "object" &&
    typeof value.clientId === "string" &&
    typeof value.roomId === "number" &&
    typeof value.body === "string"
  );
}
