// @ts-check
/**
 * One line of the conversation as nodes: a message, a post that is not confirmed, or what stands between.
 *
 * @typedef {import("../../types.js").Message} Message
 * @typedef {import("../../types.js").Me} Me
 * @typedef {import("../../types.js").Entry} Entry
 * @typedef {import("../../types.js").Quote} Quote
 */
import { avatar } from "../avatar.js";
import { bodyNodes } from "./body.js";
import { el, icon, isolate, isolated } from "../../lib/dom.js";
import { gettext, interpolate, ngettext } from "../../lib/i18n.js";
import { clockTime, fullTime, shortTime } from "../../lib/time.js";

/** Ways that need not be told: the page itself, and what was there from the start. */
const PLAIN_DOORS = new Set(["web", "seed"]);

/**
 * @param {Message} message
 * @param {{isFirst: boolean, isOpen: boolean, isConcerned: boolean, me: Me|null, quote: Quote,
 *   nameOf: (id: number) => string|undefined}} context
 *   `isFirst`: of a run of messages by one author, so that it shows who that is; `isOpen`: all of a long text is
 *   shown; `isConcerned`: one is writing about it
 */
export function messageNode(message, { isFirst, isOpen, isConcerned, me, quote, nameOf }) {
  const isMine = me !== null && me.id === message.author_id;
  const node = el("li", {
    class: classes({ message: true, first: isFirst, mine: isMine, removed: message.deleted, concern: isConcerned }),
    tabindex: -1,
    "data-seq": message.seq,
    "data-state": "sent",
  });
  const when = new Date(message.at);
  if (message.reply_to !== null && !message.deleted) node.append(quoteNode(message.reply_to, quote));
  node.append(isFirst ? avatar(message.author) : timeNode(when, shortTime));
  const content = el("div", { class: "content" }, byLine(message.author, isFirst, when, tagsOf(message), !isMine));
  if (message.deleted) {
    content.append(el("div", { class: "body" }, gettext("message removed")));
  } else {
    const marks = message.edited_at === null ? [] : [" ", editedMark(message.edited_at)];
    content.append(...bodyNodes(message.body, isOpen, ...marks));
    const reactions = reactionsNode(message, me, nameOf);
    if (reactions !== null) content.append(reactions);
  }
  node.append(content);
  return node;
}

/** @param {Record<string, boolean>} given */
function classes(given) {
  return Object.keys(given)
    .filter((name) => given[name])
    .join(" ");
}

/**
 * @param {Entry} entry
 * @param {{isFirst: boolean, isOpen: boolean, myName: string, quote: Quote, isOnline: boolean, now: number}} context
 */
export function pendingNode(entry, { isFirst, isOpen, myName, quote, isOnline, now }) {
  const state = entry.state === "waiting" ? "sending" : entry.state;
  const node = el("li", {
    class: classes({ message: true, pending: true, mine: true, first: isFirst, failed: state === "failed" }),
    tabindex: -1,
    "data-client-id": entry.clientId,
    "data-state": state,
  });
  const when = new Date(entry.at);
  if (entry.replyTo !== null) node.append(quoteNode(entry.replyTo, quote));
  node.append(isFirst ? avatar(myName) : timeNode(when, shortTime));
  node.append(
    el(
      "div",
      { class: "content" },
      byLine(myName, isFirst, when, [], false),
      ...bodyNodes(entry.body, isOpen),
      stateNode(entry, isOnline, now),
    ),
  );
  return node;
}

/** Removed messages that follow each other. @param {Message[]} messages */
export function removedNode(messages) {
  const words = ngettext("%(n)s message removed", "%(n)s messages removed", messages.length);
  return el(
    "li",
    {
      class: "message removed",
      tabindex: -1,
      "data-seq": messages[messages.length - 1].seq,
      "data-state": "sent",
    },
    el("div", { class: "content" }, el("div", { class: "body" }, interpolate(words, { n: messages.length }))),
  );
}

/** @param {string} text @param {string} [kind] */
export function lineNode(text, kind = "") {
  return el(
    "li",
    {},
    el("div", { class: `day ${kind}`.trim(), role: "separator", "aria-label": text }, el("span", {}, text)),
  );
}

