// @ts-check
/**
 * What the page holds of one room's conversation: a window of messages without holes, and the version that
 * it stands at.
 *
 * Each change of a room takes the next version. A notification with the next one is applied; with an older
 * one, it is merged, message by message, where it is newer than what is shown; with a later one, something
 * was missed: it is held back until `sync` has brought what lies between. So nothing shows twice, nothing out
 * of order, and nothing before what came before it.
 *
 * @typedef {import("../types.js").Message} Message
 */

/** Messages that a window may hold, so that the page stays light however far one scrolls. */
export const MAX_WINDOW = 300;

export class RoomLog {
  /** @type {Message[]} in the order of `seq` */
  messages = [];
  /** Whether the window reaches the room's first message, and its newest. */
  atStart = false;
  atEnd = false;
  /** Whether a first page was ever applied. */
  isLoaded = false;
  /** @type {Array<{version: number, messages: Message[]}>} changes beyond a gap, in the order of versions */
  #held = [];
  #loads = 0;
  /** @type {Message[]} what arrived during a load and had no place yet */
  #arrivals = [];

  /** @param {number} version the room's version before its first page is asked for */
  constructor(version) {
    this.version = version;
  }

  /** Something was missed: `sync` is due. */
  get isBehind() {
    return this.#held.length > 0;
  }

  get first() {
    return this.messages[0];
  }

  get last() {
    return this.messages[this.messages.length - 1];
  }

  /** @param {number} seq */
  find(seq) {
    const at = this.#place(seq);
    return this.messages[at]?.seq === seq ? this.messages[at] : undefined;
  }

  /**
   * A `newmsg` or `changed` notification. Returns whether the window may have changed.
   * @param {number} version @param {Message[]} messages
   */
  hear(version, messages) {
    if (version <= this.version) {
      this.#merge(messages);
      return true;
    }
    const at = this.#held.findIndex((each) => each.version >= version);
    if (at < 0) this.#held.push({ version, messages });
    else if (this.#held[at].version > version) this.#held.splice(at, 0, { version, messages });
    return this.#drain();
  }

  /**
   * The whole answer of `sync` from `this.version`, all of its pages.
   * @param {number} version @param {Message[]} messages
   */
  catchUp(version, messages) {
    this.#merge(messages);
    this.version = Math.max(this.version, version);
    this.#drain();
  }

  /** A page was asked for: until it is here, what has no place in the window is kept for it. */
  startLoad() {
    this.#loads++;
  }

  /** The page will not come. */
  endLoad() {
    this.#loads--;
    if (this.#loads === 0) this.#arrivals = [];
  }

  /**
   * A page becomes the window. What the window held is forgotten, but for newer states of the same messages.
   * @param {Message[]} page oldest first
   * @param {{atStart: boolean, atEnd: boolean, version?: number}} edges `version`: the room's, before asking
   */
  replace(page, { atStart, atEnd, version = 0 }) {
    const before = this.messages;
    this.messages = [...page];
    this.atStart = atStart;
    this.atEnd = atEnd;
    this.isLoaded = true;
    this.version = Math.max(this.version, version);
    this.#merge(before.filter((each) => this.find(each.seq)));
    this.#settle();
    this.#held = this.#held.filter((each) => each.version > this.version || (this.#merge(each.messages), false));
    this.#drain();
  }

  /** @param {Message[]} page the messages before the window, oldest first @param {boolean} atStart */
  prepend(page, atStart) {
    const first = this.first?.seq ?? Infinity;
    this.messages.unshift(...page.filter((each) => each.seq < first));
    this.atStart = atStart;
    this.#settle();
  }

  /** @param {Message[]} page the messages after the window, oldest first @param {boolean} atEnd */
  append(page, atEnd) {
    const last = this.last?.seq ?? 0;
    this.messages.push(...page.filter((each) => each.seq > last));
    this.atEnd = atEnd;
    this.#settle();
  }

  /** Lets go of the oldest messages beyond `max`. @param {number} [max] */
  trimStart(max = MAX_WINDOW) {
    if (this.messages.length <= max) return;
    this.messages.splice(0, this.messages.length - max);
    this.atStart = false;
  }

  /** Lets go of the newest messages beyond `max`. @param {number} [max] */
  trimEnd(max = MAX_WINDOW) {
    if (this.messages.length <= max) return;
    this.messages.length = max;
    this.atEnd = false;
  }

  #drain() {
    let moved = false;
    while (this.#held.length > 0 && this.#held[0].version <= this.version + 1) {
      const { version, messages } = /** @type {{version: number, messages: Message[]}} */ (this.#held.shift());
      this.version = Math.max(this.version, version);
      this.#merge(messages);
      moved = true;
    }
    return moved;
  }

  #settle() {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    this.#merge(arrivals);
  }

  /** @param {Message[]} messages */
  #merge(messages) {
    for (const message of messages) {
      const at = this.#place(message.seq);
      const shown = this.messages[at];
      if (shown?.seq === message.seq) {
        if (message.version > shown.version) this.messages[at] = message;
      } else if (at < this.messages.length ? at > 0 : this.atEnd) {
        this.messages.splice(at, 0, message);
      } else if (this.#loads > 0) {
        this.#arrivals.push(message);
      }
    }
  }

  /** Index of the first message whose seq is not below. @param {number} seq */
  #place(seq) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
