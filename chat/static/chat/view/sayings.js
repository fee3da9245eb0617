// @ts-check
/** What is said to whom moderators did something: what, until when, why, and where one objects. */
import { isolate } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { momentTime } from "../lib/time.js";

/** @type {Record<import("../types.js").Closed["by"], () => [string, string]>} without an end, with one */
const CLOSED = {
  archived: () => twice(gettext("This room is archived: you can read it, but nobody can post in it.")),
  calm: () => [gettext("Guests may only read at the moment."), gettext("Guests may only read until %(time)s.")],
  "read-only": () => [
    gettext("Only moderators may post in this room."),
    gettext("Only moderators may post in this room until %(time)s."),
  ],
  muted: () => [gettext("You are muted."), gettext("You are muted until %(time)s.")],
  address: () => [
    gettext("Guests from your address are muted. People who log in are not."),
    gettext("Guests from your address are muted until %(time)s. People who log in are not."),
  ],
  declined: () => twice(gettext("You may not write to this person.")),
};
/** By which the person would object to no moderator. */
const NOBODYS = new Set(["archived", "declined"]);

/** @type {Record<string, (where: "room"|"site") => [string, string]>} what was done, without an end and with one */
const DONE = {
  mute: (where) =>
    where === "room"
      ? [gettext("You were muted in %(room)s."), gettext("You were muted in %(room)s until %(time)s.")]
      : [gettext("You were muted."), gettext("You were muted until %(time)s.")],
  ban: (where) =>
    where === "room"
      ? [gettext("You were banned from %(room)s."), gettext("You were banned from %(room)s until %(time)s.")]
      : [gettext("You were banned."), gettext("You were banned until %(time)s.")],
  kick: () => [
    gettext("You were removed from %(room)s."),
    gettext("You were removed from %(room)s, which is closed to you until %(time)s."),
  ],
  unmute: (where) =>
    twice(where === "room" ? gettext("You may write in %(room)s again.") : gettext("You may write again.")),
  unban: (where) =>
    twice(where === "room" ? gettext("You may enter %(room)s again.") : gettext("You may enter again.")),
  answered: () => twice(gettext("Your report in %(room)s was answered.")),
};
/** Against these nobody objects. */
const WELCOME = new Set(["unmute", "unban", "answered"]);

/**
 * Why one may not post, where one would write.
 * @param {import("../types.js").Closed} closed @param {string} objections @param {Date} now
 */
export function whyClosed({ by, reason, until }, objections, now) {
  return saying(CLOSED[by](), "", until, reason, NOBODYS.has(by) ? "" : objections, now);
}

/**
 * What was done to one, or null for what is told otherwise; `isWelcome`: nothing to warn of.
 * @param {import("../types.js").Moderated} told @param {string} title what the room is called, as it is shown
 * @param {Date} now
 */
export function whatWasDone({ act, room, reason, until, objections }, title, now) {
  const formats = DONE[act]?.(room === null ? "site" : "room");
  if (formats === undefined) return null;
  const isWelcome = WELCOME.has(act);
  const isOver = isWelcome || (until !== null && new Date(until) <= now);
  const end = isOver ? null : until;
  // What is answered is no reason.
  if (act === "answered") return { text: `${saying(formats, title, end, "", "", now)}\n${reason}`.trim(), isWelcome };
  return { text: saying(formats, title, end, reason, isWelcome ? "" : objections, now), isWelcome };
}

/** A sanction in force, to whoever may end it. @param {import("../types.js").Sanction} sanction @param {Date} now */
export function whatHolds({ kind, room, reason, until }, now) {
  const formats = {
    mute: () =>
      room !== null
        ? [gettext("Muted in this room."), gettext("Muted in this room until %(time)s.")]
        : [gettext("Muted on the whole site."), gettext("Muted on the whole site until %(time)s.")],
    ban: () =>
      room !== null
        ? [gettext("Banned from this room."), gettext("Banned from this room until %(time)s.")]
        : [gettext("Banned from the whole site."), gettext("Banned from the whole site until %(time)s.")],
  };
  return saying(/** @type {[string, string]} */ (formats[kind]()), "", until, reason, "", now);
}

/**
 * A sentence on each line.
 * @param {[string, string]} formats @param {string} title @param {string|null} until @param {string} reason
 * @param {string} objections @param {Date} now
 */
function saying([always, forNow], title, until, reason, objections, now) {
  const time = until === null ? "" : momentTime(new Date(until), now);
  const sentences = [interpolate(until === null ? always : forNow, { room: title, time })];
  if (reason !== "") sentences.push(interpolate(gettext("Reason: %(reason)s"), { reason: isolate(reason) }));
  if (objections !== "") sentences.push(interpolate(gettext("Objections: %(where)s"), { where: isolate(objections) }));
  return sentences.join("\n");
}

/** @param {string} words @returns {[string, string]} */
const twice = (words) => [words, words];
