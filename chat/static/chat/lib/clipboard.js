// @ts-check
import { el } from "./dom.js";
import { gettext } from "./i18n.js";

/** Rejects where the browser does not allow it. No dialog may be open. @param {string} text */
export async function copyText(text) {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Pages over plain http have no clipboard of their own.
  const field = el("textarea", { class: "visually-hidden" });
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (!isDone) throw new Error(gettext("the browser does not allow it"));
}
