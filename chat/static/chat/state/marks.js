// @ts-check
/**
 * How far the person has read in each room, and so how many posts are unseen.
 *
 * The server keeps a read marker for each membership. The browser keeps markers, too: for guests without an account,
 * and so that all pages of one browser agree at once. The further of the two counts. A room that is met for the first
 * time counts as read: what was said before one came is not news.
 */
import { signature } from "./session.js";

const KEY = "read:";

export class Marks {
  #memory;
  #as = "guest";
  /** @type {Record<string, {seq: number, posts: number}>} room key → read marker */
  #markers = {};

  /** @param {import("../lib/storage.js").Memory} memory */
  constructor(memory) {
    this.#memory = memory;
    this.reload();
  }

  /** Whose marks these are. @param {import("../types.js").Me} me */
  become(me) {
    const before = this.#markers;
    const wasGuest = this.#as === "guest";
    this.#as = signature(me);
    this.reload();
    // People who log in have read what they read as guests a moment ago.
    if (wasGuest && this.#as !== "guest" && Object.keys(this.#markers).length === 0) this.#markers = before;
  }

  get key() {
    return KEY + this.#as;
  }

  /** Another page of this browser may have moved them. */
  reload() {
    this.#markers = this.#memory.get(this.key) ?? {};
  }

  /** Called for each room of the list. @param {import("./store.js").RoomState} room */
  meet(room) {
    const { id, facts } = room;
    const known = this.#markers[id];
    const server = facts.read_posts ?? 0;
    if (known === undefined) {
      // A direct room begins with a post that one has not read.
      const posts = server > 0 || facts.kind === "direct" ? server : room.posts;
      this.#keep(id, { seq: facts.read_seq ?? 0, posts });
    } else if (server > known.posts) {
      this.#keep(id, { seq: facts.read_seq ?? 0, posts: server });
    }
  }

  /** @param {number} roomId the number of the last post that was read */
  readPosts(roomId) {
    return this.#markers[roomId]?.posts ?? 0;
  }

  /** @param {number} roomId */
  readSeq(roomId) {
    return this.#markers[roomId]?.seq ?? 0;
  }

  /** @param {import("./store.js").RoomState} room */
  unseen(room) {
    return Math.max(0, room.posts - (this.#markers[room.id]?.posts ?? room.posts));
  }

  /**
   * Never backwards. Returns whether it moved.
   * @param {number} roomId @param {number} seq @param {number} posts
   */
  read(roomId, seq, posts) {
    const known = this.#markers[roomId];
    if (known !== undefined && known.posts >= posts) return false;
    this.#keep(roomId, { seq, posts });
    return true;
  }

  /** @param {number} roomId @param {{seq: number, posts: number}} marker */
  #keep(roomId, marker) {
    // Another page may have moved other rooms since this one read them.
    const kept = this.#memory.get(this.key) ?? {};
    this.#markers = { ...this.#markers, ...kept };
    if ((kept[roomId]?.posts ?? -1) > marker.posts) return;
    this.#markers[roomId] = marker;
    this.#memory.set(this.key, this.#markers);
  }
}
