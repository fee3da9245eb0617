// @ts-check
/** The dialog about a message: to delete it. */
import { el, isolated, within } from "../../lib/dom.js";
import { oneLine } from "../../lib/text.js";
import { Dialog } from "./dialog.js";

export class DeleteDialog extends Dialog {
  /** @type {import("../../types.js").Message|null} */
  message = null;

  /**
   * @param {HTMLDialogElement} element
   * @param {(message: import("../../types.js").Message, reason: string) => Promise<void>} remove
   */
  constructor(element, remove) {
    super(element);
    this.onSubmit(async () => {
      if (this.message !== null) await remove(this.message, this.field("reason").value.trim());
    });
  }

  /** @param {import("../../types.js").Message} message @param {boolean} isMine */
  ask(message, isMine) {
    this.message = message;
    this.form?.reset();
    within(this.element, "[data-quote]").replaceChildren(
      el("b", {}, isolated(message.author)),
      " ",
      isolated(oneLine(message.body, 280)),
    );
    within(this.element, "[data-reason-field]").hidden = isMine;
    this.open();
  }
}
