// @ts-check
/** Beneath the composer: who is writing. */
import { el, isolated } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";

/** @param {HTMLElement} element @param {string[]} names */
export function showTyping(element, names) {
  element.replaceChildren();
  if (names.length === 0) return;
  const format =
    names.length === 1
      ? gettext("%(a)s is typing")
      : names.length === 2
        ? gettext("%(a)s and %(b)s are typing")
        : gettext("Several people are typing");
  // Names are put between the words as nodes of their own, for their direction.
  const parts = interpolate(format, { a: "\u0001", b: "\u0002" }).split(/([\u0001\u0002])/);
  element.append(
    ...parts.map((part) =>
      part === "\u0001" ? isolated(names[0]) : part === "\u0002" ? isolated(names[1]) : part,
    ),
    el("i", {}, "."),
    el("i", {}, "."),
    el("i", {}, "."),
  );
}
