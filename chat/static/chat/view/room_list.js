// @ts-check
/**
 * The lists of rooms, and of direct rooms, on the left.
 *
 * @typedef {{facts: import("../types.js").Room, unseen: number, hasDraft: boolean, isOpen: boolean,
 *   asks: number|null}} Listed `asks`: the key of the other person, where they ask to be a contact
 * @typedef {Listed & {at: number}} Line `at`: where its letter stands in the title, -1 for none
 */
import { hashOf } from "../lib/address.js";
import { el, icon } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { answers } from "./answers.js";
import { avatar } from "./avatar.js";
import { assignLetters, isMac } from "./letters.js";

/** More than this need not be told apart. */
const MOST_COUNTED = 99;

export class RoomList {
  /** @type {Map<string, number>} letter → key of the room */
  letters = new Map();
  #parts;
  #drawn = "";

  /** @param {{rooms: HTMLElement, direct: HTMLElement}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {Listed[]} rooms in the order of the list */
  show(rooms) {
    const positions = this.#assignLetters(rooms);
    const lines = rooms.map((room) => ({ ...room, at: positions.get(room.facts.id) ?? -1 }));
    // The list is drawn for each post heard anywhere; most change nothing in it.
    const drawn = JSON.stringify(lines.map(whatIsSeen));
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset?.room;
    this.#parts.rooms.replaceChildren(...lines.filter((room) => !isDirect(room)).map(roomNode));
    this.#parts.direct.replaceChildren(...lines.filter(isDirect).map(roomNode));
    if (focused !== undefined) {
      /** @type {HTMLElement|null} */ (
        document.querySelector(`.room[data-room="${CSS.escape(focused)}"]`)
      )?.focus();
    }
  }

  /** @param {Listed[]} rooms @returns {Map<number, number>} key of the room → where its letter stands in the title */
  #assignLetters(rooms) {
    // A person may be called as a room is, which comes first.
    const byTitle = new Map([...rooms].reverse().map(({ facts }) => [facts.title, facts.id]));
    const titled = rooms.filter(({ facts }) => byTitle.get(facts.title) === facts.id);
    const letters = assignLetters(
      titled.map(({ facts }) => facts.title),
      isMac(navigator),
    );
    const given = titled.flatMap(({ facts }) => {
      const found = letters.get(facts.title);
      return found === undefined ? [] : [{ id: facts.id, ...found }];
    });
    this.letters = new Map(given.map(({ letter, id }) => [letter, id]));
    return new Map(given.map(({ id, index }) => [id, index]));
  }
}

/** @param {Listed} room */
const isDirect = ({ facts }) => facts.kind === "direct";

/** @param {Line} line */
const whatIsSeen = ({ facts: { id, name, title, kind, topic, muted, archived, reports }, ...rest }) => [
  ...[id, name, title, kind, topic, muted, archived, reports],
  rest,
];

/** @param {number} reports that wait for an answer */
export const reportWords = (reports) =>
  interpolate(ngettext("%(n)s report", "%(n)s reports", reports), { n: reports });

/** @param {number} reports */
const heardOnly = (reports) => el("span", { class: "visually-hidden" }, reportWords(reports));

/** What stands before a room's name. @param {import("../types.js").Room} facts */
export function roomMark(facts) {
  if (facts.kind === "direct") return avatar(facts.title);
  if (facts.kind === "private") return el("span", { class: "hash", title: gettext("Private room") }, icon("lock"));
  return el("span", { class: "hash", "aria-hidden": "true" }, "#");
}

/** @param {Line} line */
function roomNode({ facts, unseen, hasDraft, isOpen, asks, at }) {
  const kind = [
    "room",
    unseen > 0 && !facts.muted ? "unread" : "",
    facts.archived ? "archived" : "",
    facts.muted ? "muted" : "",
  ];
  const link = el(
    "a",
    {
      class: kind.filter(Boolean).join(" "),
      href: hashOf(facts.name),
      "data-room": facts.id,
      "aria-current": isOpen ? "page" : null,
      title: facts.topic === "" ? null : facts.topic,
    },
    roomMark(facts),
    nameNode(facts.title, at),
  );
  if (hasDraft) link.append(el("span", { class: "draft", title: gettext("Not sent yet") }, icon("edit")));
  if (facts.reports > 0)
    link.append(el("span", { class: "flag", title: reportWords(facts.reports) }, icon("flag"), heardOnly(facts.reports)));
  if (unseen > 0) {
    link.append(
      el(
        "span",
        { class: "count" },
        el("span", { "aria-hidden": "true" }, unseen > MOST_COUNTED ? `${MOST_COUNTED}+` : String(unseen)),
        el(
          "span",
          { class: "visually-hidden" },
          interpolate(ngettext("%(n)s unread", "%(n)s unread", unseen), { n: unseen }),
        ),
      ),
    );
  }
  return el("li", { class: facts.kind }, link, ...(asks === null ? [] : answers(asks, facts.title)));
}

/** @param {string} name @param {number} at where its letter stands, -1 for none */
function nameNode(name, at) {
  if (at < 0) return el("bdi", { class: "name" }, name);
  return el("bdi", { class: "name" }, name.slice(0, at), el("u", {}, name[at]), name.slice(at + 1));
}
