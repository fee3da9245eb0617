// @ts-check
/** Which room is open: the one that the address names; and the ways into a room and out of it. */
import { goTo, hashOf, roomIn } from "../lib/address.js";
import { byId } from "../lib/dom.js";
import { gettext, interpolate } from "../lib/i18n.js";
import { CreateDialog } from "../view/dialogs/rooms.js";
import * as head from "../view/head.js";

/** @typedef {import("../state/store.js").RoomState} RoomState */

/** The room that was open last, for an address that names none. */
const LAST_ROOM = "room";

export class Navigation {
  /** The name in the address that no room of the list has. @type {string|null} */
  #missing = null;
  #parts;
  #createDialog;

  /**
   * @param {import("./parts.js").Parts & {reading: import("./reading.js").Reading,
   *   display: import("./display.js").Display, people: import("./people.js").People}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    this.#createDialog = new CreateDialog(byId("create-dialog"), (wanted) => this.#create(wanted));
    const { store, session, marks, reading, display } = parts;
    store.on("rooms", () => {
      const { room } = reading;
      if (session.me !== null) for (const each of store.list) marks.meet(each);
      display.showRooms();
      if (room === null) this.follow();
      else display.showHead(room);
    });
    store.on("renamed", (room) => {
      if (room !== reading.room) return;
      history.replaceState(null, "", hashOf(room.name));
      display.showHead(room);
    });
    store.on("gone", (room) => {
      if (room !== reading.room) return;
      // The address keeps naming it, so that this stays on the page until one goes elsewhere.
      this.#leaveTo(room.name);
      head.showGone(room.title);
    });
    addEventListener("hashchange", () => this.follow());
  }

  /** Opens the room that the address names; without a name, the one that was open last, or the first. */
  follow() {
    const { session, store, memory, reading } = this.#parts;
    const { me } = session;
    if (me === null) return;
    const name = roomIn(location.hash);
    const room = name === null ? (store.rooms.get(memory.get(LAST_ROOM)) ?? store.list[0]) : store.named(name);
    const create = me.can_create_rooms ? () => this.askToCreate(name ?? "") : null;
    if (room !== undefined) {
      if (name === null) history.replaceState(null, "", hashOf(room.name));
      this.#missing = null;
      if (room !== reading.room) this.#open(room);
    } else if (name === null) {
      this.#leaveTo(null);
      head.showNothing(create);
    } else if (name !== this.#missing) {
      this.#leaveTo(name);
      head.showMissing(name, { look: () => this.#look(name), create });
    }
  }

  /** Goes along the list. @param {number} move @param {boolean} unseenOnly */
  step(move, unseenOnly) {
    const { store, marks, reading } = this.#parts;
    const { list } = store;
    const at = list.findIndex((room) => room === reading.room);
    for (let i = 1; i <= list.length; i++) {
      const room = list[(at + move * i + list.length * 2) % list.length];
      if (unseenOnly && marks.unseen(room) === 0) continue;
      goTo(room.name);
      return;
    }
  }

  /** @param {string} [name] */
  askToCreate(name) {
    this.#createDialog.ask(name);
  }

  /** @param {RoomState} room */
  async leave(room) {
    const { request, store } = this.#parts;
    await request("leave-room", { room: room.name });
    history.replaceState(null, "", location.pathname);
    store.drop(room);
    this.follow();
  }

  /** @param {{name: string, topic: string, kind: string}} wanted */
  async #create(wanted) {
    const { request, store } = this.#parts;
    const room = store.setRoom(await request("create-room", wanted));
    this.#missing = null;
    goTo(room.name);
  }

  /** A public room that one does not belong to. Answers why it was not found. @param {string} name */
  async #look(name) {
    const { request, store } = this.#parts;
    try {
      store.setRoom(await request("join-room", { room: name }));
    } catch (error) {
      const reason = /** @type {Error} */ (error).message;
      return interpolate(gettext("Not found: %(reason)s."), { reason });
    }
    this.#missing = null;
    this.follow();
    return "";
  }

  /** @param {RoomState} room */
  #open(room) {
    const { memory, drawers, composer, reading, display, people } = this.#parts;
    memory.set(LAST_ROOM, room.id);
    drawers.close();
    this.#clear();
    reading.open(room);
    composer.begin(this.#draftOf(room));
    display.showHead(room);
    display.showRooms();
    people.learn();
    // On a phone the keyboard would cover what one came to read.
    if (matchMedia("(pointer: fine)").matches) composer.focus();
  }

  /** No room is open. @param {string|null} name what the address asks for */
  #leaveTo(name) {
    this.#missing = name;
    this.#clear();
    this.#parts.reading.open(null);
    head.showNoRoom(name);
    this.#parts.display.showRooms();
  }

  #clear() {
    this.#parts.toolbar.detach();
    this.#parts.people.clear();
  }

  /** @param {RoomState} room */
  #draftOf(room) {
    const { text, replyTo } = this.#parts.drafts.get(room.id);
    if (replyTo === null) return { text, replyTo: null };
    const quote = this.#parts.quotes.of(room, replyTo);
    return {
      text,
      replyTo: { seq: replyTo, author: quote?.author ?? gettext("a message"), body: quote?.text ?? "" },
    };
  }
}
