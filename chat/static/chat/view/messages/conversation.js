// @ts-check
/**
 * The conversation as it is drawn: its messages, what stands above or instead of them, and the way to the newest.
 *
 * @typedef {import("../../types.js").Room} Room
 * @typedef {import("../../types.js").Me} Me
 *
 * @typedef {object} Content
 * @property {Room} room
 * @property {Me|null} me
 * @property {import("../../types.js").Message[]} messages
 * @property {import("../../types.js").Entry[]} entries posts that are not confirmed
 * @property {boolean} isLoaded whether a first page has come
 * @property {boolean} atStart whether the first message of the room is among them
 * @property {string|null} failure why the first page could not be had
 * @property {number|null} newAfter the number of the last post that was seen before the reader left
 * @property {number} concern the message that is being edited or replied to; 0 for none
 * @property {boolean} isOnline
 * @property {(seq: number) => import("../../types.js").Quote} quoteOf
 * @property {(id: number) => string|undefined} nameOf
 */
import { el, isolated } from "../../lib/dom.js";
import { Emitter } from "../../lib/emitter.js";
import { gettext, interpolate, ngettext } from "../../lib/i18n.js";
import { dayName } from "../../lib/time.js";
import { Folds } from "./fold.js";
import { layOut } from "./lines.js";
import { lineNode, messageNode, pendingNode, removedNode } from "./message.js";
import { Timeline } from "./timeline.js";

/**
 * Events: "moved" after each scroll, "newest" when the reader wants to be there, "load" to try again, "jump" (seq),
 * "author" (seq) when the name of its author is pressed, "retry" and "discard" (clientId of a post).
 */
export class Conversation extends Emitter {
  #parts;
  #timeline;
  #folds;
  /** seq of a removed message → key of the line that it is drawn in with others. @type {Map<number, string>} */
  #runs = new Map();

  /**
   * @param {{log: HTMLElement, list: HTMLElement, edge: HTMLElement, empty: HTMLElement, jump: HTMLElement}} parts
   */
  constructor(parts) {
    super();
    this.#parts = parts;
    this.#timeline = new Timeline(parts.log, parts.list, () => this.emit("moved"));
    this.#folds = new Folds(parts.list, this.#timeline);
    parts.jump.addEventListener("click", () => this.emit("newest"));
    parts.list.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement} */ (target).closest("button");
      const { jump, retry, discard, author } = button?.dataset ?? {};
      if (author !== undefined) this.emit("author", Number(button?.closest("li")?.dataset.seq));
      if (jump !== undefined) this.emit("jump", Number(jump));
      if (retry !== undefined) this.emit("retry", retry);
      if (discard !== undefined) this.emit("discard", discard);
    });
  }

  get isAtEnd() {
    return this.#timeline.isAtEnd;
  }

  get nearStart() {
    return this.#timeline.nearStart;
  }

  get nearEnd() {
    return this.#timeline.nearEnd;
  }

  get isInFirstHalf() {
    return this.#timeline.isInFirstHalf;
  }

  /** The seq of the last message in view or above; 0 for none. */
  get lastSeen() {
    return Number(this.#timeline.lastSeen("li[data-seq]")?.dataset.seq ?? 0);
  }

  /** The name of the author over a message. @param {number} seq @returns {HTMLElement|null} */
  authorAt(seq) {
    return this.#parts.list.querySelector(`li[data-seq="${seq}"] [data-author]`);
  }

  toEnd() {
    this.#timeline.toEnd();
  }

  /** Where the unseen begin, if they do. Returns whether they do. */
  toNew() {
    return this.#timeline.reveal("new", { share: 0.25 }) !== null;
  }

  /** @param {number} seq */
  toMessage(seq) {
    this.#timeline.reveal(this.#runs.get(seq) ?? `m${seq}`, { flash: true })?.focus({ preventScroll: true });
  }

  /** Another room is open, or none. @param {string|null} title */
  begin(title) {
    this.#timeline.clear();
    this.#folds.clear();
    this.#parts.log.setAttribute(
      "aria-label",
      title === null ? gettext("Messages") : interpolate(gettext("Messages in %(room)s"), { room: title }),
    );
  }

  /**
   * @param {Content|null} content null: no room is open, and what stands instead is not told here
   * @param {{quietly: boolean}} how `quietly`: not read aloud, it is not news
   */
  show(content, { quietly }) {
    const items =
      content === null
        ? []
        : layOut(content.messages, content.entries, {
            newAfter: content.newAfter,
            myId: content.me?.id ?? null,
            myName: content.me?.name ?? "",
          });
    this.#runs = new Map(items.flatMap((item) => runOf(item)));
    this.#timeline.show(
      items.map((item) => lineOf(item, /** @type {Content} */ (content), this.#folds)),
      { quietly },
    );
    const { edge, empty } = this.#parts;
    const isEmpty = items.length === 0;
    edge.hidden = isEmpty;
    empty.hidden = !isEmpty;
    if (content === null) return;
    if (isEmpty) empty.replaceChildren(...this.#emptyWords(content));
    else edge.replaceChildren(edgeWords(content));
  }

  /** The way to the newest. @param {number|null} unseen how many messages are; null hides it */
  showJump(unseen) {
    const { jump } = this.#parts;
    jump.hidden = unseen === null;
    if (unseen === null) return;
    const words =
      unseen > 0
        ? interpolate(ngettext("%(n)s new message", "%(n)s new messages", unseen), { n: unseen })
        : gettext("To the newest");
    const label = /** @type {HTMLElement} */ (jump.querySelector("span"));
    if (label.textContent !== words) label.textContent = words;
    jump.classList.toggle("news", unseen > 0);
  }

  /** @param {Content} content */
  #emptyWords({ room, isLoaded, isOnline, failure }) {
    if (!isLoaded && !isOnline) {
      return [
        el("p", { class: "big" }, gettext("You are not connected.")),
        el("p", { class: "quiet-text" }, gettext("The messages of this room come with the connection.")),
      ];
    }
    if (failure !== null) {
      const again = el("button", { type: "button", class: "button quiet" }, gettext("Try again"));
      again.addEventListener("click", () => this.emit("load"));
      const text = interpolate(gettext("The messages could not be loaded: %(reason)s."), { reason: failure });
      return [el("p", {}, text), again];
    }
    if (!isLoaded) return [el("p", { class: "quiet-text late" }, gettext("Loading…"))];
    return [
      el("p", { class: "big" }, gettext("There are no messages here yet.")),
      el("p", { class: "quiet-text" }, room.can_post ? gettext("Write the first one.") : ""),
    ];
  }
}

