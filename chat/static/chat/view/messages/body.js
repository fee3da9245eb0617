// @ts-check
/** A message's text as nodes. */
import { el } from "../../lib/dom.js";
import { emojiRuns, isOnlyEmoji } from "../../lib/emoji.js";
import { beginning, pieces, tokenize } from "../../lib/text.js";
import { SHOWN_LINES, folded } from "./fold.js";

/** @param {string} body @param {boolean} isOpen whether all of a long text is shown @param {...(Node|string)} more */
export function bodyNodes(body, isOpen, ...more) {
  const kind = isOnlyEmoji(body) ? "body only-emoji" : "body";
  return folded(body, isOpen, (isWhole) => {
    const node = el("div", { class: kind }, textNodes(isWhole ? tokenize(body) : beginning(body, SHOWN_LINES)), ...more);
    // Last, or the browser looks for the direction anew with each of the nodes.
    node.dir = "auto";
    return node;
  });
}

/** @param {import("../../lib/text.js").Token[]} tokens @returns {DocumentFragment} */
function textNodes(tokens) {
  const nodes = document.createDocumentFragment();
  for (const token of tokens) {
    if (token.type === "link") {
      nodes.append(el("a", { href: token.href, target: "_blank", rel: "noopener noreferrer" }, breakable(token.text)));
    } else if (token.type === "code") {
      nodes.append(el("code", {}, breakable(token.text)));
    } else if (token.type === "pre") {
      // Its lines may be wider than the window: it scrolls, so the keyboard must reach it.
      nodes.append(el("pre", { tabindex: 0, dir: "ltr" }, el("code", {}, breakable(token.text))));
    } else {
      nodes.append(words(token.text));
    }
  }
  return nodes;
}

/** @param {string} text @returns {DocumentFragment} */
function words(text) {
  const nodes = document.createDocumentFragment();
  let wasEmoji = false;
  for (const { text: run, isEmoji } of emojiRuns(text)) {
    if (isEmoji && wasEmoji) nodes.append(el("wbr"));
    // Apart, for a font that draws them in colour: the text's own may have plain ones.
    nodes.append(isEmoji ? el("span", { class: "emoji" }, run) : breakable(run));
    wasEmoji = isEmoji;
  }
  return nodes;
}

/** A text that the browser lays out piece by piece. @param {string} text @returns {DocumentFragment} */
function breakable(text) {
  const nodes = document.createDocumentFragment();
  for (const piece of pieces(text)) nodes.append(...(nodes.hasChildNodes() ? [el("wbr")] : []), piece);
  return nodes;
}
