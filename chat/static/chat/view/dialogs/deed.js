// @ts-check
/**
 * The dialog that asks how to do something as a moderator: where, since when, how long, and why.
 *
 * @typedef {"place"|"since"|"seconds"|"end"|"reason"} Field
 * @typedef {object} Question
 * @property {string} title
 * @property {string} effect what it does
 * @property {string} verb of the button that does it
 * @property {boolean} [isGrave]
 * @property {Field[]} fields
 * @property {import("../../types.js").Place[]} [places] where it may be done; one chooses if there are two
 * @property {string} [room] what the room is called, as it is shown
 * @property {number} [seconds] chosen to begin with
 * @property {string} [reasonLabel]
 * @property {boolean} [needsReason]
 * @property {number} [maxReason] characters
 *
 * @typedef {{place: import("../../types.js").Place, since: string, minutes: number|null, seconds: number,
 *   reason: string}} Answer `since` in ISO 8601; `minutes` null without an end
 */
import { el, within } from "../../lib/dom.js";
import { gettext, interpolate } from "../../lib/i18n.js";
import { minutesOf, sinceOf } from "../../lib/spans.js";
import { Dialog } from "./dialog.js";

/** What the server takes. */
const MAX_REASON = 200;

export class DeedDialog extends Dialog {
  /** @type {Question|null} */
  #question = null;
  /** @type {(answer: Answer) => Promise<void>} */
  #act = async () => {};

  /** @param {HTMLDialogElement} element */
  constructor(element) {
    super(element);
    this.onSubmit(() => this.#act(this.#answer()));
    for (const name of ["since", "end"]) this.field(name).addEventListener("change", () => this.#follow(name));
  }

  /** @param {Question} question @param {(answer: Answer) => Promise<void>} act */
  ask(question, act) {
    this.#question = question;
    this.#act = act;
    this.form?.reset();
    within(this.element, "#deed-title").textContent = question.title;
    const effect = within(this.element, "[data-effect]");
    effect.textContent = question.effect;
    effect.hidden = question.effect === "";
    const button = within(this.element, 'button[type="submit"]');
    button.textContent = question.verb;
    button.classList.toggle("danger", question.isGrave === true);
    this.#furnish(question);
    this.open();
  }

  /** @param {Question} question */
  #furnish({ fields, places = [], room = "", seconds = 0, reasonLabel, needsReason = false, maxReason = MAX_REASON }) {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.element.querySelectorAll("[data-field]")))
      part.hidden = !fields.includes(/** @type {Field} */ (part.dataset.field));
    const names = { room: interpolate(gettext("In %(room)s"), { room }), site: gettext("On the whole site") };
    this.field("place").replaceChildren(...places.map((place) => el("option", { value: place }, names[place])));
    const choices = [...this.field("seconds").options].map((/** @type {HTMLOptionElement} */ each) => each.value);
    this.field("seconds").value = choices.includes(String(seconds)) ? String(seconds) : choices[0];
    within(this.element, "[data-reason-label]").textContent = reasonLabel ?? gettext("Reason");
    within(this.element, "[data-optional]").hidden = needsReason;
    Object.assign(this.field("reason"), { required: needsReason, maxLength: maxReason });
    for (const name of ["since", "end"]) this.#follow(name);
  }

  /** The field for a time is there where one wants to choose one. @param {string} name */
  #follow(name) {
    this.field(`${name}-time`).hidden = this.field(name).value !== "time";
  }

  /** @returns {Answer} */
  #answer() {
    const { fields } = /** @type {Question} */ (this.#question);
    const value = (/** @type {string} */ name) => this.field(name).value;
    const now = Date.now();
    return {
      place: value("place") === "site" ? "site" : "room",
      since: fields.includes("since") ? sinceOf(value("since"), value("since-time"), now) : "",
      minutes: fields.includes("end") ? minutesOf(value("end"), value("end-time"), now) : null,
      seconds: Number(value("seconds")),
      reason: value("reason").trim(),
    };
  }
}
