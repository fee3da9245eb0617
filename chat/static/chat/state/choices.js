// @ts-check
/**
 * What one may do about a person; the server has the last word.
 *
 * @typedef {"message"|"add"|"accept"|"decline"|"withdraw"|"unfriend"|"kick"} Choice
 */

/** @type {Map<import("../types.js").Contact["state"]|null, Choice[]>} */
const BY_STATE = new Map([
  [null, ["add"]],
  ["asked", ["accept", "decline"]],
  ["requested", ["withdraw"]],
  ["friends", ["unfriend"]],
]);

/**
 * @param {{id: number|null, key: string, role?: string|null}} person
 * @param {{me: import("../types.js").Me|null, state: import("../types.js").Contact["state"]|null,
 *   room: import("../types.js").Room|null}} context
 *   `state`: of the person as a contact, null for none; `room`: the open one, whose people are shown, else null
 * @returns {Choice[]} in the order of the menu
 */
export function choicesFor(person, { me, state, room }) {
  if (me === null || person.id === null || person.key === me.key) return [];
  /** @type {Choice[]} */
  const choices = room?.kind === "direct" || state === "declined" ? [] : ["message"];
  // A visitor is somebody the server knows once he has said something.
  if (me.id !== null) choices.push(...(BY_STATE.get(state) ?? []));
  if (room !== null && mayRemove(person.role ?? null, room)) choices.push("kick");
  return choices;
}

/** @param {string|null} role the other's @param {import("../types.js").Room} room */
function mayRemove(role, room) {
  if (room.kind === "direct") return false;
  return room.role === "owner" || (room.role === "moderator" && role !== "owner");
}
