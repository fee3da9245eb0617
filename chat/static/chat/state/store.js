// @ts-check
import { Emitter } from "../lib/emitter.js";
import { MAX_WINDOW, RoomLog } from "./log.js";

/**
 * @typedef {import("../types.js").Message} Message
 * @typedef {import("../types.js").Room} Room
 */

/** Conversations kept in memory beside the open one; the others are loaded again when they are opened. */
const KEPT_LOGS = 5;

/** A room as the page knows it: the server's words, and the conversation if it was opened. */
export class RoomState {
  /** @type {RoomLog|null} */
  log = null;
  /** The version that the server last spoke of. */
  heard = 0;

  /** @param {Room} facts */
  constructor(facts) {
    this.facts = facts;
    this.heard = facts.version;
    this.posts = facts.posts;
  }

  get id() {
    return this.facts.id;
  }

  get name() {
    return this.facts.name;
  }

  get title() {
    return this.facts.title;
  }

  /** Whether its conversation is older than the version that was heard of. */
  get isBehind() {
    return this.log !== null && (this.log.isBehind || this.heard > this.log.version);
  }
}

/**
 * Rooms and their conversations: what notifications and answers say is merged here, and only here.
 *
 * Events: "rooms" when the list may have changed, "gone" (RoomState) for a room that left it, "renamed"
 * (RoomState), "posted" (RoomState, Message) for each message that is new or was missed, "changed"
 * (RoomState, Message[]) for those that were edited, removed or reacted to, "log" (RoomState) when a conversation
 * may show it, "behind" (RoomState) when something of it was missed.
 */
export class Store extends Emitter {
  /** @type {Map<number, RoomState>} by key, as a room may be renamed */
  rooms = new Map();
  /** @type {number[]} keys of rooms with a conversation, the last opened at the end */
  #opened = [];

  /** @param {string} name */
  named(name) {
    for (const room of this.rooms.values()) if (room.name === name) return room;
    return undefined;
  }

  /** As they are listed: rooms, then direct rooms, the archived ones last; each by age. @returns {RoomState[]} */
  get list() {
    const rank = (/** @type {RoomState} */ { facts }) => (facts.kind === "direct" ? 2 : 0) + Number(facts.archived);
    return [...this.rooms.values()].sort((a, b) => rank(a) - rank(b) || a.id - b.id);
  }

  /** The `rooms` notification: the whole list, by name. @param {Record<string, Room>} byName */
  setRooms(byName) {
    const listed = new Map(Object.values(byName).map((facts) => [facts.id, facts]));
    const gone = [...this.rooms.values()].filter((room) => !listed.has(room.id));
    for (const room of gone) this.#remove(room);
    const renamed = [];
    for (const facts of listed.values()) {
      const known = this.rooms.get(facts.id);
      if (known !== undefined && known.name !== facts.name) renamed.push(known);
      this.setRoom(facts);
    }
    for (const room of renamed) this.emit("renamed", room);
    for (const room of gone) this.emit("gone", room);
    this.emit("rooms");
  }

  /** One room, as an answer brings it. @param {Room} facts */
  setRoom(facts) {
    let room = this.rooms.get(facts.id);
    if (room === undefined) {
      room = new RoomState(facts);
      this.rooms.set(facts.id, room);
    }
    room.facts = facts;
    room.posts = Math.max(room.posts, facts.posts);
    this.#heard(room, facts.version);
    return room;
  }

  /** Takes a room off the list that the server says is gone. @param {RoomState} room */
  drop(room) {
    if (this.rooms.get(room.id) !== room) return;
    this.#remove(room);
    this.emit("gone", room);
    this.emit("rooms");
  }

  /** The `newmsg` notification. @param {string} name @param {Message} message */
  hearPost(name, message) {
    const room = this.rooms.get(message.room_id) ?? this.named(name);
    if (room === undefined) return;
    room.posts = Math.max(room.posts, message.number);
    this.#hear(room, message.version, [message]);
    this.emit("posted", room, message);
  }

  /** The `changed` notification. @param {string} name @param {number} version @param {Message[]} messages */
  hearChange(name, version, messages) {
    const room = this.rooms.get(messages[0]?.room_id) ?? this.named(name);
    // A room that was just renamed is known by its new name when the list comes.
    if (room === undefined) return;
    this.#hear(room, version, messages);
    this.emit("changed", room, messages);
  }

  /**
   * A message that an answer brought (`edit-message`, `react`): shown without waiting for the notification.
   * @param {Message} message
   */
  patch(message) {
    const room = this.rooms.get(message.room_id);
    if (room?.log?.find(message.seq) === undefined) return;
    // Not the room's version: what lies between may still be on its way.
    room.log.hear(0, [message]);
    this.emit("log", room);
  }

  /**
   * Something of this version was done here: its notification is on its way.
   * @param {RoomState} room @param {number} version
   */
  expect(room, version) {
    this.#heard(room, version);
  }

  /** The conversation of a room, made when it is opened. @param {RoomState} room */
  open(room) {
    room.log ??= new RoomLog(room.heard);
    this.#opened = [...this.#opened.filter((id) => id !== room.id), room.id];
    for (const id of this.#opened.splice(0, this.#opened.length - KEPT_LOGS)) {
      const left = this.rooms.get(id);
      if (left !== undefined) left.log = null;
    }
    return room.log;
  }

  /** The whole answer of `sync`. @param {RoomState} room @param {number} version @param {Message[]} messages */
  caughtUp(room, version, messages) {
    room.heard = Math.max(room.heard, version);
    room.log?.catchUp(version, messages);
    for (const message of messages) {
      room.posts = Math.max(room.posts, message.number);
      this.emit("posted", room, message);
    }
    this.emit("changed", room, messages);
    this.emit("log", room);
  }

  /** Rooms whose conversation is older than the version that was heard of. */
  get behind() {
    return [...this.rooms.values()].filter((room) => room.isBehind);
  }

  /** @param {RoomState} room @param {number} version @param {Message[]} messages */
  #hear(room, version, messages) {
    room.heard = Math.max(room.heard, version);
    if (room.log === null) return;
    if (room.log.hear(version, messages)) this.emit("log", room);
    // The open room's window is trimmed with regard to what its reader sees; this is for the others.
    if (room.log.messages.length > 2 * MAX_WINDOW) room.log.trimStart();
    if (room.log.isBehind) this.emit("behind", room);
  }

  /** @param {RoomState} room @param {number} version */
  #heard(room, version) {
    room.heard = Math.max(room.heard, version);
    // The notifications that make it so may be on their way: the listener waits a moment.
    if (room.isBehind) this.emit("behind", room);
  }

  /** @param {RoomState} room */
  #remove(room) {
    this.rooms.delete(room.id);
    this.#opened = this.#opened.filter((id) => id !== room.id);
  }
}
