// @ts-check
/**
 * What is asked before a moderator does something, in words.
 *
 * @typedef {import("./deed.js").Question} Question
 * @typedef {import("../../types.js").Room} Room
 */
import { isolate } from "../../lib/dom.js";
import { gettext, interpolate } from "../../lib/i18n.js";
import { nameOf } from "../head.js";

/** Between two posts, where there was no wait before. */
const SLOW_SECONDS = 30;
/** What the server takes of a report. */
const MAX_REPORT = 500;

/** @type {Record<import("../../types.js").Deed, () => {title: string, effect: string, verb: string}>} */
const DEEDS = {
  mute: () => ({
    title: gettext("Mute %(name)s?"),
    effect: gettext("They may read, and say nothing. They are told why, until when, and where they may object."),
    verb: gettext("Mute"),
  }),
  ban: () => ({
    title: gettext("Ban %(name)s?"),
    effect: gettext("They may not enter. They are told why, until when, and where they may object."),
    verb: gettext("Ban"),
  }),
  kick: () => ({ title: gettext("Remove %(name)s from %(room)s?"), effect: "", verb: gettext("Remove") }),
  "remove-messages": () => ({
    title: gettext("Remove messages of %(name)s?"),
    effect: gettext("In place of each one stays a line that says so. For 30 days the log can take it back."),
    verb: gettext("Remove"),
  }),
};

/** @type {Record<import("../../types.js").Deed, import("./deed.js").Field[]>} */
const FIELDS = {
  mute: ["place", "end", "reason"],
  ban: ["place", "end", "reason"],
  kick: ["reason"],
  "remove-messages": ["place", "since", "reason"],
};

/**
 * @param {import("../../types.js").Deed} deed @param {{name: string}} person
 * @param {import("../../types.js").Place[]} places @param {Room|null} room
 * @returns {Question}
 */
export function deedQuestion(deed, { name }, places, room) {
  const { title, effect, verb } = DEEDS[deed]();
  const kicked =
    room?.kind === "public"
      ? gettext("The room stays closed to this person for ten minutes.")
      : gettext("This person can come back only with a new invitation.");
  return {
    title: interpolate(title, { name: isolate(name), room: room === null ? "" : nameOf(room) }),
    effect: deed === "kick" ? kicked : effect,
    verb,
    isGrave: true,
    fields: FIELDS[deed],
    places,
    room: room === null ? "" : nameOf(room),
  };
}

/** @param {"mute"|"ban"} kind @param {{name: string}} person @returns {Question} */
export function liftQuestion(kind, { name }) {
  const format = kind === "mute" ? gettext("Let %(name)s write again?") : gettext("Let %(name)s enter again?");
  const title = interpolate(format, { name: isolate(name) });
  return { title, effect: "", verb: gettext("End it"), fields: ["reason"] };
}

/** @param {string} author @returns {Question} */
export const reportQuestion = (author) => ({
  title: interpolate(gettext("Report this message of %(name)s?"), { name: isolate(author) }),
  effect: gettext("The moderators see it with what was said around it, and answer you."),
  verb: gettext("Report"),
  fields: ["reason"],
  reasonLabel: gettext("What is wrong with it?"),
  needsReason: true,
  maxReason: MAX_REPORT,
});

/** @type {Record<import("../../types.js").Switch, () => {title: string, effect: string, verb: string}>} */
const SWITCHES = {
  "read-only": () => ({
    title: gettext("Make %(room)s read-only?"),
    effect: gettext("Only moderators may post in it."),
    verb: gettext("Make read-only"),
  }),
  "write-again": () => ({
    title: gettext("Let everyone post in %(room)s again?"),
    effect: "",
    verb: gettext("Let everyone post"),
  }),
  "slow-mode": () => ({
    title: gettext("Slow mode in %(room)s"),
    effect: gettext("Each person waits between two posts. Moderators do not."),
    verb: gettext("Set"),
  }),
  calm: () => ({
    title: gettext("Calm the site?"),
    effect: gettext("On the whole site guests may read, and nothing else."),
    verb: gettext("Calm"),
  }),
  "end-calm": () => ({
    title: gettext("Let guests write again?"),
    effect: gettext("On the whole site."),
    verb: gettext("Let guests write"),
  }),
  "close-sign-up": () => ({
    title: gettext("Close sign-up?"),
    effect: gettext("Nobody gets a new account meanwhile. The site's settings open it again."),
    verb: gettext("Close sign-up"),
  }),
};
/** Where it is not an end and a reason. @type {Partial<Record<import("../../types.js").Switch, import("./deed.js").Field[]>>} */
const SWITCH_FIELDS = {
  "slow-mode": ["seconds", "end", "reason"],
  "write-again": ["reason"],
  "end-calm": ["reason"],
};

/** @param {import("../../types.js").Switch} name @param {Room} room @returns {Question} */
export function switchQuestion(name, room) {
  const { title, effect, verb } = SWITCHES[name]();
  return {
    title: interpolate(title, { room: nameOf(room) }),
    effect,
    verb,
    fields: SWITCH_FIELDS[name] ?? ["end", "reason"],
    seconds: room.slow_mode_seconds || SLOW_SECONDS,
  };
}

/** What the buttons are called that ask it. @param {import("../../types.js").Switch} name */
export const switchWords = (name) => LABELS[name]();

/** @type {Record<import("../../types.js").Switch, () => string>} */
const LABELS = {
  "read-only": () => gettext("Read-only…"),
  "write-again": () => gettext("End read-only…"),
  "slow-mode": () => gettext("Slow mode…"),
  calm: () => gettext("Calm the site…"),
  "end-calm": () => gettext("End the calm…"),
  "close-sign-up": () => gettext("Close sign-up…"),
};
