// @ts-check
/** A message's text as nodes. */
import { el } from "../../lib/dom.js";
import { tokenize } from "../../lib/text.js";

/** @param {string} body @returns {DocumentFragment} */
export function bodyNodes(body) {
  const nodes = document.createDocumentFragment();
  for (const token of tokenize(body)) {
    if (token.type === "link") {
      nodes.append(el("a", { href: token.href, target: "_blank", rel: "noopener noreferrer" }, token.text));
    } else if (token.type === "code") {
      nodes.append(el("code", {}, token.text));
    } else if (token.type === "pre") {
      // Its lines may be wider than the window: it scrolls, so the keyboard must reach it.
      nodes.append(el("pre", { tabindex: 0, dir: "ltr" }, el("code", {}, token.text)));
    } else {
      nodes.append(token.text);
    }
  }
  return nodes;
}
