// @ts-check
/** How long something holds, or since when it counts, as one chooses it: minutes, "" for no bound, or "time". */
import { gettext } from "./i18n.js";

const MINUTE_MS = 60 * 1000;

/**
 * Minutes from now; null without an end.
 * @param {string} choice @param {string} time as a field for a local time has it @param {number} now
 */
export function minutesOf(choice, time, now) {
  if (choice !== "time") return choice === "" ? null : Number(choice);
  const left = chosen(time) - now;
  if (left <= 0) throw new Error(gettext("this time is over already"));
  return Math.ceil(left / MINUTE_MS);
}

/** The moment so long ago, in ISO 8601. @param {string} choice @param {string} time @param {number} now */
export function sinceOf(choice, time, now) {
  if (choice === "") return new Date(0).toISOString();
  return new Date(choice === "time" ? chosen(time) : now - Number(choice) * MINUTE_MS).toISOString();
}

/** @param {string} time */
function chosen(time) {
  const moment = Date.parse(time);
  if (Number.isNaN(moment)) throw new Error(gettext("choose a time"));
  return moment;
}
