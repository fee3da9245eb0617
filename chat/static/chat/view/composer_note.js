// @ts-check
/** The words beside the composer's field: how much may still be written, or something in passing. */
import { interpolate, ngettext } from "../lib/i18n.js";
import { lengthOf } from "../lib/text.js";

/** How long a word in passing stays. */
const MENTION_MS = 5000;
/** How close to the longest text the count is shown. */
const NEAR_LIMIT = 0.9;

export class ComposerNote {
  /** Characters that a text may have. */
  maxChars = 16000;
  /** Bytes that it may have as UTF-8. */
  maxBytes = 48000;
  #element;
  #body = "";
  /** @type {any} */
  #mentioned = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} body */
  fits(body) {
    return this.#left(body) >= 0;
  }

  /** What is being written. @param {string} body */
  follow(body) {
    this.#body = body;
    const left = this.#left(body);
    this.#element.classList.toggle("error", left < 0);
    if (left < 0) {
      const words = ngettext("%(n)s character too long", "%(n)s characters too long", -left);
      this.#say(interpolate(words, { n: (-left).toLocaleString() }));
    } else if (left <= this.maxChars * (1 - NEAR_LIMIT)) {
      const words = ngettext("%(n)s character left", "%(n)s characters left", left);
      this.#say(interpolate(words, { n: left.toLocaleString() }));
    } else {
      this.#say("");
    }
  }

  /** @param {string} text */
  mention(text) {
    this.#say(text);
    this.#mentioned = setTimeout(() => this.follow(this.#body), MENTION_MS);
  }

  /** @param {string} text */
  #say(text) {
    clearTimeout(this.#mentioned);
    this.#element.textContent = text;
  }

  /** @param {string} body */
  #left(body) {
    // A text has at least as many code units as characters, and no code unit has more than three bytes: most texts
    // need not be counted.
    if (body.length <= Math.min(this.maxChars, this.maxBytes / 3) * NEAR_LIMIT) return this.maxChars;
    const chars = lengthOf(body);
    const bytes = new TextEncoder().encode(body).length;
    // Of characters that are as long as those that stand there.
    const withinBytes = Math.floor(((this.maxBytes - bytes) * chars) / bytes);
    return Math.min(this.maxChars - chars, withinBytes);
  }
}
