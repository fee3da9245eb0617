// @ts-check
/** What the people who run the site say to everyone, above the conversation, until it is dismissed. */
import { within } from "../lib/dom.js";

export class Notice {
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    within(element, "button").addEventListener("click", () => {
      element.hidden = true;
    });
  }

  /** @param {{level: string, text: string}} notice */
  show({ level, text }) {
    this.#element.classList.toggle("info", level === "info");
    within(this.#element, "span").textContent = text;
    this.#element.hidden = false;
  }
}
