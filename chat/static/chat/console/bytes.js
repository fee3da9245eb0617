// @ts-check
/** Bytes as people write and read them. */
import { gettext, interpolate } from "../lib/i18n.js";

const BYTES_A_LINE = 16;
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();

/** @param {string} text */
export const utf8 = (text) => encoder.encode(text);

/** The text that the bytes are, or null when they are not UTF-8. @param {Uint8Array} bytes */
export function asText(bytes) {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** @param {Uint8Array[]} chunks */
export function joined(chunks) {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** @param {Uint8Array} bytes */
const pairsOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));

/** @param {Uint8Array} bytes */
export const hexOf = (bytes) => pairsOf(bytes).join("");

/**
 * Bytes from hex digits. Spaces, line breaks, colons and commas are free, and so is `0x` before a number.
 * @param {string} text
 * @throws {RangeError} that says what to correct
 */
export function parseHex(text) {
  const digits = text.replace(/\b0x/gi, "").replace(/[\s:,]+/g, "");
  const wrong = digits.match(/[^0-9a-f]/iu);
  if (wrong !== null) {
    throw new RangeError(interpolate(gettext("“%(sign)s” is not a hex digit."), { sign: wrong[0] }));
  }
  if (digits.length % 2 === 1) {
    throw new RangeError(gettext("A hex digit is missing: each byte has two."));
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Offset, hex and ASCII, 16 bytes a line. @param {Uint8Array} bytes */
export function hexDump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) {
    const part = bytes.subarray(at, at + BYTES_A_LINE);
    const pairs = pairsOf(part)
      .join(" ")
      .padEnd(BYTES_A_LINE * 3 - 1);
    const ascii = Array.from(part, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(4, "0")}  ${pairs}  ${ascii.join("")}`);
  }
  return lines.join("\n");
}
