// @ts-check

/**
 * The key of the other person of a direct room, or null for any other room: its name has the keys of both.
 * @param {import("../types.js").Room} room @param {number|null} myId
 */
export function otherIn({ kind, name }, myId) {
  const keys = kind === "direct" ? /^direct (\d+)-(\d+)$/.exec(name) : null;
  return keys === null ? null : Number(Number(keys[1]) === myId ? keys[2] : keys[1]);
}
