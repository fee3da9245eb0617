// @ts-check
/**
 * What one may do; the server has the last word.
 *
 * @typedef {import("../types.js").Choice} Choice
 * @typedef {import("../types.js").Me} Me
 * @typedef {import("../types.js").Room} Room
 */

/** @type {Map<import("../types.js").Contact["state"]|null, Choice[]>} */
const BY_STATE = new Map([
  [null, ["add"]],
  ["asked", ["accept", "decline"]],
  ["requested", ["withdraw"]],
  ["friends", ["remove"]],
]);

/**
 * @param {{id: number|null, key: string, role?: string|null}} person
 * @param {{me: Me|null, state: import("../types.js").Contact["state"]|null, room: Room|null}} context
 *   `state`: of the person as a contact, null for none; `room`: the open one, whose people are shown, else null
 * @returns {Choice[]} in the order of the menu
 */
export function choicesFor(person, { me, state, room }) {
  if (me === null || person.id === null || person.key === me.key) return [];
  /** @type {Choice[]} */
  const choices = room?.kind === "direct" || state === "declined" ? [] : ["message"];
  // A guest has an account, and so contacts, from their first post on.
  if (me.id !== null) choices.push(...(BY_STATE.get(state) ?? []));
  if (room !== null && mayRemove(person.role ?? null, room)) choices.push("kick");
  return choices;
}

/** @param {string|null} role that of the person @param {Room} room */
function mayRemove(role, room) {
  if (room.kind === "direct") return false;
  return room.role === "owner" || (room.role === "moderator" && role !== "owner");
}

/**
 * @param {import("../types.js").Message} message @param {{me: Me|null, room: Room}} context
 * @returns {Set<string>} the actions of the toolbar
 */
export function actionsOn(message, { me, room }) {
  if (message.deleted) return new Set();
  const actions = new Set(["copy"]);
  if (!room.can_post) return actions;
  const isMine = me?.id === message.author_id;
  actions.add("react").add("reply");
  if (isMine) actions.add("edit");
  if (isMine || isModerator(room)) actions.add("delete");
  return actions;
}

/** @param {Room} room */
const isModerator = ({ role }) => role === "owner" || role === "moderator";
