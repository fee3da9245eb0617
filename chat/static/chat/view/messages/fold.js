// @ts-check
/** A long message shows its beginning until the reader asks for all of it. */
import { el } from "../../lib/dom.js";
import { gettext } from "../../lib/i18n.js";
import { linesOf } from "../../lib/text.js";

/** As long as this, a message may stand there whole; what is folded shows two thirds of it (message.css). */
const MOST_LINES = 24;

/**
 * The node of a text, and under it, if it is long, what opens and closes it.
 * @param {HTMLElement} node @param {string} body @param {boolean} isOpen
 */
export function folded(node, body, isOpen) {
  if (linesOf(body) <= MOST_LINES) return [node];
  const button = el("button", { type: "button", class: "link fold", "data-fold": true });
  show(node, button, isOpen);
  return [node, button];
}

/** @param {Element} node @param {Element} button @param {boolean} isOpen */
function show(node, button, isOpen) {
  node.classList.toggle("folded", !isOpen);
  button.textContent = isOpen ? gettext("Show less") : gettext("Show all");
  button.setAttribute("aria-expanded", String(isOpen));
}

/** Which messages of the conversation are open. */
export class Folds {
  /** @type {Set<string>} */
  #open = new Set();
  #timeline;

  /** @param {HTMLElement} list @param {import("./timeline.js").Timeline} timeline */
  constructor(list, timeline) {
    this.#timeline = timeline;
    list.addEventListener("click", ({ target }) => {
      const button = /** @type {Element} */ (target).closest("[data-fold]");
      if (button !== null) this.#turn(button, /** @type {Element} */ (button.closest("li")));
    });
    // The keyboard came to a link in what is not shown.
    list.addEventListener("focusin", ({ target }) => {
      const focused = /** @type {Element} */ (target);
      const button = focused.closest(".folded")?.nextElementSibling;
      if (button) this.#turn(button, focused);
    });
  }

  /** @param {string} id the seq of a message, or the key of a post that is not confirmed */
  isOpen(id) {
    return this.#open.has(id);
  }

  clear() {
    this.#open.clear();
  }

  /** @param {Element} button @param {Element} inView what the reader looks at */
  #turn(button, inView) {
    const { dataset } = /** @type {HTMLElement} */ (button.closest("li"));
    const id = dataset.seq ?? dataset.clientId ?? "";
    const isOpen = !this.#open.delete(id);
    if (isOpen) this.#open.add(id);
    const node = /** @type {Element} */ (button.previousElementSibling);
    this.#timeline.around(inView, () => show(node, button, isOpen));
  }
}
