// @ts-check
/** A message's text as nodes. */
import { el } from "../../lib/dom.js";
import { emojiRuns, isOnlyEmoji } from "../../lib/emoji.js";
import { tokenize } from "../../lib/text.js";
import { folded } from "./fold.js";

/** @param {string} body @param {boolean} isOpen whether all of a long text is shown @param {...(Node|string)} more */
export function bodyNodes(body, isOpen, ...more) {
  const kind = isOnlyEmoji(body) ? "body only-emoji" : "body";
  return folded(el("div", { class: kind, dir: "auto" }, textNodes(body), ...more), body, isOpen);
}

/** @param {string} body @returns {DocumentFragment} */
function textNodes(body) {
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
      // Apart, for a font that draws them in colour: the text's own may have plain ones.
      for (const { text, isEmoji } of emojiRuns(token.text))
        nodes.append(isEmoji ? el("span", { class: "emoji" }, text) : text);
    }
  }
  return nodes;
}
