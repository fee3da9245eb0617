// @ts-check
/** What the log keeps, and how it reads as text. */
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { utf8 } from "./bytes.js";
import { dumped, readable } from "./readable.js";

export const MAX_ENTRIES = 500;

/**
 * @typedef {object} Shown one message of a frame
 * @property {Array<[string, string]>} fields
 * @property {string} payload
 * @property {string|null} note
 *
 * @typedef {object} Entry
 * @property {"OPEN"|"SEND"|"RESPONSE"|"CLOSE"|"ERROR"} kind
 * @property {number} at milliseconds, as of Date.now()
 * @property {string} summary
 * @property {Shown[]} messages
 * @property {string} bytes the frame in hex; empty without one
 * @property {boolean} isHeartbeat nothing but heartbeats
 */

/** @param {"OPEN"|"CLOSE"|"ERROR"} kind @param {string} summary @returns {Entry} */
export const eventEntry = (kind, summary) => ({
  kind,
  at: Date.now(),
  summary,
  messages: [],
  bytes: "",
  isHeartbeat: false,
});

/**
 * Keeps what is shown, not the frame: frames may be large, and there are many.
 * @param {"SEND"|"RESPONSE"} kind @param {import("./wires/wire.js").Frame} frame
 * @param {import("./wires/wire.js").Reading[]} readings @returns {Entry}
 */
export function frameEntry(kind, frame, readings) {
  const bytes = typeof frame === "string" ? utf8(frame) : frame;
  const size = interpolate(ngettext("%(count)s byte", "%(count)s bytes", bytes.length), { count: bytes.length });
  return {
    kind,
    at: Date.now(),
    summary: `${typeof frame === "string" ? gettext("text") : gettext("binary")}, ${size}`,
    messages: readings.map(({ fields, payload, note }) => ({
      fields,
      payload: payload === null ? "" : readable(payload),
      note,
    })),
    bytes: dumped(bytes),
    isHeartbeat: readings.every((each) => each.isHeartbeat),
  };
}

/** The newest entries, at most MAX_ENTRIES. */
export class Entries {
  /** @type {Entry[]} */
  list = [];

  /** Returns how many of the oldest made room. @param {Entry} entry */
  add(entry) {
    this.list.push(entry);
    return this.list.splice(0, this.list.length - MAX_ENTRIES).length;
  }

  clear() {
    this.list = [];
  }

  /** @param {{heartbeats: boolean}} shown */
  text({ heartbeats }) {
    return this.list
      .filter((entry) => heartbeats || !entry.isHeartbeat)
      .map(entryText)
      .join("\n");
  }
}

/** @param {Entry} entry */
function entryText({ kind, at, summary, messages }) {
  const lines = messages.flatMap(({ fields, payload, note }) => [
    ...fields.map(([label, value]) => `${label}: ${value}`),
    ...(payload === "" ? [] : payload.split("\n")),
    ...(note === null ? [] : [`(${note})`]),
  ]);
  return [`${timeOf(at)} ${kind} ${summary}`.trimEnd(), ...lines.map((line) => `  ${line}`)].join("\n");
}

/** Local time to the millisecond. @param {number} at */
export function timeOf(at) {
  const when = new Date(at);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const clock = [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(":");
  return `${clock}.${String(when.getMilliseconds()).padStart(3, "0")}`;
}
