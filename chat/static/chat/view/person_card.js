// @ts-check
/**
 * The card of a person: who they are, and what one may do about them.
 *
 * @typedef {import("../types.js").Choice} Choice
 * @typedef {import("../types.js").Deed} Deed
 * @typedef {import("../types.js").Place} Place
 * @typedef {import("../types.js").Someone} Someone
 * @typedef {import("../types.js").Sanction} Sanction
 */
import { el, isolated, within } from "../lib/dom.js";
import { Emitter } from "../lib/emitter.js";
import { moveFocus } from "../lib/focus.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { paint } from "./avatar.js";
import { Dialog } from "./dialogs/dialog.js";
import { whatHolds } from "./sayings.js";

/** @type {Record<Choice|Deed, () => string>} */
const WORDS = {
  message: () => gettext("Message"),
  add: () => gettext("Add contact"),
  accept: () => gettext("Accept request"),
  decline: () => gettext("Decline request"),
  withdraw: () => gettext("Withdraw request"),
  remove: () => gettext("Remove contact"),
  mute: () => gettext("Mute…"),
  ban: () => gettext("Ban…"),
  kick: () => gettext("Remove from room…"),
  "remove-messages": () => gettext("Remove messages…"),
};
const GRAVE = new Set(["remove", "ban", "kick", "remove-messages"]);

/** Events: each choice by its name (person); each deed by its name (person, places); "lift" (person, Sanction). */
export class PersonCard extends Emitter {
  #element;
  #dialog;
  /** Finds what it was opened from, which may have been drawn anew. @type {() => HTMLElement|null} */
  #opener = () => null;
  /** @type {Someone|null} whom it shows now */
  person = null;

  /** @param {HTMLDialogElement} element */
  constructor(element) {
    super();
    this.#element = element;
    this.#dialog = new Dialog(element);
    element.addEventListener("keydown", (event) => moveFocus(event, element, "ArrowUp", "ArrowDown"));
    element.addEventListener("close", () => {
      this.person = null;
      if (document.activeElement === null || document.activeElement === document.body) this.#opener()?.focus();
    });
  }

  /**
   * What is known at once.
   * @param {Someone} person @param {Choice[]} choices @param {() => HTMLElement|null} opener
   */
  open(person, choices, opener) {
    this.person = person;
    this.#opener = opener;
    const { name } = person;
    paint(within(this.#element, ".avatar"), name);
    within(this.#element, "#person-title").replaceChildren(isolated(name));
    within(this.#element, "[data-role]").textContent = whatTheyAre(person);
    this.show(choices, [], []);
    this.#dialog.open();
    /** @type {HTMLElement|null} */ (this.#element.querySelector("[data-choice]"))?.focus();
  }

  /** What the server says. @param {boolean} isOnline */
  set presence(isOnline) {
    const person = /** @type {Someone} */ (this.person);
    const here = isOnline ? gettext("here now") : gettext("away");
    within(this.#element, "[data-role]").textContent = [whatTheyAre(person), here].filter(Boolean).join(" · ");
    within(this.#element, ".avatar").classList.toggle("online", isOnline);
  }

  /**
   * @param {Choice[]} choices @param {{deed: Deed, places: Place[]}[]} deeds @param {Sanction[]} sanctions
   */
  show(choices, deeds, sanctions) {
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset?.choice;
    within(this.#element, "[data-choices]").replaceChildren(
      ...choices.map((choice) => this.#item(choice)),
      ...deeds.map(({ deed, places }) => this.#item(deed, places)),
    );
    const list = within(this.#element, "[data-sanctions]");
    list.hidden = sanctions.length === 0;
    list.replaceChildren(...sanctions.map((sanction) => this.#sanction(sanction)));
    if (focused !== undefined)
      /** @type {HTMLElement|null} */ (this.#element.querySelector(`[data-choice="${focused}"]`))?.focus();
  }

  /** @param {Choice|Deed} choice @param {Place[]} [places] */
  #item(choice, places) {
    const attributes = { type: "button", "data-choice": choice, class: GRAVE.has(choice) ? "grave" : null };
    return this.#button(attributes, WORDS[choice](), (person) => this.emit(choice, person, places));
  }

  /** @param {Sanction} sanction */
  #sanction(sanction) {
    const said = [whatHolds(sanction, new Date())];
    if (sanction.by !== "") said.push(interpolate(gettext("By %(name)s"), { name: sanction.by }));
    const attributes = { type: "button", class: "button quiet" };
    const lift = this.#button(attributes, gettext("End it…"), (person) => this.emit("lift", person, sanction));
    return el("li", {}, el("p", {}, said.join("\n")), lift);
  }

  /** @param {Record<string, string|null>} attributes @param {string} words @param {(person: Someone) => void} act */
  #button(attributes, words, act) {
    const button = el("button", attributes, words);
    button.addEventListener("click", () => {
      const person = /** @type {Someone} */ (this.person);
      this.#dialog.close();
      act(person);
    });
    return button;
  }
}

/** @param {Someone} person */
function whatTheyAre({ role, is_bot, is_guest }) {
  if (role === "owner") return gettext("owner");
  if (role === "moderator") return gettext("moderator");
  return is_bot ? gettext("bot") : is_guest ? gettext("guest") : "";
}
