// @ts-check
/** Nodes, never markup: whatever text they are given stays text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes (true is an empty one, false and null none) and children (strings become text).
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string|number|boolean|null>} [attributes]
 * @param {...(Node|string|null)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A drawing of the page's own set (templates/chat/icons.html). @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A name among other words: its direction does not touch theirs. @param {string} text */
export const isolated = (text) => el("bdi", {}, text);

/** The same for where only text can stand. @param {string} text */
export const isolate = (text) => `\u2068${text}\u2069`;

/**
 * The element with this id, which the page's template has.
 * @param {string} id @returns {any}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** @param {Element} root @param {string} selector @returns {any} */
export function within(root, selector) {
  const element = root.querySelector(selector);
  if (element === null) throw new Error(`nothing is ${selector}`);
  return element;
}

/** What finds a control of a line again when the line was made anew. @param {Element|null} element */
export function selectorOf(element) {
  for (const name of element?.getAttributeNames() ?? []) {
    if (name.startsWith("data-") && !element?.matches("li")) {
      return `[${name}="${CSS.escape(element?.getAttribute(name) ?? "")}"]`;
    }
  }
  return null;
}
