// @ts-check
/** A payload as a person reads it: JSON over several lines, text as it is, anything else in hex. */
import { gettext, interpolate } from "../lib/i18n.js";
import { asText, hexDump } from "./bytes.js";

/** Characters of a payload that are shown: the log keeps many entries. */
export const MAX_SHOWN_CHARS = 20000;
const MAX_DUMPED_BYTES = 2048;

/** Of the control characters only those that lay out text: others would hide what is there. */
const UNREADABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
const INDENT = "  ";

/** @param {string|Uint8Array} payload a string came in a text frame */
export function readable(payload) {
  if (typeof payload === "string") return shortened(isJSON(payload) ? indented(payload) : payload);
  const text = asText(payload);
  if (text === null || UNREADABLE.test(text)) return dumped(payload);
  return shortened(isJSON(text) ? indented(text) : text);
}

/** The beginning of the bytes in hex. @param {Uint8Array} bytes */
export function dumped(bytes) {
  const dump = hexDump(bytes.subarray(0, MAX_DUMPED_BYTES));
  return bytes.length > MAX_DUMPED_BYTES ? `${dump}\n${more(bytes.length - MAX_DUMPED_BYTES)}` : dump;
}

/** @param {string} text */
function isJSON(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * JSON with line breaks and indents, its values exactly as they were written: a parser would round large
 * numbers and drop the first of two equal keys. @param {string} json
 */
function indented(json) {
  let depth = 0;
  let text = "";
  let previous = "";
  const line = () => `\n${INDENT.repeat(depth)}`;
  for (const token of json.match(TOKENS) ?? []) {
    const isClosing = token === "}" || token === "]";
    const wasOpening = previous === "{" || previous === "[";
    if (isClosing) {
      depth--;
      if (!wasOpening) text += line();
    } else if (wasOpening || previous === ",") {
      text += line();
    }
    if (token === "{" || token === "[") depth++;
    text += token === ":" ? ": " : token;
    previous = token;
  }
  return text;
}

/** @param {string} text */
function shortened(text) {
  if (text.length <= MAX_SHOWN_CHARS) return text;
  // Not in the middle of a character of two units.
  const head = text.slice(0, MAX_SHOWN_CHARS).replace(/[\ud800-\udbff]$/, "");
  return `${head}\n${more(text.length - head.length)}`;
}

/** @param {number} count */
const more = (count) => interpolate(gettext("… and %(count)s more"), { count });
