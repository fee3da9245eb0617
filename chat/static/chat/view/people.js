// @ts-check
/**
 * Who is here, on the right: asked for when a room is opened, kept up to date by `presence`.
 *
 * @typedef {import("../types.js").Person} Person
 */
import { avatar } from "./avatar.js";
import { el, isolated } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";

/** Names drawn in one group; the rest is a number. */
const MOST_NAMED = 200;

export class People {
  /** How many are here now. */
  here = 0;
  #element;
  #names;
  #hasMenu;
  /** @type {Map<string, Person>} */
  #people = new Map();
  #isKnown = false;

  /**
   * @param {HTMLElement} element @param {Map<number, string>} names user id → name, for others to use
   * @param {(person: Person) => boolean} hasMenu whether there is anything to do about a person
   */
  constructor(element, names, hasMenu) {
    this.#element = element;
    this.#names = names;
    this.#hasMenu = hasMenu;
  }

  clear() {
    this.#people.clear();
    this.#isKnown = false;
    this.here = 0;
    this.#element.replaceChildren();
  }

  /** The answer of `list-members`. @param {{members: Person[], here: number}} list @param {string} myKey */
  set({ members, here }, myKey) {
    this.#people = new Map(members.map((person) => [person.key, person]));
    this.here = here;
    this.#isKnown = true;
    this.show(myKey);
  }

  /** @param {{joined: Person[], left: string[], here: number}} change @param {string} myKey */
  hear({ joined, left, here }, myKey) {
    if (!this.#isKnown) return;
    for (const key of left) {
      const person = this.#people.get(key);
      // Members stay on the list, visitors do not.
      if (person?.role) this.#people.set(key, { ...person, online: false });
      else this.#people.delete(key);
    }
    for (const person of joined)
      this.#people.set(person.key, { ...this.#people.get(person.key), ...person, online: true });
    this.here = here;
    this.show(myKey);
  }

  /** @param {string} key */
  find(key) {
    return this.#people.get(key);
  }

  /** What opens the menu of a person. @param {string} key @returns {HTMLElement|null} */
  opener(key) {
    return this.#element.querySelector(`[data-person="${CSS.escape(key)}"]`);
  }

  /** @param {string} myKey */
  show(myKey) {
    if (!this.#isKnown) return;
    const people = [...this.#people.values()].sort((a, b) => a.name.localeCompare(b.name));
    for (const person of people) if (person.id !== null) this.#names.set(person.id, person.name);
    const online = people.filter((person) => person.online);
    const away = people.filter((person) => !person.online);
    const focused = /** @type {HTMLElement|null} */ (document.activeElement);
    const key = focused !== null && this.#element.contains(focused) ? focused.dataset.person : undefined;
    const draw = (/** @type {Person} */ person, /** @type {string} */ kind) =>
      personNode(person, myKey, kind, this.#hasMenu(person));
    this.#element.replaceChildren(
      ...group(
        interpolate(gettext("Here now — %(n)s"), { n: this.here }),
        online.map((person) => draw(person, "")),
        this.here - online.length,
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

/** @param {Person} person @param {string} myKey @param {string} kind @param {boolean} hasMenu */
function personNode(person, myKey, kind, hasMenu) {
  const row = hasMenu
    ? el("button", { type: "button", class: "row", "data-person": person.key, "aria-haspopup": "menu" })
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
