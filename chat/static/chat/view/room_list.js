// @ts-check
/**
 * The list of rooms on the left.
 *
 * @typedef {import("../state/store.js").RoomState} RoomState
 */
import { hashOf } from "../lib/address.js";
import { el, icon } from "../lib/dom.js";
import { gettext, interpolate, ngettext } from "../lib/i18n.js";
import { assignLetters, isMac } from "./letters.js";

/** More than this need not be told apart. */
const MOST_COUNTED = 99;

export class RoomList {
  /** @type {Map<string, number>} letter → key of the room */
  letters = new Map();
  /** @type {number[]} keys of the rooms as they stand in the list */
  ids = [];
  #parts;
  #marks;
  #drafts;
  #drawn = "";

  /**
   * @param {{rooms: HTMLElement, direct: HTMLElement, directTitle: HTMLElement}} parts
   * @param {import("../state/marks.js").Marks} marks @param {import("../state/drafts.js").Drafts} drafts
   */
  constructor(parts, marks, drafts) {
    this.#parts = parts;
    this.#marks = marks;
    this.#drafts = drafts;
  }

  /** @param {RoomState[]} rooms @param {RoomState|null} open */
  show(rooms, open) {
    const rank = (/** @type {RoomState} */ { facts }) => (facts.kind === "direct" ? 2 : 0) + Number(facts.archived);
    const ordered = [...rooms].sort((a, b) => rank(a) - rank(b));
    this.ids = ordered.map((room) => room.id);
    const byTitle = new Map([...ordered].reverse().map((room) => [room.title, room]));
    const letters = assignLetters(
      ordered.filter((room) => byTitle.get(room.title) === room).map((room) => room.title),
      isMac(navigator),
    );
    // A person may be called as a room is, which comes first.
    const letterOf = (/** @type {RoomState} */ room) =>
      byTitle.get(room.title) === room ? letters.get(room.title) : undefined;
    this.letters = new Map(
      ordered.flatMap((room) => {
        const given = letterOf(room);
        return given === undefined ? [] : [[given.letter, room.id]];
      }),
    );
    const lines = ordered.map((room) => ({
      room,
      unseen: this.#marks.unseen(room),
      hasDraft: room !== open && this.#drafts.has(room.id),
      isOpen: room === open,
      at: letterOf(room)?.index ?? -1,
    }));
    // The list is drawn for each post heard anywhere; most change nothing in it.
    const drawn = JSON.stringify(
      lines.map(({ room, ...rest }) => [
        room.facts.id,
        room.name,
        room.title,
        room.facts.kind,
        room.facts.muted,
        room.facts.archived,
        rest,
      ]),
    );
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset?.room;
    const isDirect = (/** @type {RoomState} */ room) => room.facts.kind === "direct";
    this.#parts.rooms.replaceChildren(...lines.filter(({ room }) => !isDirect(room)).map(roomNode));
    this.#parts.direct.replaceChildren(...lines.filter(({ room }) => isDirect(room)).map(roomNode));
    this.#parts.directTitle.hidden = !ordered.some(isDirect);
    if (focused !== undefined) {
      /** @type {HTMLElement|null} */ (
        document.querySelector(`.room[data-room="${CSS.escape(focused)}"]`)
      )?.focus();
    }
  }
}

/** What stands before a room's name. @param {import("../types.js").Room} facts */
export function roomMark(facts) {
  if (facts.kind === "private") return el("span", { class: "hash", title: gettext("Private room") }, icon("lock"));
  return el("span", { class: "hash", "aria-hidden": "true" }, facts.kind === "direct" ? "@" : "#");
}

/** @param {{room: RoomState, unseen: number, hasDraft: boolean, isOpen: boolean, at: number}} line */
function roomNode({ room, unseen, hasDraft, isOpen, at }) {
  const { facts } = room;
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
  return el("li", {}, link);
}

/** @param {string} name @param {number} at where its letter stands, -1 for none */
function nameNode(name, at) {
  if (at < 0) return el("bdi", { class: "name" }, name);
  return el("bdi", { class: "name" }, name.slice(0, at), el("u", {}, name[at]), name.slice(at + 1));
}
