// @ts-check
/** Days and times as the viewer's browser writes them. */
import { gettext } from "./i18n.js";

const DAY_MS = 24 * 60 * 60 * 1000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dayThisYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOtherYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

/** @param {Date} when */
export const clockTime = (when) => clock.format(when);

/** The same for a narrow place: without am and pm. @param {Date} when */
export const shortTime = (when) =>
  clock
    .formatToParts(when)
    .filter((part) => part.type !== "dayPeriod")
    .map((part) => part.value)
    .join("")
    .trim();

/** @param {Date} when */
export const fullTime = (when) => full.format(when);

/** A moment that may be another day's. @param {Date} when @param {Date} now */
export const momentTime = (when, now) => (dayKey(when) === dayKey(now) ? clock : moment).format(when);

/** Equal for two times of the same day here. @param {Date} when */
export const dayKey = (when) => `${when.getFullYear()}-${when.getMonth()}-${when.getDate()}`;

/** @param {Date} when @param {Date} now */
export function dayName(when, now) {
  if (dayKey(when) === dayKey(now)) return gettext("Today");
  if (dayKey(when) === dayKey(new Date(now.getTime() - DAY_MS))) return gettext("Yesterday");
  return (when.getFullYear() === now.getFullYear() ? dayThisYear : dayOtherYear).format(when);
}
