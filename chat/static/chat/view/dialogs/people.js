// @ts-check
/**
 * The dialogs about people: one's own name, that of somebody else, and to take somebody out of a room.
 *
 * @typedef {{facts: import("../../types.js").Room}} ShownRoom a room as the list has it
 */
import { el, isolate, within } from "../../lib/dom.js";
import { gettext, interpolate } from "../../lib/i18n.js";
import { Dialog } from "./dialog.js";

export class MeDialog extends Dialog {
  /** @param {HTMLDialogElement} element @param {(name: string) => Promise<void>} rename */
  constructor(element, rename) {
    super(element);
    this.onSubmit(() => rename(this.field("name").value));
  }

  /** @param {import("../../types.js").Me} me */
  ask(me) {
    this.follow(me);
    this.field("name").value = me.name;
    this.open();
    this.field("name").select();
  }

  /** @param {import("../../types.js").Me} me */
  follow(me) {
    within(this.element, "[data-name]").textContent = me.name;
    const shown = {
      guest: !me.logged_in,
      account: me.logged_in,
      staff: me.is_staff,
      "sign-up": me.sign_up === "open",
    };
    for (const [name, isShown] of Object.entries(shown)) {
      for (const part of this.element.querySelectorAll(`[data-for="${name}"]`))
        /** @type {HTMLElement} */ (part).hidden = !isShown;
    }
  }
}

/** Asks for the name of a person. */
export class NameDialog extends Dialog {
  /** @param {HTMLDialogElement} element @param {(name: string) => Promise<void>} action */
  constructor(element, action) {
    super(element);
    this.onSubmit(() => action(this.field("name").value.trim()));
  }

  /** @param {string[]} [likely] names to choose from */
  ask(likely = []) {
    this.form?.reset();
    this.element.querySelector("datalist")?.replaceChildren(...likely.map((name) => el("option", { value: name })));
    this.open();
  }
}

export class KickDialog extends Dialog {
  /** @type {{room: any, person: {id: number, name: string}}|null} */
  #asked = null;

  /**
   * @param {HTMLDialogElement} element
   * @param {(room: ShownRoom, person: {id: number, name: string}, reason: string)
   *   => Promise<void>} kick
   */
  constructor(element, kick) {
    super(element);
    this.onSubmit(async () => {
      if (this.#asked !== null) await kick(this.#asked.room, this.#asked.person, this.field("reason").value.trim());
    });
  }

  /** @param {ShownRoom} room @param {{id: number, name: string}} person */
  ask(room, person) {
    this.#asked = { room, person };
    this.form?.reset();
    within(this.element, "#kick-title").textContent = interpolate(gettext("Remove %(name)s from %(room)s?"), {
      name: isolate(person.name),
      room: isolate(room.facts.title),
    });
    within(this.element, "[data-effect]").textContent =
      room.facts.kind === "public"
        ? gettext("The room stays closed to this person for ten minutes.")
        : gettext("This person can come back only with a new invitation.");
    this.open();
  }
}
