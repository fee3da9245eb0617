// @ts-check
/**
 * What the messages that others reply to say. Those outside of the window are asked for, once.
 *
 * @typedef {import("../types.js").Message} Message
 * @typedef {import("./store.js").RoomState} RoomState
 */
import { oneLine } from "../lib/text.js";

/** Quotes that are kept; beyond, the oldest is asked for again when it comes into view. */
const MAX_KEPT = 500;

export class Quotes {
  #request;
  #onKnown;
  /** @type {Map<string, Message|null>} */
  #known = new Map();
  /** @type {Set<string>} */
  #asked = new Set();

  /** @param {(op: string, params: any) => Promise<any>} request @param {(room: RoomState) => void} onKnown */
  constructor(request, onKnown) {
    this.#request = request;
    this.#onKnown = onKnown;
  }

  /** @param {RoomState} room @param {number} seq @returns {import("../types.js").Quote} */
  of(room, seq) {
    const key = `${room.id}/${seq}`;
    const message = room.log?.find(seq) ?? this.#known.get(key);
    if (message === undefined) {
      this.#ask(room, seq, key);
      return undefined;
    }
    return message === null || message.deleted ? null : { author: message.author, text: oneLine(message.body) };
  }

  /** Messages changed. @param {RoomState} room @param {Message[]} messages */
  changed(room, messages) {
    for (const message of messages) {
      const key = `${room.id}/${message.seq}`;
      const known = this.#known.get(key);
      if (known && known.version < message.version) this.#known.set(key, message);
    }
  }

  /** @param {RoomState} room @param {number} seq @param {string} key */
  async #ask(room, seq, key) {
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    try {
      const [message] = await this.#request("list-messages", { room: room.name, around_seq: seq, limit: 1 });
      this.#known.set(key, message?.seq === seq ? message : null);
      for (const oldest of this.#known.keys()) {
        if (this.#known.size <= MAX_KEPT) break;
        this.#known.delete(oldest);
      }
      this.#onKnown(room);
    } catch {
      // Asked again when it is next drawn.
    } finally {
      this.#asked.delete(key);
    }
  }
}
