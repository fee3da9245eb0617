// @ts-check
/** On a narrow window the lists of rooms and of people come from the side, over the conversation. */
import { within } from "../lib/dom.js";

export class Drawers {
  #app;
  #scrim;
  #rest;
  /** @type {Element|null} */
  #opener = null;

  /**
   * @param {HTMLElement} app @param {HTMLElement} scrim
   * @param {HTMLElement} rest what lies under an open drawer
   */
  constructor(app, scrim, rest) {
    this.#app = app;
    this.#scrim = scrim;
    this.#rest = rest;
    scrim.addEventListener("click", () => this.close());
    for (const button of app.querySelectorAll("[data-close-drawer]"))
      button.addEventListener("click", () => this.close());
    app.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen) this.close();
    });
    // A window that grew has the list in its place.
    addEventListener("resize", () => {
      if (
        this.isOpen &&
        getComputedStyle(within(app, `.${app.dataset.drawer} [data-close-drawer]`)).display === "none"
      )
        this.close();
    });
  }

  get isOpen() {
    return this.#app.dataset.drawer !== undefined;
  }

  /** @param {"rooms"|"people"} name */
  open(name) {
    this.#opener = document.activeElement;
    this.#app.dataset.drawer = name;
    this.#scrim.hidden = false;
    this.#rest.inert = true;
    within(this.#app, `.${name} [data-close-drawer]`).focus();
  }

  close() {
    if (!this.isOpen) return;
    delete this.#app.dataset.drawer;
    this.#scrim.hidden = true;
    this.#rest.inert = false;
    /** @type {HTMLElement|null} */ (this.#opener)?.focus?.();
  }
}
