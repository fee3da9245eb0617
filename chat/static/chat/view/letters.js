// @ts-check
/**
 * Ctrl + letter goes to a room: each gets the first letter of its name that is free.
 *
 * Only letters that nobody misses are given. Not those of editing (a c v x y z), of the browser's own windows
 * and tabs, which a page cannot take anyway (n t w), nor of what people use on any page (d bookmark, f and k
 * find, h history, l address, p print, q quit, r reload). On a Mac it is Control, not ⌘, so the browser's keys
 * are out of the way; there the letters that move and delete in a text stay free. Rooms whose name has no such
 * letter (王小明) are reached by Alt + ↑ and ↓, as all rooms are.
 */
const LETTERS = "begijmosu";
const MAC_LETTERS = "cgijmqrsuxz";

/** @param {{platform?: string, userAgentData?: {platform: string}}} navigator */
export const isMac = (navigator) =>
  /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform ?? "");

/**
 * @param {string[]} names in the order of the list
 * @param {boolean} [onMac]
 * @returns {Map<string, {letter: string, index: number}>} name → its letter, and where it stands in the name
 */
export function assignLetters(names, onMac = false) {
  const free = new Set(onMac ? MAC_LETTERS : LETTERS);
  const assigned = new Map();
  for (const name of names) {
    const lower = name.toLowerCase();
    // Where lower case has another length, positions would not match.
    const index = lower.length === name.length ? lower.split("").findIndex((unit) => free.has(unit)) : -1;
    if (index < 0) continue;
    const letter = lower[index];
    free.delete(letter);
    assigned.set(name, { letter, index });
  }
  return assigned;
}
