// @ts-check
/**
 * Cuts a message's text into tokens. Pure: what a token becomes is `body.js`'s matter, and it makes nodes of
 * them, never markup.
 *
 * @typedef {{type: "text", text: string}
 *   | {type: "link", text: string, href: string}
 *   | {type: "code", text: string}
 *   | {type: "pre", text: string}} Token
 */

/** An address ends at a space, a quote, an angle bracket, a direction mark or full-width punctuation. */
const ENDS = String.raw`\s<>"'\u0060\u0000-\u001f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069`;
const WIDE_ENDS = String.raw`\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65`;
const ADDRESS = new RegExp(String.raw`\bhttps?:\/\/[^${ENDS}${WIDE_ENDS}]+`, "giu");
/** What ends a sentence, not an address. */
const TRAILING = ".,;:!?…*_~'\"";
const BRACKETS = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);
const FENCE = "```";

/** @param {string} body @returns {Token[]} */
export function tokenize(body) {
  const tokens = [];
  let at = 0;
  while (at < body.length) {
    const open = body.indexOf(FENCE, at);
    const close = open < 0 ? -1 : body.indexOf(FENCE, open + FENCE.length);
    if (close < 0) break;
    const block = fencedText(body.slice(open + FENCE.length, close));
    if (block === "") {
      tokens.push(...inline(body.slice(at, close + FENCE.length)));
    } else {
      // The block stands on lines of its own: the line breaks around it are not shown once more.
      tokens.push(...inline(body.slice(at, open).replace(/\n$/, "")), {
        type: /** @type {const} */ ("pre"),
        text: block,
      });
    }
    at = close + FENCE.length;
    if (block !== "" && body[at] === "\n") at++;
  }
  tokens.push(...inline(body.slice(at)));
  return joined(tokens);
}

/** A block without the word behind its opening fence (the language) and without its outer line breaks. */
/** @param {string} text */
function fencedText(text) {
  const lines = text.split("\n");
  if (lines.length > 1 && /^[\w+#.-]*\s*$/.test(lines[0])) lines.shift();
  return lines.join("\n").replace(/^\n+|\s+$/g, "");
}

/** @param {string} text @returns {Token[]} */
function inline(text) {
  /** @type {Token[]} */
  const tokens = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("`", at);
    const close = open < 0 ? -1 : text.indexOf("`", open + 1);
    if (close < 0) break;
    const code = text.slice(open + 1, close);
    if (code.trim() === "" || code.includes("\n")) {
      // Not code; the second mark may open what follows.
      tokens.push(...links(text.slice(at, close)));
      at = close;
      if (code === "") {
        tokens.push({ type: "text", text: "`" });
        at++;
      }
    } else {
      tokens.push(...links(text.slice(at, open)), { type: "code", text: code });
      at = close + 1;
    }
  }
  tokens.push(...links(text.slice(at)));
  return tokens;
}

/** @param {string} text @returns {Token[]} */
function links(text) {
  /** @type {Token[]} */
  const tokens = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutTrailing(match[0]);
    const href = safeHref(address);
    if (href === null) continue;
    tokens.push({ type: "text", text: text.slice(at, match.index) }, { type: "link", text: address, href });
    at = match.index + address.length;
  }
  tokens.push({ type: "text", text: text.slice(at) });
  return tokens;
}

/** Without the punctuation of the sentence around it, and without a bracket that was opened outside. */
/** @param {string} address */
function withoutTrailing(address) {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const opening = BRACKETS.get(last);
    if (opening !== undefined) {
      const within = address.slice(0, end);
      if (count(within, opening) >= count(within, last)) break;
    } else if (!TRAILING.includes(last)) {
      break;
    }
    end--;
  }
  return address.slice(0, end);
}

/** @param {string} text @param {string} char */
function count(text, char) {
  return text.split(char).length - 1;
}

/**
 * The address as the browser would open it, if it is one to offer: http(s) with a host. One with a user name
 * in it is not, since `https://bank.example@evil.example` leads to the second.
 * @param {string} address @returns {string|null}
 */
export function safeHref(address) {
  try {
    const url = new URL(address);
    const isWeb = url.protocol === "http:" || url.protocol === "https:";
    return isWeb && url.hostname !== "" && url.username === "" && url.password === "" ? url.href : null;
  } catch {
    return null;
  }
}

/** Neighbouring texts as one, empty ones left out. @param {Token[]} tokens @returns {Token[]} */
function joined(tokens) {
  /** @type {Token[]} */
  const whole = [];
  for (const token of tokens) {
    const last = whole[whole.length - 1];
    if (token.text === "") continue;
    if (token.type === "text" && last?.type === "text") last.text += token.text;
    else whole.push({ ...token });
  }
  return whole;
}

/** The text in one line, for a quote. @param {string} body @param {number} [max] characters */
export function oneLine(body, max = 140) {
  const line = body.replaceAll(FENCE, " ").replace(/\s+/g, " ").trim();
  const chars = [...line.slice(0, max * 2 + 2)];
  return chars.length > max ? `${chars.slice(0, max).join("")}…` : line;
}

/** Code units that make a line; a Chinese, Japanese or Korean character is as wide as two others. */
const LINE = 80;
const WIDE = /[\u2e80-\ud7ff\uf900-\ufaff\uff01-\uff60]/g;

/** How many lines a text takes, about. @param {string} body */
export function linesOf(body) {
  const width = (/** @type {string} */ line) => line.length + (line.match(WIDE)?.length ?? 0);
  return body.split("\n").reduce((lines, line) => lines + Math.max(1, Math.ceil(width(line) / LINE)), 0);
}

/** How long a text is as the server counts: in code points. @param {string} text */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
