// @ts-check
/** The small menu of a person: what one may do about them. */
import { el, isolated, within } from "../lib/dom.js";
import { Emitter } from "../lib/emitter.js";
import { moveFocus } from "../lib/focus.js";
import { gettext } from "../lib/i18n.js";

/** Between the menu and the edge of the window, in CSS pixels. */
const MARGIN = 8;

/** @type {Record<import("../types.js").Choice, () => string>} */
const WORDS = {
  message: () => gettext("Message"),
  add: () => gettext("Add contact"),
  accept: () => gettext("Accept request"),
  decline: () => gettext("Decline request"),
  withdraw: () => gettext("Withdraw request"),
  remove: () => gettext("Remove contact"),
  kick: () => gettext("Remove from room…"),
};
const GRAVE = new Set(["remove", "kick"]);

/** Events: each choice by its name, with the person. */
export class PersonMenu extends Emitter {
  #element;
  /** Finds what it was opened from, which may have been drawn anew. @type {() => HTMLElement|null} */
  #opener = () => null;

  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    this.#element = element;
    element.addEventListener("keydown", (event) => {
      if (event.key === "Tab") element.hidePopover();
      else moveFocus(event, element, "ArrowUp", "ArrowDown");
    });
    element.addEventListener("toggle", (event) => {
      const isOpen = /** @type {any} */ (event).newState === "open";
      this.#opener()?.setAttribute("aria-expanded", String(isOpen));
      // A click elsewhere has moved the focus there.
      if (!isOpen && (document.activeElement === null || document.activeElement === document.body))
        this.#opener()?.focus();
    });
  }

  /**
   * @param {{name: string}} person @param {import("../types.js").Choice[]} choices
   * @param {() => HTMLElement|null} opener
   */
  open(person, choices, opener) {
    const from = opener();
    if (from === null || choices.length === 0) return;
    this.#opener = opener;
    this.#element.setAttribute("aria-label", person.name);
    this.#element.replaceChildren(
      el("p", { "aria-hidden": "true" }, isolated(person.name)),
      ...choices.map((choice) => this.#item(choice, person)),
    );
    this.#element.showPopover();
    this.#place(from.getBoundingClientRect());
    within(this.#element, "button").focus({ preventScroll: true });
  }

  /** @param {import("../types.js").Choice} choice @param {{name: string}} person */
  #item(choice, person) {
    const kind = GRAVE.has(choice) ? "grave" : null;
    const attributes = { type: "button", role: "menuitem", "data-choice": choice, class: kind };
    const item = el("button", attributes, WORDS[choice]());
    item.addEventListener("click", () => {
      this.#element.hidePopover();
      this.emit(choice, person);
    });
    return item;
  }

  /** @param {DOMRect} from */
  #place(from) {
    const own = this.#element.getBoundingClientRect();
    const below = from.bottom + 4;
    const top = below + own.height + MARGIN <= innerHeight ? below : from.top - own.height - 4;
    this.#element.style.top = `${Math.max(MARGIN, top)}px`;
    this.#element.style.left = `${Math.max(MARGIN, Math.min(from.left, innerWidth - own.width - MARGIN))}px`;
  }
}
