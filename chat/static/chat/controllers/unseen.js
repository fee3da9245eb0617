// @ts-check
/**
 * What the reader of the open room has not seen: where it begins, and what they read before our eyes.
 *
 * @typedef {import("../state/store.js").RoomState} RoomState
 */
import { Emitter } from "../lib/emitter.js";

/** Events: "read" (RoomState) when the reader has seen further, "attention" when they came back, or left. */
export class Unseen extends Emitter {
  /** @type {number|null} the number of the last post that was seen before the reader left */
  newAfter = null;
  #session;
  #marks;
  #conversation;
  /** @type {RoomState|null} */
  #room = null;

  /** @param {import("./parts.js").Parts} parts */
  constructor({ session, marks, conversation }) {
    super();
    this.#session = session;
    this.#marks = marks;
    this.#conversation = conversation;
    document.addEventListener("visibilitychange", () => this.#attention());
    addEventListener("focus", () => this.#attention());
    addEventListener("blur", () => this.#attention());
  }

  /** The page is before the reader's eyes. */
  get isAttentive() {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  /** Another room is open, or none. @param {RoomState|null} room */
  begin(room) {
    this.#room = room;
    if (room !== null) this.newAfter = this.#marks.unseen(room) > 0 ? this.#marks.readPosts(room.id) : null;
  }

  /** What is in view before the reader's eyes is read. */
  look() {
    const room = this.#room;
    if (room?.log == null || !room.log.isLoaded || !this.isAttentive || this.#marks.unseen(room) === 0) return;
    const isAllSeen = this.#conversation.isAtEnd && room.log.atEnd;
    const seen = isAllSeen ? room.log.last : room.log.find(this.#conversation.lastSeen);
    // Posts that were erased for good leave numbers behind that are never seen: at the end, all is.
    const posts = isAllSeen ? room.posts : seen?.number;
    if (posts !== undefined && this.#marks.read(room.id, seen?.seq ?? 0, posts)) this.emit("read", room);
  }

  /** A post came, in any room. @param {RoomState} room @param {import("../types.js").Message} message */
  posted(room, message) {
    const isMine = message.author_id === this.#session.id;
    // What one says oneself is not news.
    if (isMine && message.number === this.#marks.readPosts(room.id) + 1)
      this.#marks.read(room.id, message.seq, message.number);
    if (room !== this.#room || this.newAfter !== null || isMine) return;
    if (!this.isAttentive || !this.#conversation.isAtEnd) this.newAfter = this.#marks.readPosts(room.id);
  }

  #attention() {
    const room = this.#room;
    if (room === null) return;
    if (this.isAttentive) this.look();
    else if (this.#marks.unseen(room) === 0) this.newAfter = null;
    this.emit("attention");
  }
}
