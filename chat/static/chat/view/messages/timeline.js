// @ts-check
/**
 * The conversation on the screen: a bounded number of nodes that follow the window of messages, and a reader's
 * place in them that stays where it is whatever is added above or below.
 *
 * The list is patched, not rebuilt: each line has a key, by which its node is found again, and a state, by
 * which it is known whether the node still shows it.
 *
 * @typedef {{key: string, state: string, make: () => HTMLElement}} Line
 */
import { selectorOf } from "../../lib/dom.js";

/** As close to the end as this counts as reading the newest. */
const AT_END_PX = 48;
/** More is asked for when less than this is left to scroll. */
const REACH_PX = 900;

export class Timeline {
  #log;
  #list;
  /** @type {Map<string, {node: HTMLElement, state: string}>} */
  #nodes = new Map();
  #isAtEnd = true;
  /** Of the log, in CSS pixels, when the place was last kept for it. */
  #height = 0;
  /** @type {Array<{node: Element, top: number, isNew?: boolean}>} what is in view, to find the place again */
  #anchors = [];
  #onMove;
  #quietUntil = 0;

  /**
   * @param {HTMLElement} log the element that scrolls @param {HTMLElement} list
   * @param {() => void} onMove after each scroll, by the reader or not
   */
  constructor(log, list, onMove) {
    this.#log = log;
    this.#list = list;
    this.#onMove = onMove;
    log.addEventListener("scroll", () => this.#moved(), { passive: true });
    const resized = new ResizeObserver(() => this.#resized());
    resized.observe(log);
    resized.observe(list);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  get nearStart() {
    return this.#log.scrollTop < REACH_PX;
  }

  get nearEnd() {
    return this.#left() < REACH_PX;
  }

  /** Which half of the nodes the reader looks at: the other one may go. */
  get isInFirstHalf() {
    const middle = this.#log.scrollTop + this.#log.clientHeight / 2;
    return middle < this.#log.scrollHeight / 2;
  }

  /**
   * Shows these lines. The reader stays where they are: at the end, or at the message that they see.
   * @param {Line[]} lines @param {{quietly?: boolean}} [how] `quietly`: not read aloud, it is not news
   */
  show(lines, { quietly = false } = {}) {
    if (quietly) this.#hush();
    this.#note();
    const focused = this.#focusedKey();
    this.#patch(lines);
    this.#offerLast();
    this.#keepPlace();
    if (focused !== null) this.#refocus(focused);
  }

  /** Another conversation begins: nothing of the last one's place counts. */
  clear() {
    this.#hush();
    this.#list.replaceChildren();
    this.#nodes.clear();
    this.#anchors = [];
    this.#isAtEnd = true;
  }

  toEnd() {
    // A long way is not scrolled through, and a short one is only shown where motion is welcome.
    const isSmooth =
      this.#left() < this.#log.clientHeight * 2 && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#isAtEnd = true;
    this.#log.scrollTo({ top: this.#log.scrollHeight, behavior: isSmooth ? "smooth" : "instant" });
    if (!isSmooth) this.#moved();
  }

  /**
   * Brings a line into view.
   * @param {string} key @param {{share?: number, flash?: boolean}} [how] `share`: of the height above it
   * @returns {HTMLElement|null}
   */
  reveal(key, { share = 0.3, flash = false } = {}) {
    const node = this.#nodes.get(key)?.node;
    if (node === undefined) return null;
    const top = node.getBoundingClientRect().top - this.#log.getBoundingClientRect().top + this.#log.scrollTop;
    this.#log.scrollTo({ top: Math.max(0, top - this.#log.clientHeight * share), behavior: "instant" });
    this.#moved();
    if (flash) {
      node.classList.remove("flash");
      void node.offsetWidth;
      node.classList.add("flash");
    }
    return node;
  }

  /**
   * Makes something longer or shorter, while a node stays where it is in view, or comes there.
   * @param {Element} node @param {() => Element} change returns the node, or what stands for it now
   */
  around(node, change) {
    const view = this.#log.getBoundingClientRect();
    const box = node.getBoundingClientRect();
    const top = Math.max(0, Math.min(box.top - view.top, view.height - box.height));
    const after = change();
    this.#isAtEnd = false;
    this.#anchors = [{ node: after, top }];
    this.#keepPlace();
  }

  /** The last node with this selector whose top is in view or above it. @param {string} selector */
  lastSeen(selector) {
    const bottom = this.#log.getBoundingClientRect().bottom;
    const nodes = /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll(selector));
    for (let i = nodes.length - 1; i >= 0; i--) {
      // Half a line of it, at least.
      if (nodes[i].getBoundingClientRect().top + 12 <= bottom) return nodes[i];
    }
    return null;
  }

  /** @param {Line[]} lines */
  #patch(lines) {
    const kept = new Map();
    const keys = new Set(lines.map((line) => line.key));
    // First out with what goes: then what stays is in its place already, and need not be moved.
    for (const [key, { node }] of this.#nodes) if (!keys.has(key)) node.remove();
    let before = /** @type {Element|null} */ (this.#list.firstElementChild);
    for (const { key, state, make } of lines) {
      const known = this.#nodes.get(key);
      const node = known !== undefined && known.state === state ? known.node : make();
      if (known !== undefined && known.node !== node) {
        if (before === known.node) before = node;
        // The toolbar, if it is there, stays with the message.
        const bar = known.node.querySelector(":scope > .bar");
        if (bar !== null) node.append(bar);
        node.classList.toggle("active", bar !== null);
        known.node.replaceWith(node);
        for (const anchor of this.#anchors)
          if (anchor.node === known.node) Object.assign(anchor, { node, isNew: true });
      }
      kept.set(key, { node, state });
      if (before === node) before = node.nextElementSibling;
      else this.#list.insertBefore(node, before);
    }
    this.#nodes = kept;
  }

  /** The keyboard enters the conversation at its last message. */
  #offerLast() {
    if (this.#list.contains(document.activeElement)) return;
    const messages = /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll("li.message"));
    const last = messages[messages.length - 1];
    if (last === undefined || last.tabIndex === 0) return;
    for (const node of this.#list.querySelectorAll('li[tabindex="0"]')) node.setAttribute("tabindex", "-1");
    last.tabIndex = 0;
  }

  /** Remembers what the reader sees, before something changes. */
  #note() {
    const view = this.#log.getBoundingClientRect();
    this.#anchors = [];
    // Not the line of a day, which goes up when older messages of that day come.
    for (const node of this.#list.querySelectorAll("li.message")) {
      const box = node.getBoundingClientRect();
      if (box.bottom <= view.top) continue;
      if (box.top >= view.bottom) break;
      this.#anchors.push({ node, top: box.top - view.top });
    }
  }

  /** Puts what the reader saw back to where it was. */
  #keepPlace() {
    if (this.#isAtEnd) {
      this.#log.scrollTop = this.#log.scrollHeight;
      return;
    }
    const anchors = this.#anchors.filter(({ node }) => node.isConnected);
    // What was made anew may have another height, such as the oldest one, which shows its author until others come.
    const anchor = anchors.find(({ isNew }) => !isNew) ?? anchors[0];
    if (anchor === undefined) return;
    const top = anchor.node.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
    if (Math.abs(top - anchor.top) >= 1) this.#log.scrollTop += top - anchor.top;
  }

  #resized() {
    this.#height = this.#log.clientHeight;
    this.#keepPlace();
  }

  #moved() {
    // A scroll is told before a change of size in the same frame: who was at the end would seem to have left it.
    if (this.#log.clientHeight !== this.#height) this.#resized();
    this.#isAtEnd = this.#left() <= AT_END_PX;
    this.#note();
    this.#onMove();
  }

  #left() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight;
  }

  /** Screen readers take what is added for news; a page of history is not. */
  #hush() {
    this.#quietUntil = performance.now() + 500;
    this.#log.setAttribute("aria-busy", "true");
    this.#log.setAttribute("aria-live", "off");
    setTimeout(() => {
      if (performance.now() < this.#quietUntil) return;
      this.#log.removeAttribute("aria-busy");
      this.#log.setAttribute("aria-live", "polite");
    }, 520);
  }

  #focusedKey() {
    const line = document.activeElement?.closest("#messages > li");
    if (line === null || line === undefined) return null;
    for (const [key, { node }] of this.#nodes) {
      if (node === line) return { key, selector: selectorOf(document.activeElement) };
    }
    return null;
  }

  /** @param {{key: string, selector: string|null}} focused */
  #refocus({ key, selector }) {
    const node = this.#nodes.get(key)?.node;
    if (node === undefined || node.contains(document.activeElement)) return;
    const inner = selector === null ? null : node.querySelector(selector);
    /** @type {HTMLElement} */ (inner ?? node).focus({ preventScroll: true });
  }
}
