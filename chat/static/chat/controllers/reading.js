// @ts-check
/**
 * The open room: brings its messages to the screen, from where the reader left off, and what they scroll to.
 *
 * @typedef {import("../state/store.js").RoomState} RoomState
 */
import { oncePerFrame } from "../lib/frame.js";
import { MAX_WINDOW } from "../state/log.js";

/** With more unseen than this, one begins reading where one left off, not at the newest page. */
const UNSEEN_ON_A_PAGE = 40;
const TICK_MS = 1000;

export class Reading {
  /** @type {RoomState|null} */
  room = null;
  #session;
  #store;
  #history;
  #outbox;
  #marks;
  #quotes;
  #names;
  #connection;
  #conversation;
  #unseen;
  #concern = 0;
  #isPlaced = false;
  /** @type {string|null} why the first page could not be had */
  #failure = null;
  #isQuiet = false;
  #drawSoon = oncePerFrame(() => this.#draw());
  /** @type {any} */
  #ticking = null;

  /** @param {import("./parts.js").Parts & {unseen: import("./unseen.js").Unseen}} parts */
  constructor({ session, store, history, outbox, marks, quotes, names, connection, conversation, unseen }) {
    this.#session = session;
    this.#store = store;
    this.#history = history;
    this.#outbox = outbox;
    this.#marks = marks;
    this.#quotes = quotes;
    this.#names = names;
    this.#connection = connection;
    this.#conversation = conversation;
    this.#unseen = unseen;
    conversation.on("moved", () => this.#moved());
    conversation.on("newest", () => this.toNewest());
    conversation.on("load", () => this.load());
    conversation.on("jump", (seq) => this.jumpTo(seq));
    store.on("log", (room) => this.redraw(room));
    store.on("posted", (room, message) => {
      names.set(message.author_id, message.author);
      unseen.posted(room, message);
    });
    unseen.on("attention", () => this.#showJump());
    outbox.on("change", (roomId) => {
      if (roomId === this.room?.id) this.redraw(this.room);
    });
    connection.on("state", () => this.redraw(this.room));
  }

  /** Shows a room, from where the reader left off; null shows none. @param {RoomState|null} room */
  open(room) {
    this.room = room;
    this.#failure = null;
    this.#isPlaced = false;
    this.#conversation.begin(room?.title ?? null);
    this.#unseen.begin(room);
    if (room === null) {
      this.#show({ quietly: true });
      return;
    }
    const log = this.#store.open(room);
    if (log.isLoaded && !(log.atEnd && log.messages.length > 0)) log.isLoaded = false;
    this.#show({ quietly: true });
    if (!log.isLoaded) this.load();
  }

  /** Asks for the first page, or again after it could not be had. */
  async load() {
    const { room } = this;
    if (room === null || !this.#connection.isOnline) return;
    this.#failure = null;
    const seq = this.#marks.readSeq(room.id);
    try {
      if (this.#marks.unseen(room) > UNSEEN_ON_A_PAGE && seq > 0) await this.#history.around(room, seq);
      else await this.#history.newest(room);
    } catch (error) {
      if (this.room === room && !room.log?.isLoaded) this.#failure = /** @type {Error} */ (error).message;
    }
    this.redraw(room, { quietly: true });
  }

  /** A message somewhere in the history. @param {number} seq */
  async jumpTo(seq) {
    const { room } = this;
    if (room === null || room.log === null) return;
    if (room.log.find(seq) === undefined && !(await this.#turnTo(room, this.#history.around(room, seq)))) return;
    this.#conversation.toMessage(seq);
  }

  async toNewest() {
    const { room } = this;
    if (room === null || room.log === null) return;
    if (room.log.atEnd || (await this.#turnTo(room, this.#history.newest(room)))) this.#conversation.toEnd();
  }

  /**
   * Draws soon: whatever comes within one frame is drawn once.
   * @param {RoomState|null} room @param {{quietly?: boolean}} [how]
   */
  redraw(room, { quietly = false } = {}) {
    if (room !== this.room) return;
    this.#isQuiet ||= quietly;
    this.#drawSoon();
  }

  /** So much was missed that a fresh page is less work. @param {RoomState} room */
  async reload(room) {
    if (room !== this.room) {
      room.log = null;
      return;
    }
    const inView = this.#conversation.isAtEnd ? 0 : this.#conversation.lastSeen;
    if (inView > 0) await this.#history.around(room, inView);
    else await this.#history.newest(room);
  }

  /** The message that is being edited or replied to; 0 for none. @param {number} seq */
  set concern(seq) {
    if (seq === this.#concern) return;
    this.#concern = seq;
    this.redraw(this.room, { quietly: true });
  }

  /** @param {number} seq */
  message(seq) {
    return this.room?.log?.find(seq);
  }

  /** The last message of the reader that they may still change. */
  get lastOwn() {
    const { id } = this.#session;
    const mine = this.room?.log?.messages.filter((each) => each.author_id === id && !each.deleted) ?? [];
    return mine[mine.length - 1];
  }

  /** Draws another page of the room. Returns whether it came. @param {RoomState} room @param {Promise<void>} page */
  async #turnTo(room, page) {
    try {
      await page;
    } catch {
      return false;
    }
    if (this.room !== room) return false;
    this.#isQuiet = true;
    this.#draw();
    return true;
  }

  #draw() {
    const quietly = this.#isQuiet;
    this.#isQuiet = false;
    if (this.room?.log) this.#outbox.settle(this.room.id, this.room.log);
    this.#show({ quietly });
    this.#unseen.look();
    this.#more();
  }

  /** @param {{quietly: boolean}} how */
  #show(how) {
    const content = this.#content();
    this.#conversation.show(content, how);
    if (content?.isLoaded && !this.#isPlaced) this.#place();
    this.#showJump();
    this.#tick(content?.entries ?? []);
  }

  /** @returns {import("../view/messages/conversation.js").Content|null} */
  #content() {
    const { room } = this;
    if (room === null) return null;
    const log = room.log?.isLoaded ? room.log : null;
    if (log !== null) {
      this.#trim(log);
      for (const { author_id, author } of log.messages) this.#names.set(author_id, author);
    }
    return {
      room: room.facts,
      me: this.#session.me,
      messages: log?.messages ?? [],
      entries: log?.atEnd ? this.#outbox.of(room.id) : [],
      isLoaded: log !== null,
      atStart: log?.atStart ?? false,
      failure: this.#failure,
      newAfter: this.#unseen.newAfter,
      concern: this.#concern,
      isOnline: this.#connection.isOnline,
      quoteOf: (seq) => this.#quotes.of(room, seq),
      nameOf: (id) => this.#names.get(id),
    };
  }

  /** Where reading begins when a room was opened: at what is new, if there is any. */
  #place() {
    this.#isPlaced = true;
    if (this.#unseen.newAfter === null || !this.#conversation.toNew()) this.#conversation.toEnd();
  }

  /** What is far from the reader goes. @param {import("../state/log.js").RoomLog} log */
  #trim(log) {
    if (log.messages.length <= MAX_WINDOW) return;
    if (this.#conversation.isAtEnd || !this.#conversation.isInFirstHalf) log.trimStart();
    else log.trimEnd();
  }

  #moved() {
    this.#unseen.look();
    this.#showJump();
    this.#more();
  }

  /** Loads what the reader is about to reach. */
  #more() {
    const { room } = this;
    if (room?.log == null || !room.log.isLoaded || !this.#isPlaced || !this.#connection.isOnline) return;
    const draw = () => this.redraw(room, { quietly: true });
    const { log } = room;
    // A page that does not come is asked for again by the next move.
    if (this.#conversation.nearStart && !log.atStart) this.#history.older(room).then(draw, () => {});
    if (this.#conversation.nearEnd && !log.atEnd) this.#history.newer(room).then(draw, () => {});
  }

  #showJump() {
    const { room } = this;
    const isAway = room?.log?.isLoaded && !(this.#conversation.isAtEnd && room.log.atEnd);
    this.#conversation.showJump(room !== null && isAway ? this.#marks.unseen(room) : null);
  }

  /** Posts that wait for a time count down. @param {import("../types.js").Entry[]} entries */
  #tick(entries) {
    clearTimeout(this.#ticking);
    if (entries.some((entry) => entry.due > Date.now()))
      this.#ticking = setTimeout(() => this.redraw(this.room, { quietly: true }), TICK_MS);
  }
}
