// @ts-check
/** Draws what is around the conversation: the list of rooms, the head, one's own name. */
import { byId, within } from "../lib/dom.js";
import { oncePerFrame } from "../lib/frame.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { otherIn } from "../state/direct.js";
import { paint } from "../view/avatar.js";
import * as head from "../view/head.js";
import { whyClosed } from "../view/sayings.js";

/** @typedef {import("../state/store.js").RoomState} RoomState */

export class Display {
  /** The list of rooms and the title, soon. */
  showRooms = oncePerFrame(() => this.#drawRooms());
  #parts;

  /**
   * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
   *   unseen: import("./unseen.js").Unseen}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    parts.store.on("posted", () => this.showRooms());
    parts.contacts.on("change", () => this.showRooms());
    parts.unseen.on("read", () => this.showRooms());
  }

  /** @param {RoomState} room */
  showHead({ facts }) {
    const { composer, connection, session } = this.#parts;
    const { closed } = facts;
    head.showRoom(facts);
    composer.label = interpolate(gettext("Message %(room)s"), { room: head.nameOf(facts) });
    if (connection.isEnded) composer.close(gettext("The connection has ended."));
    else composer.close(closed === null ? "" : whyClosed(closed, session.me?.objections ?? "", new Date()));
  }

  /** The connection has ended for good. */
  showEnd() {
    const { room } = this.#parts.reading;
    if (room !== null) this.showHead(room);
    else head.showEnd();
  }

  showMe() {
    const { me } = this.#parts.session;
    if (me === null) return;
    const button = byId("me");
    button.hidden = false;
    paint(within(button, ".avatar"), me.name);
    within(button, "bdi").textContent = me.name;
    byId("create-room").hidden = !me.can_create_rooms;
  }

  /**
   * Does something for the person; says beside the composer if it fails. Returns whether it is done.
   * @param {() => Promise<void>} action
   */
  async attempt(action) {
    try {
      await action();
      return true;
    } catch (error) {
      const reason = /** @type {Error} */ (error).message;
      this.#parts.composer.mention(interpolate(gettext("That did not work: %(reason)s."), { reason }));
      return false;
    }
  }

  #drawRooms() {
    const { session, store, marks, drafts, contacts, roomList, contactList, reading } = this.#parts;
    const { list } = store;
    const open = reading.room;
    const others = new Map(list.map((room) => [room, otherIn(room.facts, session.id)]));
    roomList.show(
      list.map((room) => ({
        facts: room.facts,
        unseen: marks.unseen(room),
        hasDraft: room !== open && drafts.has(room.id),
        isOpen: room === open,
        asks: contacts.stateOf(others.get(room) ?? 0) === "asked" ? (others.get(room) ?? null) : null,
      })),
    );
    // Nobody stands there twice: who has a direct room is listed by it.
    const listed = new Set(others.values());
    contactList.show(
      contacts.list.filter(({ id }) => !listed.has(id)),
      {
        requests: contacts.requests,
        hasAccount: session.id !== null,
        hasRooms: list.some(({ facts }) => facts.kind === "direct"),
      },
    );
    const heard = list.filter((room) => !room.facts.muted);
    const elsewhere = heard.filter((room) => room !== open);
    const count = (/** @type {RoomState[]} */ rooms) => rooms.reduce((sum, room) => sum + marks.unseen(room), 0);
    const reports = list.reduce((sum, room) => sum + (room === open ? 0 : room.facts.reports), 0);
    const { requests } = contacts;
    head.showCounts(open?.facts ?? null, count(heard), count(elsewhere), { requests, reports });
  }
}
