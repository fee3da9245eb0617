// @ts-check
import { el, icon, isolate } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";

/** What one answers to who asks to be a contact, beside their name. @param {number} id @param {string} name */
export function answers(id, name) {
  const accept = interpolate(gettext("Accept the request of %(name)s"), { name: isolate(name) });
  const decline = interpolate(gettext("Decline the request of %(name)s"), { name: isolate(name) });
  return [
    button("accept", id, gettext("Accept"), accept),
    button("decline", id, gettext("Decline"), decline),
  ];
}

/** @param {"accept"|"decline"} answer @param {number} id @param {string} title @param {string} label */
function button(answer, id, title, label) {
  const kind = { type: "button", class: `icon-button ${answer}`, "data-answer": answer, "data-of": id };
  return el("button", { ...kind, title, "aria-label": label }, icon(answer === "accept" ? "check" : "close"));
}
