// @ts-check
import { el } from "../lib/dom.js";
import { hue, initials } from "./faces.js";

/** @param {string} name */
export function avatar(name) {
  return paint(el("span", { class: "avatar", "aria-hidden": "true" }), name);
}

/** @param {HTMLElement} element @param {string} name */
export function paint(element, name) {
  element.textContent = initials(name);
  element.style.setProperty("--hue", String(hue(name)));
  return element;
}
