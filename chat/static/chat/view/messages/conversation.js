// @ts-check
/**
 * The open room: which of its messages are on the screen, what of them is unseen, and where the reader is.
 *
 * @typedef {import("../../state/store.js").RoomState} RoomState
 */
import { Emitter } from "../../lib/emitter.js";
import { el, isolated } from "../../lib/dom.js";
import { oncePerFrame } from "../../lib/frame.js";
import { gettext, interpolate, ngettext } from "../../lib/i18n.js";
import { layOut } from "./lines.js";
import { MAX_WINDOW } from "../../state/log.js";
import { lineNode, messageNode, pendingNode } from "./message.js";
import { dayName } from "../../lib/time.js";
import { Timeline } from "./timeline.js";

/** With more unseen than this, one begins reading where one left off, not at the newest page. */
const UNSEEN_ON_A_PAGE = 40;

/** Events: "read" (RoomState) when the reader has seen further. */
export class Conversation extends Emitter {
  /** @type {RoomState|null} */
  room = null;
  /** @type {import("../../types.js").Me|null} */
  me = null;
  #concern = 0;
  #parts;
  #store;
  #history;
  #outbox;
  #marks;
  #quotes;
  #names;
  #connection;
  #timeline;
  /** @type {number|null} the number of the last post that was seen before the reader left */
  #newAfter = null;
  #isPlaced = false;
  /** @type {string|null} why the first page could not be had */
  #failure = null;
  #isQuiet = false;
  #drawSoon = oncePerFrame(() => this.#drawNow({}));
  /** @type {any} */
  #ticking = null;

