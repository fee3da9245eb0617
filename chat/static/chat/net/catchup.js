// @ts-check
/**
 * Brings what was missed: after a gap in the versions, and after each reconnect.
 *
 * @typedef {import("../state/store.js").RoomState} RoomState
 * @typedef {import("../types.js").Message} Message
 * @typedef {{version: number, messages: Message[], more: boolean, reset: boolean}} RoomSync
 */

/** How long a gap may wait for the notifications that close it: they are usually on their way. */
export const GAP_MS = 250;
/** Wait after an attempt that failed although there is a connection. */
const RETRY_MS = 2000;
/** Beyond this many versions a fresh page is less work than all that happened. */
export const FAR = 400;

export class CatchUp {
  #store;
  #request;
  #reload;
  #timers;
  /** @type {any} */
  #timer = null;
  #isRunning = false;
  /** @type {WeakMap<RoomState, string>} the names by which the server knew no room */
  #unknown = new WeakMap();

  /**
   * @param {import("../state/store.js").Store} store
   * @param {(op: string, params: any) => Promise<any>} request
   * @param {(room: RoomState) => Promise<void>} reload asks for a fresh page instead
   * @param {{setTimeout: Function, clearTimeout: Function}} [timers]
   */
  constructor(store, request, reload, timers = globalThis) {
    this.#store = store;
    this.#request = request;
    this.#reload = reload;
    this.#timers = timers;
    store.on("behind", () => this.#schedule(GAP_MS));
  }

  /** Runs now; resolves when nothing is missing that can be had. */
  async run() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      await this.#fetch(this.#store.behind);
    } catch {
      // Without a connection the next one runs this again.
      this.#schedule(RETRY_MS);
      return;
    } finally {
      this.#isRunning = false;
    }
    if (this.#store.behind.length > 0) this.#schedule(GAP_MS);
  }

  /** No attempt is made until the next call of `run` or the next gap. */
  stop() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} delay */
  #schedule(delay) {
    // One attempt for all gaps of a moment; not pushed back by the next one, which may come every moment.
    this.#timer ??= this.#timers.setTimeout(() => this.run(), delay);
  }

  /** @param {RoomState[]} rooms */
  async #fetch(rooms) {
    const far = rooms.filter((room) => room.heard - (room.log?.version ?? 0) > FAR);
    for (const room of far) await this.#reload(room);

    /** @type {Map<RoomState, {version: number, messages: Message[]}>} */
    const open = new Map();
    for (const room of rooms) {
      if (!far.includes(room) && room.log !== null && room.isBehind) {
        open.set(room, { version: room.log.version, messages: [] });
      }
    }
    while (open.size > 0) {
      const asked = Object.fromEntries([...open].map(([room, { version }]) => [room.name, version]));
      const answer = (await this.#request("sync", { rooms: asked })).rooms;
      for (const [room, collected] of [...open]) this.#take(room, collected, answer[room.name], open);
    }
  }

  /**
   * @param {RoomState} room @param {{version: number, messages: Message[]}} collected
   * @param {RoomSync|undefined} answer @param {Map<RoomState, any>} open
   */
  #take(room, collected, answer, open) {
    if (answer === undefined) {
      // Renamed while it was asked for: the list of rooms brings its name, and the gap is seen again.
      open.delete(room);
    } else if (answer.reset) {
      open.delete(room);
      // It may have another name since a moment ago: the list of rooms, which is on its way, will tell.
      if (this.#unknown.get(room) === room.name) this.#store.drop(room);
      else this.#unknown.set(room, room.name);
    } else {
      this.#unknown.delete(room);
      collected.messages.push(...answer.messages);
      collected.version = answer.version;
      if (answer.more) return;
      open.delete(room);
      this.#store.caughtUp(room, collected.version, collected.messages);
    }
  }
}
