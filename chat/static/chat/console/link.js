// @ts-check
/** The set-up in the page's address, so that a link brings another person to the same one. */

/**
 * What a link holds. Not the payload: it may be a token, and addresses are kept in many places.
 * @typedef {Record<string, string>} SetUp
 */
export const KEYS = ["door", "address", "wire", "stock", "mode", "kind", "name", "opcode"];

/** @param {string} hash as in `location.hash` @returns {SetUp} */
export function readLink(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.fromEntries(KEYS.flatMap((key) => (given.has(key) ? [[key, given.get(key) ?? ""]] : [])));
}

/** Leaves out what is empty. @param {SetUp} setUp */
export function writeLink(setUp) {
  const filled = KEYS.filter((key) => setUp[key]).map((key) => [key, setUp[key]]);
  return `#${new URLSearchParams(filled)}`;
}
