// @ts-check
/**
 * What stands over the conversation, and what is said in its place when no room is open.
 *
 * @typedef {import("../types.js").Room} Room
 */
import { byId, el, isolate, isolated, within } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { reportWords, roomMark } from "./room_list.js";

/** More than this need not be told apart. */
const MOST_COUNTED = 99;

/** The name with its sign, where only text can stand. @param {Room} facts */
export const nameOf = (facts) => (facts.kind === "public" ? "#" : "") + isolate(facts.title);

/** @param {Room} facts */
export function showRoom(facts) {
  byId("room-name").replaceChildren(roomMark(facts), isolated(facts.title));
  byId("room-topic").textContent = facts.topic;
  byId("room-topic").title = facts.topic;
  furnish(true);
  showReports(facts.reports);
}

/** No room is open. @param {string|null} name what the address asks for */
export function showNoRoom(name) {
  byId("room-name").replaceChildren(...(name === null ? [] : [el("span", { class: "hash" }, "#"), isolated(name)]));
  byId("room-topic").textContent = "";
  furnish(false);
}

/** Whether there is a room to write in. @param {boolean} isRoom */
function furnish(isRoom) {
  for (const id of ["open-details", "open-people"]) byId(id).hidden = !isRoom;
  if (!isRoom) showReports(0);
  // Its place is kept, so that nothing moves when the first room comes.
  byId("compose").classList.toggle("absent", !isRoom);
}

/** @param {number} reports that wait for an answer */
function showReports(reports) {
  const button = byId("open-reports");
  button.hidden = reports === 0;
  within(button, ".number").textContent = String(reports);
  button.setAttribute("aria-label", reportWords(reports));
  button.title = reportWords(reports);
}

/** @param {number} here */
export function showPeopleCount(here) {
  const button = byId("open-people");
  within(button, ".number").textContent = here > 0 ? String(here) : "";
  button.setAttribute(
    "aria-label",
    interpolate(ngettext("People: %(n)s here", "People: %(n)s here", here), { n: here }),
  );
}

/**
 * In the title, and on a narrow window at the way to the rooms.
 * @param {Room|null} open
 * @param {number} all unseen messages everywhere
 * @param {number} elsewhere those of other rooms
 * @param {{requests: number, reports: number}} more of people who ask to be a contact, and of messages of other rooms
 */
export function showCounts(open, all, elsewhere, { requests, reports }) {
  const place = open === null ? "" : `${open.kind === "public" ? "#" : ""}${open.title} · `;
  document.title = `${all > 0 ? `(${all}) ` : ""}${place}Hubtalk`;
  const button = byId("open-rooms");
  const badge = within(button, ".count");
  const count = elsewhere + requests + reports;
  badge.hidden = count === 0;
  badge.textContent = count > MOST_COUNTED ? `${MOST_COUNTED}+` : String(count);
  const words = [
    elsewhere === 0
      ? gettext("Rooms")
      : interpolate(ngettext("Rooms, %(n)s unread message", "Rooms, %(n)s unread messages", elsewhere), {
          n: elsewhere,
        }),
  ];
  if (requests > 0) words.push(interpolate(ngettext("%(n)s request", "%(n)s requests", requests), { n: requests }));
  if (reports > 0) words.push(reportWords(reports));
  button.setAttribute("aria-label", words.join(", "));
}

/**
 * The address names a room that is not in the list.
 * @param {string} name
 * @param {{look: () => Promise<string>, create: (() => void)|null}} means `look` answers why it was not found
 */
export function showMissing(name, { look, create }) {
  const said = el("p", { class: "bad-text", role: "alert" });
  const buttons = [
    button(gettext("Look for it"), "quiet", async () => {
      said.textContent = await look();
    }),
  ];
  if (create !== null) buttons.push(button(gettext("Create it"), "", create));
  showInstead(
    interpolate(gettext("There is no room called %(room)s in your list."), { room: isolate(name) }),
    el("div", { class: "actions" }, ...buttons),
    said,
  );
}

/** @param {string} name */
export function showGone(name) {
  showInstead(
    interpolate(gettext("%(room)s was removed, or you may no longer see it."), { room: isolate(name) }),
    el("p", { class: "quiet-text" }, gettext("Choose another room from the list.")),
  );
}

/** @param {(() => void)|null} create */
export function showNothing(create) {
  showInstead(
    gettext("There is no room here yet."),
    ...(create === null ? [] : [button(gettext("Create the first one"), "", create)]),
  );
}

/** The connection has ended, as is said elsewhere, and nothing will come. */
export function showEnd() {
  byId("empty").replaceChildren();
}

/** @param {string} text @param {...Node} more */
function showInstead(text, ...more) {
  byId("empty").replaceChildren(el("p", { class: "big" }, text), ...more);
}

/** @param {string} text @param {string} kind @param {() => void} action */
function button(text, kind, action) {
  const made = el("button", { type: "button", class: `button ${kind}`.trim() }, text);
  made.addEventListener("click", action);
  return made;
}
