// @ts-check
/**
 * Who is here, on the right.
 *
 * @typedef {import("../types.js").Person} Person
 */
import { el, isolated } from "../lib/dom.js";
import { Emitter } from "../lib/emitter.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { avatar } from "./avatar.js";

/** Names drawn in one group; the rest is a number. */
const MOST_NAMED = 200;

/** Events: "choose" (key) where a person has a card. */
export class PeopleList extends Emitter {
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    this.#element = element;
    element.addEventListener("click", ({ target }) => {
      const { person } = /** @type {HTMLElement} */ (target).closest("button")?.dataset ?? {};
      if (person !== undefined) this.emit("choose", person);
    });
  }

  clear() {
    this.#element.replaceChildren();
  }

  /**
   * @param {Person[]} people by name
   * @param {{here: number, myKey: string, hasCard: (person: Person) => boolean}} context
   *   `here`: how many there are, named or not; `hasCard`: whether their name opens a card
   */
  show(people, { here, myKey, hasCard }) {
    const online = people.filter((person) => person.online);
    const away = people.filter((person) => !person.online);
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const key = focused !== null && this.#element.contains(focused) ? focused.dataset.person : undefined;
    const draw = (/** @type {Person} */ person, /** @type {string} */ kind) =>
      personNode(person, myKey, kind, hasCard(person));
    this.#element.replaceChildren(
      ...group(
        interpolate(gettext("Here now — %(n)s"), { n: here }),
        online.map((person) => draw(person, "")),
        here - online.length,
      ),
      ...(away.length === 0
        ? []
        : group(
            interpolate(gettext("Away — %(n)s"), { n: away.length }),
            away.map((person) => draw(person, "away")),
            0,
          )),
    );
    if (key !== undefined) this.opener(key)?.focus();
  }

  /** What opens the card of a person. @param {string} key @returns {HTMLElement|null} */
  opener(key) {
    return this.#element.querySelector(`[data-person="${CSS.escape(key)}"]`);
  }
}

/** @param {string} title @param {HTMLElement[]} people @param {number} unnamed how many more there are */
function group(title, people, unnamed) {
  const list = el("ul", { "aria-label": title }, ...people.slice(0, MOST_NAMED));
  const more = Math.max(0, unnamed) + Math.max(0, people.length - MOST_NAMED);
  if (more > 0)
    list.append(
      el("li", { class: "more" }, interpolate(ngettext("and %(n)s more", "and %(n)s more", more), { n: more })),
    );
  return [el("h2", {}, title), list];
}

/** @param {Person} person @param {string} myKey @param {string} kind @param {boolean} hasCard */
function personNode(person, myKey, kind, hasCard) {
  const row = hasCard
    ? el("button", { type: "button", class: "row", "data-person": person.key, "aria-haspopup": "dialog" })
    : el("div", { class: "row" });
  row.append(avatar(person.name), el("span", { class: "name" }, isolated(person.name)));
  const note =
    person.key === myKey
      ? gettext("you")
      : (roleName(person) ?? (person.is_bot ? gettext("bot") : person.is_guest ? gettext("guest") : null));
  if (note !== null) row.append(el("small", {}, note));
  return el("li", { class: `person ${kind}${person.idle ? " idle" : ""}`.trim() }, row);
}

/** @param {Person} person */
function roleName({ role }) {
  if (role === "owner") return gettext("owner");
  if (role === "moderator") return gettext("moderator");
  return null;
}
