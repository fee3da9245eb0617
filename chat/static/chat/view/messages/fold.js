// @ts-check
/** A long message shows its beginning until the reader asks for all of it. */
import { el } from "../../lib/dom.js";
import { gettext } from "../../lib/i18n.js";
import { linesOf } from "../../lib/text.js";

/** As long as this, a message may stand there whole; what is folded shows two thirds of it (message.css). */
const MOST_LINES = 24;
/** What a folded one is made of: more than it shows, as a line may have more letters than those that are counted. */
export const SHOWN_LINES = 18;

/** What makes the node of a long text, by the button under it. @type {WeakMap<Element, (isWhole: boolean) => Element>} */
const makers = new WeakMap();

/**
 * The node of a text, and under it, if it is long, what opens and closes it.
 * @param {string} body @param {boolean} isOpen
 * @param {(isWhole: boolean) => HTMLElement} make the node; while it is folded, only the beginning need be in it
 */
export function folded(body, isOpen, make) {
  if (linesOf(body) <= MOST_LINES) return [make(true)];
  const node = make(isOpen);
  const button = el("button", { type: "button", class: "link fold", "data-fold": true });
  makers.set(button, make);
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
    const other = /** @type {(isWhole: boolean) => Element} */ (makers.get(button))(isOpen);
    this.#timeline.around(inView, () => {
      // A link that has the keyboard is one of those that both begin with.
      const at = reachable(node).findIndex((each) => each === inView);
      node.replaceWith(other);
      show(other, button, isOpen);
      if (at < 0) return inView;
      const same = reachable(other)[at];
      same.focus({ preventScroll: true });
      return same;
    });
  }
}

/** What the keyboard reaches in a text. @param {Element} node @returns {HTMLElement[]} */
const reachable = (node) => [...node.querySelectorAll("a, pre")].map((each) => /** @type {HTMLElement} */ (each));
