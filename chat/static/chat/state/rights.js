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
  return choices;
}

/**
 * Whether one's role in a room gives a verb of the server's table.
 * @param {Me|null} me @param {Room} room @param {string} verb
 */
export const mayIn = (me, room, verb) => me?.roles[room.role ?? "visitor"]?.includes(verb) ?? false;

/** Whether one has it on the whole site. @param {Me|null} me @param {string} verb */
export const may = (me, verb) => me?.may.includes(verb) ?? false;

/** @type {[import("../types.js").Deed, string, string|null][]} a deed, its verb in a room, and on the whole site */
const DEEDS = [
  ["mute", "mute-or-ban", "mute-or-ban-everywhere"],
  ["ban", "mute-or-ban", "mute-or-ban-everywhere"],
  ["kick", "kick", null],
  ["remove-messages", "remove-all", "remove-all-everywhere"],
];

/**
 * What the server lets one do to a person, and where.
 * @param {string[]} verbs
 * @returns {{deed: import("../types.js").Deed, places: import("../types.js").Place[]}[]}
 */
export function deedsAmong(verbs) {
  return DEEDS.map(([deed, here, everywhere]) => ({
    deed,
    places: /** @type {import("../types.js").Place[]} */ ([
      ...(verbs.includes(here) ? ["room"] : []),
      ...(everywhere !== null && verbs.includes(everywhere) ? ["site"] : []),
    ]),
  })).filter(({ places }) => places.length > 0);
}

/**
 * What one may switch in a room, and on the site.
 * @param {Me|null} me @param {Room} room @returns {import("../types.js").Switch[]}
 */
export function switchesOf(me, room) {
  /** @type {import("../types.js").Switch[]} */
  const switches = [];
  if (mayIn(me, room, "set-switches")) switches.push(room.read_only ? "write-again" : "read-only", "slow-mode");
  if (may(me, "change-site")) {
    switches.push(me?.calm ? "end-calm" : "calm");
    if (me?.sign_up !== "closed") switches.push("close-sign-up");
  }
  return switches;
}

/**
 * @param {import("../types.js").Message} message @param {{me: Me|null, room: Room}} context
 * @returns {Set<string>} the actions of the toolbar
 */
export function actionsOn(message, { me, room }) {
  if (message.deleted) return new Set();
  const actions = new Set(["copy"]);
  const isMine = me?.id === message.author_id;
  if (!isMine && mayIn(me, room, "report")) actions.add("report");
  if (!isMine && mayIn(me, room, "remove-others")) actions.add("delete");
  if (room.can_post) for (const action of ["react", "reply"]) actions.add(action);
  if (room.can_post && isMine) for (const action of ["edit", "delete"]) actions.add(action);
  return actions;
}
