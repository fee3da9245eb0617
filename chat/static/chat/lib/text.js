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
/** A name of a host has at most 255 octets (RFC 1035, 2.3.4); some browsers take long to find out about more. */
const LONG_HOST = /^https?:[/\\]*[^/\\?#]{256}/iu;
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
  return [...joined(parts(body))];
}

/**
 * The tokens that a text begins with, as long as so many lines, about.
 * @param {string} body @param {number} lines @returns {Token[]}
 */
export function beginning(body, lines) {
  /** @type {Token[]} */
  const begun = [];
  let left = lines * LINE;
  let column = 0;
  for (const token of joined(parts(body))) {
    left -= FRAMES[token.type] ?? 0;
    let end = 0;
    for (; end < token.text.length && left > 0; end++) {
      const isBreak = token.text[end] === "\n";
      left -= isBreak ? LINE - column : 1;
      column = isBreak ? 0 : (column + 1) % LINE;
    }
    // Not half of a character.
    if (end > 0) begun.push({ ...token, text: token.text.slice(0, end).replace(/[\ud800-\udbff]$/, "") });
    if (left <= 0) break;
  }
  return begun;
}

/** @param {string} body @returns {Generator<Token>} */
function* parts(body) {
  let at = 0;
  while (at < body.length) {
    const open = body.indexOf(FENCE, at);
    const close = open < 0 ? -1 : body.indexOf(FENCE, open + FENCE.length);
    if (close < 0) break;
    const block = fencedText(body.slice(open + FENCE.length, close));
    if (block === "") {
      yield* inline(body.slice(at, close + FENCE.length));
    } else {
      // The block stands on lines of its own: the line breaks around it are not shown once more.
      yield* inline(body.slice(at, open).replace(/\n$/, ""));
      yield { type: "pre", text: block };
    }
    at = close + FENCE.length;
    if (block !== "" && body[at] === "\n") at++;
  }
  yield* inline(body.slice(at));
}

/** A block without the word behind its opening fence (the language) and without its outer line breaks. */
/** @param {string} text */
function fencedText(text) {
  const lines = text.split("\n");
  if (lines.length > 1 && /^[\w+#.-]*\s*$/.test(lines[0])) lines.shift();
  return lines.join("\n").replace(/^\n+/, "").trimEnd();
}

/** @param {string} text @returns {Generator<Token>} */
function* inline(text) {
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("`", at);
    const close = open < 0 ? -1 : text.indexOf("`", open + 1);
    if (close < 0) break;
    const code = text.slice(open + 1, close);
    if (code.trim() === "" || code.includes("\n")) {
      // Not code; the second mark may open what follows.
      yield* links(text.slice(at, close));
      at = close;
      if (code === "") {
        yield { type: "text", text: "`" };
        at++;
      }
    } else {
      yield* links(text.slice(at, open));
      yield { type: "code", text: code };
      at = close + 1;
    }
  }
  yield* links(text.slice(at));
}

/** @param {string} text @returns {Generator<Token>} */
function* links(text) {
  let at = 0;
  for (const match of text.includes("://") ? text.matchAll(ADDRESS) : []) {
    const address = withoutTrailing(match[0]);
    const href = safeHref(address);
    if (href === null) continue;
    yield { type: "text", text: text.slice(at, match.index) };
    yield { type: "link", text: address, href };
    at = match.index + address.length;
  }
  yield { type: "text", text: text.slice(at) };
}

/** Without the punctuation of the sentence around it, and without a bracket that was opened outside. */
/** @param {string} address */
function withoutTrailing(address) {
  const unopened = new Map([...BRACKETS].map(([close, open]) => [close, count(address, close) - count(address, open)]));
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const surplus = unopened.get(last);
    if (surplus === undefined ? !TRAILING.includes(last) : surplus <= 0) break;
    if (surplus !== undefined) unopened.set(last, surplus - 1);
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
  if (LONG_HOST.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  return isWeb && url.hostname !== "" && url.username === "" && url.password === "" ? url.href : null;
}

/** Neighbouring texts as one, empty ones left out. @param {Iterable<Token>} tokens @returns {Generator<Token>} */
function* joined(tokens) {
  let text = "";
  for (const token of tokens) {
    if (token.type === "text") {
      text += token.text;
    } else {
      if (text !== "") yield { type: "text", text };
      text = "";
      yield token;
    }
  }
  if (text !== "") yield { type: "text", text };
}

/** The text in one line, for a quote. @param {string} body @param {number} [max] characters */
export function oneLine(body, max = 140) {
  const line = body.replaceAll(FENCE, " ").replace(/\s+/g, " ").trim();
  const chars = [...line.slice(0, max * 2 + 2)];
  return chars.length > max ? `${chars.slice(0, max).join("")}…` : line;
}

/** Code units that make a line; a Chinese, Japanese or Korean character is as wide as two others. */
const LINE = 80;
/** What a frame around a text takes beside it, in the same units. @type {Partial<Record<Token["type"], number>>} */
const FRAMES = { code: 2, pre: LINE };
const WIDE = /[\u2e80-\ud7ff\uf900-\ufaff\uff01-\uff60]/g;

/** How many lines a text takes, about. @param {string} body */
export function linesOf(body) {
  const width = (/** @type {string} */ line) => line.length + (line.match(WIDE)?.length ?? 0);
  return body.split("\n").reduce((lines, line) => lines + Math.max(1, Math.ceil(width(line) / LINE)), 0);
}

/** Code points of a word; with the marks behind them, of which no language needs more on one letter. */
const PIECE = /[^\s\p{P}]{1,64}\p{M}{0,30}/gu;
const LONG = 64;

/**
 * A text in pieces, such that none has a very long word: browsers take time for a word that grows with the square
 * of its length, or minutes where its characters combine.
 * @param {string} text @returns {string[]}
 */
export function pieces(text) {
  const cut = [];
  let at = 0;
  for (const { 0: word, index } of text.matchAll(PIECE)) {
    if (word.length < LONG) continue;
    cut.push(text.slice(at, index + word.length));
    at = index + word.length;
  }
  if (at < text.length) cut.push(text.slice(at));
  return cut;
}

/** How long a text is as the server counts: in code points. @param {string} text */
export function lengthOf(text) {
  let length = 0;
  for (const _ of text) length++;
  return length;
}
