// @ts-check
/** What was written in a room and not sent: kept by the browser, one for each room. */

const KEY = "draft:";

export class Drafts {
  #memory;

  /** @param {import("../lib/storage.js").Memory} memory */
  constructor(memory) {
    this.#memory = memory;
  }

  /** @param {number} roomId @returns {{text: string, replyTo: number|null}} */
  get(roomId) {
    const kept = this.#memory.get(KEY + roomId);
    return {
      text: typeof kept?.text === "string" ? kept.text : "",
      replyTo: typeof kept?.replyTo === "number" ? kept.replyTo : null,
    };
  }

  /** @param {number} roomId @param {{text: string, replyTo: number|null}} draft */
  set(roomId, { text, replyTo }) {
    this.#memory.set(KEY + roomId, text.trim() === "" && replyTo === null ? null : { text, replyTo });
  }

  /** @param {number} roomId */
  has(roomId) {
    return this.get(roomId).text.trim() !== "";
  }
}
