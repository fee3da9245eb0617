// @ts-check
/**
 * The contacts on the left to whom no direct room leads: who asks stands first, with what one answers beside the name.
 *
 * @typedef {import("../types.js").Contact} Contact
 */
import { answers } from "./answers.js";
import { avatar } from "./avatar.js";
import { el, isolate, isolated } from "../lib/dom.js";
import { Emitter } from "../lib/emitter.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";

/** Events: "add", "answer" ("accept" or "decline", id of who asks), "choose" (id). */
export class ContactList extends Emitter {
  #parts;
  #drawn = "";

  /** @param {{section: HTMLElement, list: HTMLElement, badge: HTMLElement, news: HTMLElement, add: HTMLElement}} parts */
  constructor(parts) {
    super();
    this.#parts = parts;
    parts.add.addEventListener("click", () => this.emit("add"));
    // Also of who asks and is listed by their direct room.
    parts.section.addEventListener("click", ({ target }) => {
      const { answer, of, contact } = /** @type {HTMLElement} */ (target).closest("button")?.dataset ?? {};
      if (answer !== undefined) this.emit("answer", answer, Number(of));
      if (contact !== undefined) this.emit("choose", Number(contact));
    });
  }

  /**
   * @param {Contact[]} contacts those without a direct room
   * @param {{requests: number, hasAccount: boolean, hasRooms: boolean}} more
   *   `requests`: how many ask, with a direct room or without; `hasAccount`: whether one can have contacts;
   *   `hasRooms`: whether there are direct rooms, which stand in the same place
   */
  show(contacts, { requests, hasAccount, hasRooms }) {
    const { section, list, badge, add } = this.#parts;
    section.hidden = !hasAccount && !hasRooms;
    add.hidden = !hasAccount;
    const drawn = JSON.stringify([contacts, requests]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const path = focused !== null && list.contains(focused) ? pathOf(focused) : null;
    list.replaceChildren(...contacts.map(contactNode));
    if (path !== null) find(list, path)?.focus();
    badge.hidden = requests === 0;
    badge.replaceChildren(
      el("span", { "aria-hidden": "true" }, String(requests)),
      el(
        "span",
        { class: "visually-hidden" },
        interpolate(ngettext("%(n)s request", "%(n)s requests", requests), { n: requests }),
      ),
    );
  }

  /** Read aloud: somebody asks now. @param {string} name */
  announce(name) {
    this.#parts.news.textContent = interpolate(gettext("%(name)s asks to be your contact."), {
      name: isolate(name),
    });
  }

  /** What opens the card of a contact. @param {number} id @returns {HTMLElement|null} */
  opener(id) {
    return this.#parts.list.querySelector(`[data-contact="${id}"]`);
  }
}

/** Where the focus was, to find it again after drawing. @param {HTMLElement} element */
const pathOf = ({ dataset }) =>
  dataset.contact !== undefined
    ? `[data-contact="${dataset.contact}"]`
    : `[data-answer="${dataset.answer}"][data-of="${dataset.of}"]`;

/** @param {HTMLElement} list @param {string} path @returns {HTMLElement|null} */
const find = (list, path) => list.querySelector(path);

/** @param {Contact} contact */
function contactNode({ id, name, state }) {
  const face = [avatar(name), el("span", { class: "name" }, isolated(name))];
  if (state === "asked") {
    return el(
      "li",
      { class: "person contact asked" },
      el("button", { type: "button", class: "row", "data-contact": id, "aria-haspopup": "dialog" }, ...face),
      ...answers(id, name),
    );
  }
  const row = el("button", { type: "button", class: "row", "data-contact": id, "aria-haspopup": "dialog" }, ...face);
  if (state === "requested") row.append(el("small", {}, gettext("asked")));
  return el("li", { class: `person contact ${state}` }, row);
}
