// @ts-check
/** Draws the log. */
import { el } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { Entries, timeOf } from "./entries.js";

/** @typedef {import("./entries.js").Entry} Entry */

const ARROWS = new Map([
  ["SEND", "→"],
  ["RESPONSE", "←"],
]);
/** Pixels from the end within which a reader counts as being there. */
const NEAR_END = 40;

export class LogView {
  #log;
  #list;
  #entries = new Entries();

  /** @param {HTMLElement} log the scrolling part @param {HTMLElement} list */
  constructor(log, list) {
    this.#log = log;
    this.#list = list;
  }

  /** Whether heartbeats are left out, of the copy too. */
  get hidesHeartbeats() {
    return this.#log.classList.contains("without-heartbeats");
  }

  set hidesHeartbeats(hides) {
    this.#log.classList.toggle("without-heartbeats", hides);
  }

  get text() {
    return this.#entries.text({ heartbeats: !this.hidesHeartbeats });
  }

  /** @param {Entry} entry */
  add(entry) {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    for (let gone = this.#entries.add(entry); gone > 0; gone--) this.#list.firstElementChild?.remove();
    this.#list.append(drawn(entry));
    if (wasAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  clear() {
    this.#entries.clear();
    this.#list.replaceChildren();
  }
}

/** @param {Entry} entry */
function drawn({ kind, at, summary, messages, bytes, isHeartbeat }) {
  return el(
    "li",
    { class: isHeartbeat ? "entry heartbeat" : "entry", "data-kind": kind },
    el(
      "div",
      { class: "what" },
      el("time", { datetime: new Date(at).toISOString() }, timeOf(at)),
      el("b", {}, kind),
      ARROWS.has(kind) ? el("span", { "aria-hidden": "true" }, ARROWS.get(kind) ?? "") : null,
      el("span", { class: "summary" }, summary),
    ),
    ...messages.map(({ fields, payload, note }) =>
      el(
        "div",
        { class: "message" },
        fields.length === 0 ? null : el("dl", {}, ...fields.map(drawnField)),
        payload === "" ? null : el("pre", { class: "payload" }, payload),
        note === null ? null : el("p", { class: "remark" }, note),
      ),
    ),
    bytes === "" ? null : drawnBytes(bytes),
  );
}

/** @param {[string, string]} field */
const drawnField = ([label, value]) => el("div", {}, el("dt", {}, label), el("dd", {}, value));

/** Filled when it is opened first: most are never looked at. @param {string} bytes */
function drawnBytes(bytes) {
  const details = el("details", {}, el("summary", {}, gettext("bytes")));
  details.addEventListener("toggle", () => details.append(el("pre", {}, bytes)), { once: true });
  return details;
}
