// @ts-check
/** The dialogs that ask for a name: one's own, or that of somebody else. */
import { el, within } from "../../lib/dom.js";
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