  /**
   * @param {{log: HTMLElement, list: HTMLElement, edge: HTMLElement, empty: HTMLElement, jump: HTMLElement}} parts
   * @param {{store: import("../../state/store.js").Store, history: import("../../net/history.js").History,
   *   outbox: import("../../net/outbox.js").Outbox, marks: import("../../state/marks.js").Marks,
   *   quotes: import("../../state/quotes.js").Quotes, names: Map<number, string>,
   *   connection: import("../../net/connection.js").Connection}} means
   */
  constructor(parts, { store, history, outbox, marks, quotes, names, connection }) {
    super();
    this.#parts = parts;
    this.#store = store;
    this.#history = history;
    this.#outbox = outbox;
    this.#marks = marks;
    this.#quotes = quotes;
    this.#names = names;
    this.#connection = connection;
    this.#timeline = new Timeline(parts.log, parts.list, () => this.#moved());
    parts.jump.addEventListener("click", () => this.toNewest());
    store.on("log", (room) => this.redraw(room));
    store.on("posted", (room, message) => this.#posted(room, message));
    outbox.on("change", (roomId) => {
      if (roomId === this.room?.id) this.redraw(this.room);
    });
    connection.on("state", () => this.redraw(this.room));
    document.addEventListener("visibilitychange", () => this.#attention());
    addEventListener("focus", () => this.#attention());
    addEventListener("blur", () => this.#attention());
  }

  /** The page is before the reader's eyes. */
  get isAttentive() {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  /** Shows a room, from where the reader left off; null shows none. @param {RoomState|null} room */
  open(room) {
    this.room = room;
    this.#failure = null;
    this.#isPlaced = false;
    this.#timeline.clear();
    this.#parts.log.setAttribute(
      "aria-label",
      room === null ? gettext("Messages") : interpolate(gettext("Messages in %(room)s"), { room: room.title }),
    );
    if (room === null) {
      this.#draw();
      return;
    }
    const unseen = this.#marks.unseen(room);
    this.#newAfter = unseen > 0 ? this.#marks.readPosts(room.id) : null;
    const log = this.#store.open(room);
    if (log.isLoaded && !(log.atEnd && log.messages.length > 0)) log.isLoaded = false;
    this.#draw();
    if (!log.isLoaded) this.load();
  }

  /** Asks for the first page, or again after it could not be had. */
  async load() {
    const room = this.room;
    if (room === null || !this.#connection.isOnline) return;
    this.#failure = null;
    const unseen = this.#marks.unseen(room);
    const seq = this.#marks.readSeq(room.id);
    try {
      if (unseen > UNSEEN_ON_A_PAGE && seq > 0) await this.#history.around(room, seq);
      else await this.#history.newest(room);
    } catch (error) {
      if (this.room === room && !room.log?.isLoaded) this.#failure = /** @type {Error} */ (error).message;
    }
    this.redraw(room, { quietly: true });
  }

  /** A message somewhere in the history. @param {number} seq */
  async jumpTo(seq) {
    const room = this.room;
    if (room === null || room.log === null) return;
    if (room.log.find(seq) === undefined) {
      try {
        await this.#history.around(room, seq);
      } catch {
        return;
      }
      if (this.room !== room) return;
      this.#drawNow({ quietly: true });
    }
    this.#timeline.reveal(`m${seq}`, { flash: true })?.focus({ preventScroll: true });
  }

  async toNewest() {
    const room = this.room;
    if (room === null || room.log === null) return;
    if (room.log.atEnd) {
      this.#timeline.toEnd();
      return;
    }
    try {
      await this.#history.newest(room);
    } catch {
      return;
    }
    if (this.room !== room) return;
    this.#drawNow({ quietly: true });
    this.#timeline.toEnd();
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
    const inView = this.#timeline.isAtEnd
      ? undefined
      : Number(this.#timeline.lastSeen("li[data-seq]")?.dataset.seq);
    if (inView) await this.#history.around(room, inView);
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

  /** The last message of the reader that he may still change. */
  get lastOwn() {
    const mine = this.room?.log?.messages.filter((each) => each.author_id === this.me?.id && !each.deleted) ?? [];
    return mine[mine.length - 1];
  }

  /** @param {{quietly?: boolean}} how */
  #drawNow({ quietly = false }) {
    const isQuiet = quietly || this.#isQuiet;
    this.#isQuiet = false;
    if (this.room?.log) this.#outbox.settle(this.room.id, this.room.log);
    this.#draw(isQuiet);
    this.#read();
    this.#more();
  }

  #draw(quietly = true) {
    const { room } = this;
    const log = room?.log ?? null;
    const isLoaded = room !== null && log !== null && log.isLoaded;
    if (isLoaded) {
      this.#trim(/** @type {import("../../state/log.js").RoomLog} */ (log));
      for (const { author_id, author } of log.messages) this.#names.set(author_id, author);
    }
    const entries = isLoaded && log.atEnd ? this.#outbox.of(room.id) : [];
    const reader = { newAfter: this.#newAfter, myId: this.me?.id ?? null, myName: this.me?.name ?? "" };
    const items = isLoaded ? layOut(log.messages, entries, reader) : [];
    this.#timeline.show(
      items.map((item) => this.#line(item)),
      { quietly },
    );
    this.#showEdges(items.length === 0);
    if (isLoaded && !this.#isPlaced) this.#place();
    this.#showJump();
    this.#tick(entries);
  }

  /** @param {import("./lines.js").Item} item @returns {import("./timeline.js").Line} */
  #line(item) {
    const room = /** @type {RoomState} */ (this.room);
    const { me } = this;
    if (item.kind === "day") {
      const name = dayName(item.when, new Date());
      return { key: item.key, state: name, make: () => lineNode(name) };
    }
    if (item.kind === "new") {
      return { key: "new", state: "", make: () => lineNode(gettext("New since you left"), "new") };
    }
    const replyTo = item.kind === "message" ? item.message.reply_to : item.entry.replyTo;
    const quote = replyTo === null ? null : this.#quotes.of(room, replyTo);
    const quoted = quote === undefined ? "?" : quote === null ? "-" : `${quote.author}:${quote.text}`;
    if (item.kind === "message") {
      const { message, isFirst } = item;
      const isConcerned = message.seq === this.#concern;
      return {
        key: item.key,
        state: `${message.version}|${isFirst}|${isConcerned}|${me?.id}|${quoted}`,
        make: () => messageNode(message, { isFirst, isConcerned, me, quote, nameOf: (id) => this.#names.get(id) }),
      };
    }
    const { entry, isFirst } = item;
    const { isOnline } = this.#connection;
    const now = Date.now();
    const left = entry.due > now ? Math.ceil((entry.due - now) / 1000) : 0;
    return {
      key: item.key,
      state: `${entry.state}|${entry.reason}|${left}|${isOnline}|${isFirst}|${me?.name}|${quoted}`,
      make: () =>
        pendingNode(entry, { isFirst, me: /** @type {any} */ (me ?? { name: "?" }), quote, isOnline, now }),
    };
  }

  /** What stands above the messages, or instead of them. @param {boolean} isEmpty */
  #showEdges(isEmpty) {
    const { edge, empty } = this.#parts;
    const { room } = this;
    const log = room?.log ?? null;
    edge.hidden = isEmpty;
    if (!isEmpty && room !== null && log !== null) {
      const beginning =
        room.facts.kind === "direct"
          ? gettext("This is where your conversation with %(room)s begins.")
          : gettext("This is where %(room)s begins.");
      const words = log.atStart ? interpolate(beginning, { room: "\u0001" }) : gettext("Loading…");
      const [before, after] = words.split("\u0001");
      edge.replaceChildren(el("span", {}, before, ...(after === undefined ? [] : [isolated(room.title), after])));
    }
    empty.hidden = !isEmpty;
    if (isEmpty && room !== null) empty.replaceChildren(...this.#emptyWords(room, log));
  }

  /** @param {RoomState} room @param {import("../../state/log.js").RoomLog|null} log */
  #emptyWords(room, log) {
    if (this.#failure !== null) {
      const again = el("button", { type: "button", class: "button quiet" }, gettext("Try again"));
      again.addEventListener("click", () => this.load());
      const text = interpolate(gettext("The messages could not be loaded: %(reason)s."), { reason: this.#failure });
      return [el("p", {}, text), again];
    }
    if (!log?.isLoaded) return [el("p", { class: "quiet-text late" }, gettext("Loading…"))];
    return [
      el("p", { class: "big" }, gettext("There are no messages here yet.")),
      el("p", { class: "quiet-text" }, room.facts.can_post ? gettext("Write the first one.") : ""),
    ];
  }

  /** Where reading begins when a room was opened: at what is new, if there is any. */
  #place() {
    this.#isPlaced = true;
    if (this.#newAfter !== null && this.#timeline.reveal("new", { share: 0.25 }) !== null) return;
    this.#timeline.toEnd();
  }

  /** What is far from the reader goes. @param {import("../../state/log.js").RoomLog} log */
  #trim(log) {
    if (log.messages.length <= MAX_WINDOW) return;
    if (this.#timeline.isAtEnd || !this.#timeline.isInFirstHalf) log.trimStart();
    else log.trimEnd();
  }

  #moved() {
    this.#read();
    this.#showJump();
    this.#more();
  }

  /** Loads what the reader is about to reach. */
  #more() {
    const { room } = this;
    if (room?.log == null || !room.log.isLoaded || !this.#isPlaced || !this.#connection.isOnline) return;
    const quietly = { quietly: true };
    const log = room.log;
    if (this.#timeline.nearStart && !log.atStart) {
      this.#history.older(room).then(
        () => this.redraw(room, quietly),
        () => {},
      );
    }
    if (this.#timeline.nearEnd && !log.atEnd) {
      this.#history.newer(room).then(
        () => this.redraw(room, quietly),
        () => {},
      );
    }
  }

  /** What is in view before the reader's eyes is read. */
  #read() {
    const { room } = this;
    if (room?.log == null || !room.log.isLoaded || !this.isAttentive || this.#marks.unseen(room) === 0) return;
    const isAllSeen = this.#timeline.isAtEnd && room.log.atEnd;
    const seen = isAllSeen
      ? room.log.last
      : this.message(Number(this.#timeline.lastSeen("li[data-seq]")?.dataset.seq));
    // Posts that were erased for good leave numbers behind that are never seen: at the end, all is.
    const posts = isAllSeen ? room.posts : seen?.number;
    if (posts !== undefined && this.#marks.read(room.id, seen?.seq ?? 0, posts)) this.emit("read", room);
  }

  /** The reader came back, or left. */
  #attention() {
    const { room } = this;
    if (room === null) return;
    if (this.isAttentive) this.#read();
    else if (this.#marks.unseen(room) === 0) this.#newAfter = null;
    this.#showJump();
  }

  /** @param {RoomState} room @param {import("../../types.js").Message} message */
  #posted(room, message) {
    this.#names.set(message.author_id, message.author);
    if (message.author_id === this.me?.id && message.number === this.#marks.readPosts(room.id) + 1) {
      // What one says oneself is not news.
      this.#marks.read(room.id, message.seq, message.number);
    }
    if (room !== this.room || this.#newAfter !== null || message.author_id === this.me?.id) return;
    if (!this.isAttentive || !this.#timeline.isAtEnd) this.#newAfter = this.#marks.readPosts(room.id);
  }

  #showJump() {
    const { jump } = this.#parts;
    const { room } = this;
    const isAtEnd = this.#timeline.isAtEnd && (room?.log?.atEnd ?? true);
    jump.hidden = room?.log == null || !room.log.isLoaded || isAtEnd;
    if (jump.hidden || room === null) return;
    const unseen = this.#marks.unseen(room);
    const words =
      unseen > 0
        ? interpolate(ngettext("%(n)s new message", "%(n)s new messages", unseen), { n: unseen })
        : gettext("To the newest");
    const label = /** @type {HTMLElement} */ (jump.querySelector("span"));
    if (label.textContent !== words) label.textContent = words;
    jump.classList.toggle("news", unseen > 0);
  }

  /** Posts that wait for a time count down. @param {import("../../types.js").Entry[]} entries */
  #tick(entries) {
    clearTimeout(this.#ticking);
    if (entries.some((entry) => entry.due > Date.now())) {
      this.#ticking = setTimeout(() => this.redraw(this.room, { quietly: true }), 1000);
    }
  }
}
