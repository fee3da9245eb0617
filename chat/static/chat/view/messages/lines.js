// @ts-check
/**
 * How messages stand on the page: with a line where a day begins and where the unseen begin, and grouped, so
 * that a run of one author's messages shows the name once, and a run of removed messages is one line.
 *
 * @typedef {import("../../types.js").Message} Message
 * @typedef {import("../../types.js").Entry} Entry
 * @typedef {{kind: "day", key: string, when: Date} | {kind: "new", key: string}
 *   | {kind: "message", key: string, isFirst: boolean, message: Message}
 *   | {kind: "removed", key: string, messages: Message[]}
 *   | {kind: "pending", key: string, isFirst: boolean, entry: Entry}} Item
 */
import { dayKey } from "../../lib/time.js";

/** A run of one author's messages longer than this shows the name, and the time, again. */
const GROUP_MS = 5 * 60 * 1000;

/**
 * @param {Message[]} messages @param {Entry[]} entries
 * @param {{newAfter: number|null, myId: number|null, myName: string}} reader
 *   `newAfter`: the number of the last post that they have seen
 * @returns {Item[]}
 */
export function layOut(messages, entries, { newAfter, myId, myName }) {
  /** @type {Item[]} */
  const items = [];
  const days = new Set();
  let day = "";
  let hasNewLine = newAfter === null;
  /** The first message of the present run. @type {{author: number|null, name: string, when: number}|null} */
  let run = null;

  /** @param {Date} when @param {number|string} id */
  const begin = (when, id) => {
    if (dayKey(when) === day) return;
    day = dayKey(when);
    // A clock that was set back may bring a day twice.
    items.push({ kind: "day", key: days.has(day) ? `d${day}-${id}` : `d${day}`, when });
    days.add(day);
    run = null;
  };

  for (const message of messages) {
    const when = new Date(message.at);
    begin(when, message.seq);
    if (!hasNewLine && newAfter !== null && message.number > newAfter && message.author_id !== myId) {
      items.push({ kind: "new", key: "new" });
      hasNewLine = true;
      run = null;
    }
    const isFirst =
      run === null ||
      message.reply_to !== null ||
      run.author !== message.author_id ||
      run.name !== message.author ||
      when.getTime() - run.when > GROUP_MS;
    items.push({ kind: "message", key: `m${message.seq}`, isFirst, message });
    if (isFirst) run = { author: message.author_id, name: message.author, when: when.getTime() };
  }

  for (const entry of entries) {
    const when = new Date(entry.at);
    begin(when, entry.clientId);
    /** @type {{author: number|null, name: string, when: number}|null} */
    const before = run;
    const isFirst =
      before === null ||
      entry.replyTo !== null ||
      before.author !== myId ||
      before.name !== myName ||
      entry.at - before.when > GROUP_MS;
    items.push({ kind: "pending", key: `p${entry.clientId}`, isFirst, entry });
    if (isFirst) run = { author: myId, name: myName, when: entry.at };
  }
  return withoutRuns(items);
}

/** Removed messages that follow each other become one item; what comes after them shows its author again. */
/** @param {Item[]} items @returns {Item[]} */
function withoutRuns(items) {
  /** @type {Item[]} */
  const left = [];
  let at = 0;
  while (at < items.length) {
    const messages = removedFrom(items, at);
    const item = items[at];
    if (messages.length < 2) {
      const follows = left[left.length - 1]?.kind === "removed" && "isFirst" in item;
      left.push(follows ? { ...item, isFirst: true } : item);
      at++;
    } else {
      left.push({ kind: "removed", key: `r${messages[0].seq}`, messages });
      at += messages.length;
    }
  }
  return left;
}

/** @param {Item[]} items @param {number} at */
function removedFrom(items, at) {
  const messages = [];
  for (let i = at; i < items.length; i++) {
    const item = items[i];
    if (item.kind !== "message" || !item.message.deleted) break;
    messages.push(item.message);
  }
  return messages;
}
