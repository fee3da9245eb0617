// @ts-check
/**
 * One's contacts: listed once, then kept up to date by the notification `contact`.
 *
 * @typedef {import("../types.js").Contact} Contact
 */
import { Emitter } from "../lib/emitter.js";

/** In this order they are listed; those who declined are not. */
const SHOWN = ["asked", "friends", "requested"];

/** Events: "change" when the list may have changed, "asked" (Contact) when somebody asks now. */
export class Contacts extends Emitter {
  /** @type {Map<number, Contact>} */
  #known = new Map();

  /** The answer of `list-contacts`. @param {Contact[]} list */
  set(list) {
    this.#known = new Map(list.map((contact) => [contact.id, contact]));
    this.emit("change");
  }

  /** What became of one, as a notification or an answer says it. @param {Contact} contact */
  hear(contact) {
    const before = this.stateOf(contact.id);
    // People whom one declined leave the list, and may be asked after all.
    const isMine = before === "requested" || before === "declined";
    if (contact.state === "removed" || (contact.state === "declined" && !isMine)) this.#known.delete(contact.id);
    else this.#known.set(contact.id, contact);
    this.emit("change");
    if (contact.state === "asked" && before !== "asked") this.emit("asked", contact);
  }

  /** @param {number} id @returns {Contact["state"]|null} */
  stateOf(id) {
    return this.#known.get(id)?.state ?? null;
  }

  /** @returns {Contact[]} those who ask, friends, those who were asked; each part by name */
  get list() {
    const rank = (/** @type {Contact} */ { state }) => SHOWN.indexOf(state);
    return [...this.#known.values()]
      .filter((contact) => rank(contact) >= 0)
      .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  }

  /** How many wait for an answer. */
  get requests() {
    return [...this.#known.values()].filter(({ state }) => state === "asked").length;
  }
}