/** @param {Entry} entry @param {boolean} isOnline @param {number} now */
function stateNode(entry, isOnline, now) {
  const isBrief =
    entry.state === "sent" ||
    entry.state === "sending" ||
    (isOnline && entry.due <= now && entry.state !== "failed");
  const state = el("div", { class: isBrief ? "state brief" : "state" });
  if (entry.state === "failed") {
    state.append(
      interpolate(gettext("Not sent: %(reason)s."), { reason: entry.reason }),
      " ",
      el("button", { type: "button", class: "link", "data-retry": entry.clientId }, gettext("Try again")),
      " ",
      el("button", { type: "button", class: "link", "data-discard": entry.clientId }, gettext("Discard")),
    );
  } else if (entry.state === "waiting" && entry.due > now) {
    const seconds = Math.max(1, Math.ceil((entry.due - now) / 1000));
    state.append(
      interpolate(
        ngettext(
          "Waiting: %(reason)s. Goes out in %(n)s second.",
          "Waiting: %(reason)s. Goes out in %(n)s seconds.",
          seconds,
        ),
        { reason: entry.reason, n: seconds },
      ),
    );
  } else if (entry.state === "sent") {
    state.append(gettext("Sent"));
  } else {
    state.append(isOnline ? gettext("Sending…") : gettext("Waiting for the connection"));
  }
  return state;
}

/**
 * @param {string} author @param {boolean} isFirst @param {Date} when @param {string[]} tags
 * @param {boolean} hasCard whether the name opens the card of the person
 */
function byLine(author, isFirst, when, tags, hasCard) {
  if (!isFirst) return el("span", { class: "visually-hidden" }, isolated(author), ": ");
  return el(
    "div",
    { class: "by" },
    el("b", {}, hasCard ? authorNode(author) : isolated(author)),
    ...tags.map((tag) => el("span", { class: "tag" }, tag)),
    timeNode(when),
  );
}

/** @param {string} author */
const authorNode = (author) =>
  el("button", { type: "button", class: "author", "data-author": true, "aria-haspopup": "dialog" }, isolated(author));

/** @param {Message} message */
function tagsOf(message) {
  const tags = [];
  if (message.is_bot) tags.push(gettext("bot"));
  if (!PLAIN_DOORS.has(message.via)) tags.push(interpolate(gettext("over %(door)s"), { door: message.via }));
  return tags;
}

/** @param {Date} when @param {(when: Date) => string} [format] */
const timeNode = (when, format = clockTime) =>
  el("time", { datetime: when.toISOString(), title: fullTime(when) }, format(when));

/** @param {string} at */
const editedMark = (at) => el("span", { class: "edited", title: fullTime(new Date(at)) }, gettext("(edited)"));

/** @param {number} seq @param {Quote} quote */
function quoteNode(seq, quote) {
  const words = el("span", {});
  if (quote === undefined) words.append("…");
  else if (quote === null) words.append(gettext("message removed"));
  else words.append(isolated(quote.author), ": ", isolated(quote.text));
  return el(
    "button",
    { type: "button", class: "reply", "data-jump": seq, title: gettext("Go to this message") },
    words,
  );
}

/** @param {Message} message @param {Me|null} me @param {(id: number) => string|undefined} nameOf */
function reactionsNode(message, me, nameOf) {
  const reactions = Object.entries(message.reactions).filter(([, users]) => users.length > 0);
  if (reactions.length === 0) return null;
  const row = el("div", { class: "reactions" });
  for (const [emoji, users] of reactions) {
    const isMine = me !== null && me.id !== null && users.includes(me.id);
    row.append(
      el(
        "button",
        {
          type: "button",
          class: isMine ? "mine" : "",
          "aria-pressed": String(isMine),
          "data-emoji": emoji,
          title: whoReacted(users, nameOf),
          "aria-label": interpolate(ngettext("%(emoji)s, %(n)s person", "%(emoji)s, %(n)s people", users.length), {
            emoji,
            n: users.length,
          }),
        },
        el("span", { class: "emoji" }, emoji),
        ` ${users.length}`,
      ),
    );
  }
  row.append(
    el(
      "button",
      { type: "button", class: "add", "data-add-reaction": true, "aria-label": gettext("React") },
      icon("smile"),
    ),
  );
  return row;
}

/** @param {number[]} users @param {(id: number) => string|undefined} nameOf */
function whoReacted(users, nameOf) {
  const names = users
    .map(nameOf)
    .filter((name) => name !== undefined)
    .map((name) => isolate(/** @type {string} */ (name)));
  const others = users.length - names.length;
  if (others > 0) names.push(interpolate(ngettext("%(n)s other person", "%(n)s others", others), { n: others }));
  return new Intl.ListFormat(undefined).format(names);
}
