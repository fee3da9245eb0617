// @ts-check
/** Sends what the outbox holds: each room's posts one after the other, when there is a connection. */
import { gettext } from "../lib/i18n.js";

/** After this, a server that did not answer is asked again. */
const SILENCE_RETRY_MS = 2000;

export class Sender {
  #outbox;
  #store;
  #connection;
  #isReady = false;
  /** @type {Set<number>} rooms that are being worked on */
  #busy = new Set();
  /** @type {any} */
  #timer = null;

  /**
   * @param {import("./outbox.js").Outbox} outbox @param {import("../state/store.js").Store} store
   * @param {import("./connection.js").Connection} connection
   */
  constructor(outbox, store, connection) {
    this.#outbox = outbox;
    this.#store = store;
    this.#connection = connection;
    connection.on("close", () => {
      this.#isReady = false;
    });
  }

  /** It is known who writes, and which rooms there are: posts may go. */
  start() {
    this.#isReady = true;
    this.flush();
  }

  flush() {
    for (const roomId of this.#outbox.roomIds) this.#work(roomId);
  }

  /** @param {number} roomId */
  async #work(roomId) {
    if (this.#busy.has(roomId)) return;
    this.#busy.add(roomId);
    try {
      while (this.#isReady) {
        const entry = this.#outbox.next(roomId);
        if (entry === null) break;
        await this.#send(entry);
      }
    } finally {
      this.#busy.delete(roomId);
      this.#wake();
    }
  }

  /** @param {import("./outbox.js").Entry} entry */
  async #send({ clientId, roomId, body, replyTo }) {
    const room = this.#store.rooms.get(roomId);
    if (room === undefined) {
      this.#outbox.rejected(clientId, gettext("there is no such room"));
      return;
    }
    this.#outbox.sending(clientId);
    const message = { body, client_id: clientId, reply_to: replyTo };
    try {
      const receipt = await this.#connection.request("send-message", { room: room.name, message }, { retries: 0 });
      this.#outbox.accepted(clientId, receipt.seq);
      if (room.log === null) this.#outbox.discard(clientId);
      else this.#outbox.settle(roomId, room.log);
      this.#store.expect(room, receipt.version);
    } catch (error) {
      this.#failed(clientId, error);
    }
  }

  /** @param {string} clientId @param {any} error */
  #failed(clientId, error) {
    if (error.code === "closed" || !this.#connection.isOnline) {
      this.#isReady = false;
      this.#outbox.lost(clientId);
    } else if (error.retryAfterMs !== undefined) {
      this.#outbox.deferred(clientId, error.retryAfterMs, error.message);
    } else if (error.code === "timeout") {
      // It may have been stored all the same: the client id makes the repeat harmless.
      this.#outbox.deferred(clientId, SILENCE_RETRY_MS, error.message);
    } else {
      this.#outbox.rejected(clientId, error.message);
    }
  }

  #wake() {
    clearTimeout(this.#timer);
    const due = this.#outbox.nextDue;
    if (due !== null) this.#timer = setTimeout(() => this.flush(), Math.max(due - Date.now(), 0) + 10);
  }
}