/** @param {import("./lines.js").Item} item @returns {Array<[number, string]>} */
const runOf = (item) => (item.kind === "removed" ? item.messages.map(({ seq }) => [seq, item.key]) : []);

/** @param {Content} content */
function edgeWords({ room, isOnline, atStart }) {
  if (!atStart && !isOnline) return el("span", {}, gettext("Earlier messages come with the connection."));
  if (!atStart) return el("span", {}, gettext("Loading…"));
  const beginning =
    room.kind === "direct"
      ? gettext("This is where your conversation with %(room)s begins.")
      : gettext("This is where %(room)s begins.");
  const [before, after] = interpolate(beginning, { room: "\u0001" }).split("\u0001");
  return el("span", {}, before, isolated(room.title), after);
}

/**
 * @param {import("./lines.js").Item} item @param {Content} content @param {Folds} folds
 * @returns {import("./timeline.js").Line}
 */
function lineOf(item, { me, concern, isOnline, quoteOf, nameOf }, folds) {
  if (item.kind === "day") {
    const name = dayName(item.when, new Date());
    return { key: item.key, state: name, make: () => lineNode(name) };
  }
  if (item.kind === "new") {
    return { key: item.key, state: "", make: () => lineNode(gettext("New since you left"), "new") };
  }
  if (item.kind === "removed") {
    const { key, messages } = item;
    return { key, state: String(messages.length), make: () => removedNode(messages) };
  }
  const replyTo = item.kind === "message" ? item.message.reply_to : item.entry.replyTo;
  const quote = replyTo === null ? null : quoteOf(replyTo);
  const quoted = quote === undefined ? "?" : quote === null ? "-" : `${quote.author}:${quote.text}`;
  if (item.kind === "message") {
    const { message, isFirst } = item;
    const isConcerned = message.seq === concern;
    return {
      key: item.key,
      state: `${message.version}|${isFirst}|${isConcerned}|${me?.id}|${quoted}`,
      make: () => {
        const isOpen = folds.isOpen(String(message.seq));
        return messageNode(message, { isFirst, isOpen, isConcerned, me, quote, nameOf });
      },
    };
  }
  const { entry, isFirst } = item;
  const now = Date.now();
  const left = entry.due > now ? Math.ceil((entry.due - now) / 1000) : 0;
  const myName = me?.name ?? "?";
  return {
    key: item.key,
    state: `${entry.state}|${entry.reason}|${left}|${isOnline}|${isFirst}|${myName}|${quoted}`,
    make: () => {
      const isOpen = folds.isOpen(entry.clientId);
      return pendingNode(entry, { isFirst, isOpen, myName, quote, isOnline, now });
    },
  };
}
