// @ts-check
/** Who is writing in the open room, and that one is writing oneself. */
import { el, isolated } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";

/** Said again at most this often, which is what the server passes on. */
const SAY_EVERY_MS = 3000;
/** Forgotten this long after it was last heard. */
const FORGET_MS = 5500;

export class Typing {
  #element;
  #say;
  #saidAt = 0;
  /** @type {Map<string, any>} name → timer */
  #writing = new Map();

  /** @param {HTMLElement} element @param {() => void} say tells the server that one is writing */
  constructor(element, say) {
    this.#element = element;
    this.#say = say;
  }

  /** A key was pressed in the composer. */
  typed() {
    const now = Date.now();
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#saidAt = now;
    this.#say();
  }

  /** What one was writing is sent: the next word is news at once. */
  done() {
    this.#saidAt = 0;
  }

  /** @param {string[]} names @param {string} myName */
  hear(names, myName) {
    for (const name of names.filter((each) => each !== myName)) {
      clearTimeout(this.#writing.get(name));
      this.#writing.set(
        name,
        setTimeout(() => this.forget(name), FORGET_MS),
      );
    }
    this.#show();
  }

  /** @param {string} name */
  forget(name) {
    clearTimeout(this.#writing.get(name));
    if (this.#writing.delete(name)) this.#show();
  }

  clear() {
    for (const timer of this.#writing.values()) clearTimeout(timer);
    this.#writing.clear();
    this.#show();
  }

  #show() {
    const names = [...this.#writing.keys()];
    const format =
      names.length === 1
        ? gettext("%(a)s is typing")
        : names.length === 2
          ? gettext("%(a)s and %(b)s are typing")
          : gettext("Several people are typing");
    this.#element.replaceChildren();
    if (names.length === 0) return;
    // Names are put between the words as nodes of their own, for their direction.
    const parts = interpolate(format, { a: "\u0001", b: "\u0002" }).split(/([\u0001\u0002])/);
    this.#element.append(
      ...parts.map((part) =>
        part === "\u0001" ? isolated(names[0]) : part === "\u0002" ? isolated(names[1]) : part,
      ),
      el("i", {}, "."),
      el("i", {}, "."),
      el("i", {}, "."),
    );
  }
}
